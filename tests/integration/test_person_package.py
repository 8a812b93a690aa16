"""A person's own copy: everything that is held, nothing of anybody else, and nowhere but in the one file.

Belongs here: packages on the shop's small warehouse. Does not belong here: the sample
(test_package_sample.py), who may see rows (test_disclosures.py), and the letters' form (test_letters.py).
"""

import csv
import dataclasses
import hashlib
import io
import json
import stat
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdfium2
import pytest

from retention.errors import Refused, UsageError
from retention.housekeeping import sweep
from retention.plan import landing_rights
from retention.purge import execute
from retention.rights.find import decide_ambiguity
from retention.rights.model import Right
from retention.rights.package.expiry import findings, folder_of
from retention.rights.package.make import make_package
from retention.rights.package.review import WITHHELD
from retention.settings import Settings
from tests.factories import Shop, today
from tests.packages import opened
from tests.rights import token_of, verified_request

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def officer(shop: Shop) -> Settings:
    """The login that answers requests."""
    return shop.approver


def ready(shop: Shop) -> None:
    shop.classify()
    landing_rights.grant(shop.settings, shop.declarations)


def rows(shop: Shop, query: str, *values: Any) -> list[Any]:
    found = [row[0] for row in shop.conn.execute(query, values).fetchall()]
    shop.conn.commit()
    return found


def of_person(shop: Shop, number: int) -> dict[str, list[Any]]:
    """The landing rows of a person, said table by table in SQL of its own."""
    queries = {
        "person": "select to_jsonb(t) from shop.person as t where id = %s",
        "lead": "select to_jsonb(t) from shop.lead as t where person_id = %s",
        "contact": "select to_jsonb(t) from shop.contact as t where person_id = %s",
        "recording": "select to_jsonb(t) from shop.recording as t where person_id = %s",
        "handover": "select to_jsonb(t) from shop.handover as t where person_id = %s",
        "assignment": "select to_jsonb(t) from shop.assignment as t where person_id = %s",
        "request": "select to_jsonb(t) from shop.request as t where person_id = %s",
        "visit": "select to_jsonb(t) from shop.visit as t where person_id = %s",
        "document": "select to_jsonb(t) from shop.document as t where assignment_id in"
        " (select id from shop.assignment where person_id = %s)",
        "mail": "select to_jsonb(t) from shop.mail as t where lower(trim(from_address)) ="
        " (select lower(trim(email)) from shop.person where id = %s)",
        "account": "select to_jsonb(t) from shop.account as t where lower(trim(email)) ="
        " (select lower(trim(email)) from shop.person where id = %s)",
        "charge": "select to_jsonb(t) from shop.charge as t where account_id in"
        " (select id from shop.account where lower(trim(email)) ="
        " (select lower(trim(email)) from shop.person where id = %s))",
    }
    found = {name: rows(shop, query, number) for name, query in queries.items()}
    return {name: listed for name, listed in found.items() if listed}


def in_package(files: dict[str, bytes]) -> dict[str, list[Any]]:
    return {
        name.rpartition(".")[0].rpartition(".")[2]: json.loads(content)
        for name, content in files.items()
        if name.startswith("data/") and name.endswith(".json")
    }


def sorted_rows(found: dict[str, list[Any]]) -> dict[str, list[str]]:
    return {
        name: sorted(json.dumps(row, sort_keys=True) for row in listed)
        for name, listed in found.items()
    }


def everything(shop: Shop, number: int) -> None:
    """A person with a row in every table that can hold one, some of them in every status."""
    shop.customer(number)
    shop.buyer(100 + number)
    shop.add("account", id=f"acc_{number}", email=f"PERSON{number}@shop.example ")
    shop.add("charge", id=f"ch_{number}", account_id=f"acc_{number}", buyer=f"Navn {number}")
    shop.add("handover", id=number, person_id=number)
    shop.add("request", id=number, person_id=number, id_scan_url=None)
    shop.add("contact", id=1000 + number, person_id=number)
    shop.judge("contact", 1000 + number, "locked")
    shop.judge("charge", f"ch_{number}", "locked")
    shop.judge("lead", number, "restricted")


def test_the_copy_is_all_that_is_held_and_nothing_else(shop: Shop, officer: Settings) -> None:
    everything(shop, 1)
    everything(shop, 2)
    ready(shop)
    for number in (1, 2, 101):
        made = make_package(officer, verified_request(shop, number))
        files = opened(made)
        assert sorted_rows(in_package(files)) == sorted_rows(of_person(shop, number))
        manifest = json.loads(files["manifest.json"])
        assert {one["table"]: one["rows"] for one in manifest["tables"]} == {
            f"shop.{name}": len(listed) for name, listed in of_person(shop, number).items()
        }
        assert made.rows == sum(map(len, of_person(shop, number).values()))


def test_the_manifest_accounts_for_every_file_and_record(shop: Shop, officer: Settings) -> None:
    everything(shop, 1)
    ready(shop)
    files = opened(make_package(officer, verified_request(shop, 1)))
    manifest = json.loads(files["manifest.json"])
    named = {*manifest["files"], "manifest.json", "review.json"}
    assert named == set(files)
    for name, told in manifest["files"].items():
        assert hashlib.sha256(files[name]).hexdigest() == told["sha256"]
    records = [record for one in manifest["tables"] for record in one["records"]]
    assert {record["status"] for record in records} >= {
        "locked",
        "restricted",
        "overdue",
        "retained",
    }
    assert {record["data_subject"] for record in records} == {"shop.person:1"}
    assert all(record["controller_role"] for record in records)
    assert manifest["as_of"] == str(today(shop.conn))
    for one in manifest["tables"]:
        table = f"data/Shop/{one['table']}"
        read = list(
            csv.reader(io.StringIO(files[f"{table}.csv"].decode("utf-8-sig")), delimiter=";")
        )
        assert read[0] == [column["name"] for column in one["columns"]]
        assert len(read) - 1 == one["rows"] == len(json.loads(files[f"{table}.json"]))


def test_the_letter_says_what_the_law_asks(shop: Shop, officer: Settings) -> None:
    everything(shop, 1)
    shop.add("partner", id=1)
    ready(shop)
    made = make_package(officer, verified_request(shop, 1))
    files = opened(made)
    for language, words in {
        "nb": (
            "Datatilsynet",
            "regnskapsmateriale",
            "5 år",
            "GDPR art. 6(1)(b)",
            "Kommer fra",
            "Slettes",
        ),
        "en": (
            "Datatilsynet",
            "accounting material",
            "5 years",
            "GDPR art. 6(1)(b)",
            "Comes from",
            "Erased",
        ),
    }.items():
        page = files[f"letter.{language}.html"].decode()
        pdf = pypdfium2.PdfDocument(files[f"letter.{language}.pdf"])
        text = " ".join(one.get_textpage().get_text_bounded() for one in pdf)
        for word in words:
            assert word in page, word
            assert word in " ".join(text.split()), word
        assert "shop.charge" in page
        assert ("er forfalt" if language == "nb" else "past that day") in page
        # A partner to whom the person was handed over is named.
        assert "shop.partner:1" in page


def test_one_human_of_several_data_subjects_gets_one_copy(shop: Shop, officer: Settings) -> None:
    """Decision 0013: several data subjects under one token."""
    shop.customer(1)
    shop.customer(2)
    shop.customer(3)
    shop.classify()
    shop.conn.execute(
        "update ledger.subject_tokens set subject_token = %s where subject_id = 'shop.person:2'",
        (token_of(shop, 1),),
    )
    shop.conn.commit()
    ready(shop)
    files = opened(make_package(officer, verified_request(shop, 1)))
    both = {name: of_person(shop, 1)[name] + listed for name, listed in of_person(shop, 2).items()}
    assert sorted_rows(in_package(files)) == sorted_rows(both)
    manifest = json.loads(files["manifest.json"])
    assert manifest["data_subjects"] == ["shop.person:1", "shop.person:2"]


def test_a_record_that_may_be_anothers_is_left_out_until_it_is_decided(
    shop: Shop, officer: Settings
) -> None:
    for number in (1, 2):
        shop.add("person", id=number, email="family@shop.example")
    shop.add("mail", id=7, from_address="family@shop.example")
    ready(shop)
    request = verified_request(shop, 1)
    made = make_package(officer, request)
    assert made.undecided == 1
    files = opened(made)
    assert set(in_package(files)) == {"person"}
    assert "kan gjelde deg eller noen andre" in files["letter.nb.html"].decode()
    decide_ambiguity(
        shop.conn, token_of(shop, 1), "shop.mail", "7", is_theirs=True, reason="signed"
    )
    shop.conn.commit()
    made = make_package(officer, request)
    assert made.undecided == 0
    assert [row["id"] for row in in_package(opened(made))["mail"]] == [7]


def test_what_a_partner_answers_for_is_named_and_not_shown(shop: Shop, officer: Settings) -> None:
    shop.customer(1)
    ready(shop)
    shop.conn.execute(
        "update intermediate.int_records_decided set controller_role = 'processor', rule_id = 'PROCESSOR'"
        " where source_table = 'contact'"
    )
    shop.conn.commit()
    made = make_package(officer, verified_request(shop, 1))
    files = opened(made)
    assert made.partners == {"shop.contact": 1}
    assert "contact" not in in_package(files)
    assert "på vegne av en samarbeidspartner" in files["letter.nb.html"].decode()
    assert json.loads(files["manifest.json"])["left_out"]["processed_for_partners"] == {
        "shop.contact": 1
    }


def test_free_text_is_looked_at_before_it_is_handed_out(
    shop: Shop, officer: Settings, tmp_path: Path
) -> None:
    shop.add("person", id=1, email="p1@shop.example")
    shop.add("contact", id=1, person_id=1, notes="snakket med Kari Nordmann")
    shop.add("contact", id=2, person_id=1, notes="ring tilbake")
    shop.add("contact", id=3, person_id=1, notes=None)
    ready(shop)
    request = verified_request(shop, 1)
    draft = make_package(officer, request)
    assert draft.is_draft
    assert draft.to_review == 2
    assert draft.path.name.startswith("draft-")
    review = json.loads(opened(draft)["review.json"])
    assert [(one["table"], one["record_key"], one["column"]) for one in review["cells"]] == [
        ("shop.contact", "1", "notes"),
        ("shop.contact", "2", "notes"),
    ]
    assert "Kari" not in json.dumps(review)
    path = tmp_path / "review.json"
    path.write_text(json.dumps(review))
    with pytest.raises(UsageError, match="2 cells are undecided"):
        make_package(officer, request, reviewed=path)
    for one, withhold in zip(review["cells"], (True, False), strict=True):
        one["withhold"] = withhold
    path.write_text(json.dumps(review))
    copy = make_package(officer, request, reviewed=path)
    assert not copy.is_draft
    assert copy.withheld == 1
    files = opened(copy)
    assert "review.json" not in files
    assert b"Kari Nordmann" not in b"".join(files.values())
    notes = [row["notes"] for row in in_package(files)["contact"]]
    assert notes == [WITHHELD, "ring tilbake", None]
    assert "1 felt i shop.contact (notes) er holdt tilbake" in files["letter.nb.html"].decode()
    # What nobody has looked at since is not handed out.
    shop.conn.execute("update shop.contact set notes = 'om Ola' where id = 2")
    shop.conn.commit()
    with pytest.raises(Refused, match="1 cells came or changed"):
        make_package(officer, request, reviewed=path)
    with pytest.raises(UsageError, match="is no review"):
        make_package(officer, request, reviewed=Path(__file__))


def test_a_column_that_nobody_declared_is_looked_at(shop: Shop, officer: Settings) -> None:
    shop.add("person", id=1, email="p1@shop.example")
    shop.conn.execute("alter table shop.person add column shoe_size int default 44")
    shop.conn.commit()
    ready(shop)
    files = opened(make_package(officer, verified_request(shop, 1)))
    (cell,) = json.loads(files["review.json"])["cells"]
    assert (cell["column"], cell["why"]) == ("shoe_size", "declared by nobody")
    assert in_package(files)["person"][0]["shoe_size"] == 44


def test_portable_is_what_the_person_provided_on_consent_or_contract(
    shop: Shop, officer: Settings
) -> None:
    shop.redeclare(
        "collected_at: created_at, person: {},",
        "collected_at: created_at, provided_by: person, person: {},",
    )
    shop.redeclare(
        "personal: {notes: free_text}", "personal: {notes: {kind: free_text, provided_by: person}}"
    )
    shop.redeclare("personal: {buyer: name,", "provided_by: person, personal: {buyer: name,")
    everything(shop, 1)
    ready(shop)
    made = make_package(officer, verified_request(shop, 1, right="portability"))
    files = opened(made)
    found = in_package(files)
    # Its person's own row stands under R3: contract. The charge under R5: a legal duty.
    assert set(found) == {"person", "contact"}
    assert set(found["person"][0]) == {"id", "name", "email"}
    assert {tuple(row) for row in found["contact"]} == {("id", "notes")}
    assert "artikkel 20" in files["letter.nb.html"].decode()
    assert "Hvem som mottar dem" not in files["letter.nb.html"].decode()
    assert made.right is Right.PORTABILITY


def test_the_file_is_the_owners_alone_and_names_nobody(shop: Shop, officer: Settings) -> None:
    shop.customer(1)
    ready(shop)
    request = verified_request(shop, 1)
    made = make_package(officer, request)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.path.parent.stat().st_mode) == 0o700
    assert str(token_of(shop, 1)) not in made.path.name
    package = shop.conn.execute(
        "select file_name, file_sha256, records, expires_on - ledger.today() from ledger.packages"
    ).fetchone()
    assert package == (
        made.path.name,
        hashlib.sha256(made.path.read_bytes()).hexdigest(),
        made.rows,
        14,
    )
    assert made.passphrase not in repr(made)
    body = shop.one("select body from ledger.entries where kind = 'package'")
    assert set(json.loads(body)) == {
        *("entry", "at", "package_id", "disclosure_id", "request_id", "file_sha256", "records"),
        *("columns_withheld", "expires_on", "made_by"),
    }
    # Another passphrase opens nothing.
    with pytest.raises(RuntimeError, match="Bad password"):
        opened(dataclasses.replace(made, passphrase="AAAA-" * 5 + "AAAA"))


def test_no_trace_of_the_person_lies_anywhere_in_the_clear(
    shop: Shop,
    officer: Settings,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    canaries = ["Kanarifugl Åsmundsen", "kanari.aasmundsen@shop.example", "hemmelig notat xyzzy"]
    shop.add("person", id=1, name=canaries[0], email=canaries[1])
    shop.add("contact", id=1, person_id=1, notes=canaries[2])
    ready(shop)
    with caplog.at_level(0):
        made = make_package(officer, verified_request(shop, 1))
        assert canaries[2] in opened(made)["data/Shop/shop.contact.json"].decode()
        # An error half-way says none of it either.
        shop.conn.execute("revoke update on shop.contact from retention_owner")
        shop.conn.commit()
        with pytest.raises(Refused) as refused:
            make_package(officer, verified_request(shop, 1))
    said = [str(refused.value), repr(refused.value), caplog.text, *capfd.readouterr()]
    files = [path for path in shop.settings.state.rglob("*") if path.is_file()]
    assert made.path in files
    for canary in (*canaries, made.passphrase):
        assert not any(canary in text for text in said)
        assert not [path for path in files if canary.encode() in path.read_bytes()]
    ledger = shop.one(
        "select string_agg(t::text, '') from (select body from ledger.entries union all"
        " select t::text from ledger.packages as t"
        " union all select t::text from ledger.disclosures as t) as t"
    )
    assert not any(canary in ledger for canary in (*canaries, made.passphrase))


def test_a_package_goes_after_its_day(shop: Shop, officer: Settings) -> None:
    shop.add("person", id=1)
    ready(shop)
    request = verified_request(shop, 1)
    old, new = make_package(officer, request), make_package(officer, request)
    stray = folder_of(shop.settings) / "notes.zip"
    stray.write_text("somebody's own")
    shop.conn.execute(
        "update ledger.packages set expires_on = ledger.today() - 1 where file_name = %s",
        (old.path.name,),
    )
    shop.conn.commit()
    (finding,) = findings(shop.conn, shop.settings)
    assert finding.kind == "package_past_its_day"
    assert {
        one.due for one in sweep.sweep(shop.settings, dry_run=True) if one.kind == "packages"
    } == {1}
    assert old.path.exists()
    (swept,) = (one for one in sweep.sweep(shop.settings) if one.kind == "packages")
    assert (swept.due, swept.removed) == (1, 1)
    assert not old.path.exists()
    assert new.path.exists()
    assert stray.exists()
    assert rows(shop, "select file_name from ledger.packages where removed_at is not null") == [
        old.path.name
    ]
    assert not list(findings(shop.conn, shop.settings))
    # A file that was taken away by hand counts as gone.
    new.path.unlink()
    shop.conn.execute("update ledger.packages set expires_on = ledger.today() - 1")
    shop.conn.commit()
    sweep.sweep(shop.settings)
    assert rows(shop, "select count(*) from ledger.packages where removed_at is null") == [0]


def test_the_keys_of_records_that_are_gone_are_forgotten(shop: Shop, officer: Settings) -> None:
    for number in (1, 2):
        shop.add("person", id=number, email="family@shop.example")
    shop.add("mail", id=7, from_address="family@shop.example")
    shop.add("mail", id=8, from_address="family@shop.example")
    ready(shop)
    for key in ("7", "8"):
        decide_ambiguity(
            shop.conn, token_of(shop, 1), "shop.mail", key, is_theirs=True, reason="signed"
        )
        shop.conn.execute(
            "insert into ledger.disclosures (kind, reason, source_schema, source_table, record_key,"
            " expires_at) values ('locked_read', 'the court', 'shop', 'mail', %s, now() - '1 h'::interval)",
            (key,),
        )
    shop.conn.execute("delete from shop.mail where id = 8")
    shop.conn.commit()
    shop.classify()
    sweep.sweep(shop.settings)
    assert rows(shop, "select record_key from ledger.ambiguity_decisions") == ["7"]
    assert rows(shop, "select record_key from ledger.disclosures order by 1") == ["7", None]


def test_a_purge_forgets_whose_a_record_was_said_to_be(shop: Shop) -> None:
    shop.person(1)
    shop.person(2, overdue=False)
    for number in (1, 2):
        shop.conn.execute(
            "insert into ledger.ambiguity_decisions (source_schema, source_table, record_key, inputs_hash,"
            " subject_token, is_theirs, reason) values ('shop', 'contact', %(key)s, 'x', gen_random_uuid(),"
            " true, 'signed')",
            {"key": str(number)},
        )
        shop.conn.execute(
            "insert into ledger.disclosures (kind, reason, source_schema, source_table, record_key,"
            " expires_at) values ('locked_read', 'the court', 'shop', 'contact', %s, now())",
            (str(number),),
        )
    shop.conn.commit()
    execute(shop.settings, shop.approved_plan().plan_id)
    assert shop.keys("contact") == {"2"}
    assert rows(shop, "select record_key from ledger.ambiguity_decisions") == ["2"]
    assert rows(shop, "select record_key from ledger.disclosures order by 1") == ["2", None]


REFUSALS: list[tuple[str, type[Exception], str]] = [
    ("unverified", Refused, "before the identity is verified"),
    ("erasure", UsageError, "access or portability"),
    ("unknown", UsageError, "no such request"),
    ("nobodys", Refused, "not known whose"),
    ("stale", Refused, "retention run"),
]


@pytest.mark.parametrize(("case", "error", "words"), REFUSALS)
def test_what_is_refused(
    shop: Shop, officer: Settings, case: str, error: type[Exception], words: str
) -> None:
    shop.add("person", id=1)
    ready(shop)
    request = UUID(int=0)
    if case != "unknown":
        request = verified_request(
            shop,
            1,
            right="erasure" if case == "erasure" else "access",
            verified=case != "unverified",
        )
    if case == "nobodys":
        shop.conn.execute("update ledger.requests set subject_token = null")
    if case == "stale":
        shop.conn.execute("update intermediate.int_clock set as_of = as_of - 1")
    shop.conn.commit()
    with pytest.raises(error, match=words):
        make_package(officer, request)
    assert not folder_of(shop.settings).exists()
    assert shop.one("select count(*) from ledger.disclosures") == 0


def test_a_table_that_cannot_be_read_stops_the_copy(shop: Shop, officer: Settings) -> None:
    shop.customer(1)
    shop.classify()
    with pytest.raises(Refused, match=r"cannot be read for the copy: .*grant select"):
        make_package(officer, verified_request(shop, 1))


def test_a_row_that_went_since_the_classification_is_named(shop: Shop, officer: Settings) -> None:
    shop.customer(1)
    ready(shop)
    shop.conn.execute("delete from shop.contact")
    shop.conn.commit()
    manifest = json.loads(opened(make_package(officer, verified_request(shop, 1)))["manifest.json"])
    (contact,) = (one for one in manifest["tables"] if one["table"] == "shop.contact")
    assert contact["no_longer_there"] == ["1"]
    assert contact["rows"] == 0


def test_numbers_and_formulas_stand_as_they_are(shop: Shop, officer: Settings) -> None:
    shop.conn.execute("alter table shop.contact add column price numeric, add column doc jsonb")
    shop.add("person", id=1, name="=HYPERLINK(1)", email="p1@shop.example")
    shop.add(
        "contact",
        id=1,
        person_id=1,
        price="12345678901234567.89",
        doc='{"a": [1.50]}',
        notes="+47 900 00 000",
    )
    shop.add("contact", id=2, person_id=1, notes='-2+3+cmd|" /C calc"!A0')
    ready(shop)
    files = opened(make_package(officer, verified_request(shop, 1)))
    assert in_package(files)["contact"][0]["price"] == "12345678901234567.89"
    table = files["data/Shop/shop.contact.csv"].decode()
    assert "12345678901234567.89" in table
    assert ";+47 900 00 000;" in table
    assert "'-2+3+cmd" in table
    assert "'=HYPERLINK(1)" in files["data/Shop/shop.person.csv"].decode()
    assert in_package(files)["person"][0]["name"] == "=HYPERLINK(1)"


def test_the_made_is_not_the_disclosures_undoing(
    shop: Shop, officer: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure after the rows were read leaves the trace that they were, and no file."""
    shop.customer(1)
    ready(shop)
    request = verified_request(shop, 1)

    def fail(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("retention.rights.package.make.encrypt", fail)
    with pytest.raises(MemoryError):
        make_package(officer, request)
    assert shop.one("select count(*) from ledger.disclosures") == 1
    assert shop.one("select count(*) from ledger.entries where kind = 'disclosure'") == 1
    assert not folder_of(shop.settings).exists()


def test_the_landing_rows_are_untouched(shop: Shop, officer: Settings) -> None:
    everything(shop, 1)
    ready(shop)
    before = shop.rows()
    make_package(officer, verified_request(shop, 1))
    assert shop.rows() == before
