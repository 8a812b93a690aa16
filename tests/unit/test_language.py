"""Both languages are whole: every sentence that the code says has its Norwegian, and none says more."""

import re
import string
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from retention.classified import CATEGORIES, STATUSES
from retention.coverage import FindingKind
from retention.errors import UsageError
from retention.language import LANGUAGE, Language, chosen, speaker
from retention.language import extract as extraction
from retention.language.catalog import FOLDER, Key, fuzzy, read
from retention.language.reasons import recognised
from retention.language.words import WORDS
from retention.purge import delete, external, guards, live, minimise, reclassified
from retention.settings import load_settings

pytestmark = pytest.mark.unit

SETTINGS = load_settings({})
ROOT = FOLDER.parent.parent
NB = speaker(Language.NB, SETTINGS.policy_dir)
EN = speaker(Language.EN, SETTINGS.policy_dir)
CATALOGS = (FOLDER / "nb.po", SETTINGS.policy_dir / "nb.po")


def placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


@pytest.mark.parametrize(
    ("path", "text"),
    list(extraction.catalogs(SETTINGS)),
    ids=lambda value: value.parent.name if isinstance(value, Path) else "",
)
def test_each_catalog_holds_what_is_said_and_nothing_else(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, "run python -m retention.language.extract"


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parent.name)
def test_every_sentence_is_translated_with_its_placeholders_and_marks(path: Path) -> None:
    texts = read(path, Language.NB)
    assert texts
    assert [key.message for key, forms in texts.items() if not all(forms)] == []
    assert fuzzy(path) == []
    for key, forms in texts.items():
        originals = [key.message, key.plural] if key.plural else [key.message]
        for original, form in zip(originals, forms, strict=True):
            if path.parent == FOLDER:
                assert placeholders(form) == placeholders(original), key
                for mark in ("*", "`"):
                    assert form.count(mark) == original.count(mark), key


def test_what_is_marked_and_what_is_said_is_found() -> None:
    module = """
TITLE = N_("A title")
def f(nb, console):
    nb.say("one " "sentence", n=1)
    nb.rich("*so*")
    nb.plural("{n} row", "{n} rows", 2)
    nb.say(TITLE)
    say("printed, not translated")
"""
    assert set(extraction.of_python(module)) == {
        Key("A title"),
        Key("one sentence"),
        Key("*so*"),
        Key("{n} row", "{n} rows"),
    }


def test_what_a_template_says_is_found(tmp_path: Path) -> None:
    template = tmp_path / "page.j2"
    template.write_text(
        "<p>{{ say('Nothing is due.') }} {{ plural('{n} row', '{n} rows', n) }}</p>",
        encoding="utf-8",
    )
    assert set(extraction.of_template(template)) == {
        Key("Nothing is due."),
        Key("{n} row", "{n} rows"),
    }


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("status", STATUSES),
        ("status_meaning", STATUSES),
        ("category", CATEGORIES),
        ("finding", [kind.value for kind in FindingKind]),
    ],
)
def test_every_code_has_its_word(kind: str, codes: list[str]) -> None:
    for code in codes:
        assert EN.word(kind, code)
        assert NB.word(kind, code)


def test_every_kind_of_entry_that_is_written_has_its_word() -> None:
    sources = [
        *(ROOT / "retention" / "warehouse" / "functions").glob("*.sql"),
        *(ROOT / "retention" / "purge").glob("*.py"),
    ]
    written = {
        kind
        for path in sources
        for kind in re.findall(
            r"""(?:ledger|entries)\.append\(\s*(?:\w+,\s*)?['"]([a-z_]+)['"]""",
            path.read_text(encoding="utf-8"),
        )
    }
    assert {"batch", "plan", "approval", "controls"} <= written
    assert written <= set(WORDS["entry"])


def test_every_reason_that_the_engine_gives_is_known() -> None:
    given = [
        delete.GONE,
        external.UNCONFIRMED,
        guards.HELD,
        guards.DECIDED,
        guards.OTHERWISE,
        live.CHANGED,
        minimise.EMPTY,
        *(reclassified.OVERDUE_NO_MORE, reclassified.NOT_THERE, reclassified.JUDGED_ANEW),
        *(reclassified.CASE_CHANGED, reclassified.STANDS_FOR_OTHERS),
    ]
    models = ROOT / "dbt_project" / "models" / "intermediate"
    for path in (
        *(models / f"int_{name}.sql" for name in ("records_decided", "record_grounds")),
        *(models / f"int_{name}.sql" for name in ("person_grounds", "assignments_decided")),
        ROOT / "retention" / "warehouse" / "functions" / "07_plannable.sql",
    ):
        said = _written(path.read_text(encoding="utf-8"))
        assert said or path.name == "int_person_grounds.sql"
        given += said
    unknown = [one for one in given if recognised(one) is None and recognised(f"{one}x") is None]
    assert unknown == []


def test_every_reason_why_a_job_may_not_is_known() -> None:
    functions = ROOT / "retention" / "warehouse" / "functions"
    (text,) = re.findall(
        r"function ledger\.unattended_objection.*?\$\$(.*?)\$\$",
        (functions / "11_unattended.sql").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    given = _written(re.sub(r"'\s*\|\|\s*'", "", text))
    assert len(given) == 3
    assert [one for one in given if recognised(one) is None] == []
    (text,) = re.findall(
        r"function ledger\.outside_radius.*?\$\$(.*?)\$\$",
        (functions / "11_unattended.sql").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    forms = [one.replace("%s", "9") for one in re.findall(r"format\(\s*'([^']+)'", text)]
    assert len(forms) == 7
    # Of several tables and of one, the sentence is put together of two.
    several, worst, one_alone = forms[1:4]
    given = [forms[0], f"{several}{worst}", f"{worst}{one_alone}", *forms[4:]]
    assert [one for one in given if recognised(one) is None] == []


def _written(text: str) -> list[str]:
    """The sentences that SQL gives as they stand."""
    said = re.findall(r"(?:then|else|return)\s+'([a-z](?:[^']|'')* (?:[^']|'')*)'", text)
    return [one.replace("''", "'") for one in said]


def test_a_reason_is_said_with_what_varies_in_it() -> None:
    assert NB.reason("its erasure was decided on 2026-11-03").text.replace("\u00a0", " ") == (
        "slettingen ble avgjort 3. nov. 2026"
    )
    assert NB.reason("assignment: its type is not in the policy").text == (
        "oppdrag: oppdragstypen står ikke i erklæringen"
    )
    assert NB.reason("what nobody wrote").language == "en"
    several = "1200 records, at most 1000 are allowed; crm.person is never purged unattended"
    said = NB.reason(f"outside the policy's blast radius: {several}: a person decides")
    assert said.language == "nb"
    assert "1\u202f200 poster, høyst 1\u202f000 er tillatt; crm.person slettes aldri" in said.text


def test_numbers_days_and_instants_are_written_as_people_write_them() -> None:
    day, moment = date(2026, 11, 3), datetime(2026, 11, 3, 14, 5, 9, tzinfo=UTC)
    assert (EN.number(12345), NB.number(-12345)) == ("12\u202f345", "\u221212\u202f345")
    assert (EN.day(day), NB.day("2026-11-03")) == ("3\u00a0Nov\u00a02026", "3.\u00a0nov.\u00a02026")
    assert (EN.long_day(day), NB.long_day(day)) == ("3 November 2026", "3. november 2026")
    assert (EN.month("2026-11"), NB.month(day)) == ("Nov\u00a02026", "nov.\u00a02026")
    assert EN.moment("2026-01-31T02:00:09+01:00").replace("\u00a0", " ") == (
        "31 Jan 2026 02:00:09 (UTC+01:00)"
    )
    assert NB.moment(moment).replace("\u00a0", " ") == "3. nov. 2026 14:05:09 (UTC+00:00)"
    assert (EN.period("P6M"), NB.period("P3Y6M")) == (
        "6\u00a0months",
        "3\u00a0år og 6 måneder",
    )


def test_values_are_put_in_after_the_sentence_was_found() -> None:
    assert EN.say("{what} waits", what="{n} *of* these") == "{n} *of* these waits"
    strong, plain = EN.rich("*{n} of* {what}", n=1200, what="*them*")
    assert (strong.text, strong.style) == ("1\u202f200 of", "strong")
    assert (plain.text, plain.style) == (" *them*", "")


def test_a_sentence_that_is_in_no_catalog_is_an_error() -> None:
    with pytest.raises(KeyError, match="no nb for 'Nobody said this'"):
        NB.say("Nobody said this")


def test_a_policy_text_without_translation_stays_in_its_own_language() -> None:
    assert NB.policy("A will").language == "nb"
    own = NB.policy("A text of another company's policy")
    assert (own.text, own.language) == ("A text of another company's policy", "en")
    assert speaker(Language.NB).policy("A will").language == "en"


def test_the_language_is_that_asked_for_or_the_readers_own() -> None:
    assert chosen(env={}) is Language.EN
    assert chosen(env={LANGUAGE: "nb"}) is Language.NB
    assert chosen(Language.EN, env={LANGUAGE: "nb"}) is Language.EN
    with pytest.raises(UsageError, match="give en or nb"):
        chosen(env={LANGUAGE: "sv"})
