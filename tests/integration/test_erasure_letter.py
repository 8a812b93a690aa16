"""The letter that tells a person what was decided on their erasure: first what it must not say.

Belongs here: what the letter tells, in both languages, and its evidence. Does not belong here: the forms a
letter is given (test_letters.py), and the decision (test_erasure_decisions.py).
"""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from retention.errors import Refused, UsageError
from retention.rights.erasure import decide, decide_record, letter, write
from retention.rights.letters import LANGUAGES, as_html
from retention.rights.model import Outcome
from tests.erasures import Officer
from tests.factories import Shop, today

pytestmark = pytest.mark.integration


@pytest.fixture
def told(shop: Shop, officer: Officer) -> UUID:
    """A request of which something is erased, minimised, locked and left to a person."""
    shop.customer(1, overdue=False)
    shop.add("account", id="acc_1", email="person1@shop.example")
    shop.add("charge", id="ch_1", account_id="acc_1", buyer="Navn 1", note="ring meg")
    shop.stand("recording", 1, "R4", None, "assignment: its type has no period")
    shop.classify()
    request = officer.request(1)
    decide(officer.settings, [request])
    return request


def page(officer: Officer, request: UUID, language: str) -> str:
    assert language in LANGUAGES
    return as_html(letter(officer.settings, request, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_holds_no_value_and_no_key_of_the_person(
    shop: Shop, officer: Officer, told: UUID, language: str
) -> None:
    text = page(officer, told, language)
    for value in ("Navn 1", "person1@shop.example", "ring meg", "ch_1", "party-1", "shop.charge"):
        assert value not in text


def test_only_a_rights_officer_reads_it_and_only_once_it_is_decided(
    shop: Shop, officer: Officer, told: UUID
) -> None:
    with pytest.raises(Refused):
        letter(shop.settings, told, "nb")
    with pytest.raises(Refused, match="decide it first"):
        letter(officer.settings, officer.request(1, "access"), "nb")
    with pytest.raises(UsageError):
        letter(officer.settings, UUID(int=1), "nb")


def test_it_gives_each_reason_with_its_law_and_last_day(
    shop: Shop, officer: Officer, told: UUID
) -> None:
    english, norwegian = page(officer, told, "en"), page(officer, told, "nb")
    until = today(shop.conn) + timedelta(days=299)
    assert "Your data is erased in part" in english
    assert "Opplysningene dine slettes delvis" in norwegian
    assert "bokføringsloven § 13, GDPR art. 17(3)(b)" in english
    assert "foreldelsesloven §§ 2, 3, 9 and 10" in english
    assert f"{until.day} {until:%B} {until.year}" in english
    assert "is erased now" in english
    assert "What we have not decided yet" in english
    for text in (english, norwegian):
        assert "Datatilsynet" in text
        assert "Postboks 458 Sentrum, 0105 Oslo" in text
        assert str(told) in text


def test_a_legal_hold_is_a_reason_without_a_day(shop: Shop, officer: Officer, told: UUID) -> None:
    assert "legal claims (article 17(3)(e))" not in page(officer, told, "en")
    shop.hold("record", "shop.contact:1")
    shop.hold("record", "shop.lead:1", kind="restriction")
    text = page(officer, told, "en")
    assert "1 of the records that are to be erased is held for legal claims" in text
    assert "We do not know until when" in text
    assert "only stored, as you asked (article 18)" in text


def test_what_a_person_gave_as_law_is_told_as_it_was_given(
    shop: Shop, officer: Officer, told: UUID
) -> None:
    decide_record(
        officer.settings,
        told,
        "shop.recording:1",
        Outcome.REFUSE,
        reason="evidence in a dispute",
        law="GDPR art. 17(3)(e)",
    )
    text = page(officer, told, "nb")
    assert "GDPR art. 17(3)(e)" in text
    assert "Hva vi ikke har avgjort ennå" not in text
    assert "evidence in a dispute" not in text


def test_its_hash_is_evidence_and_nothing_else_of_it(
    shop: Shop, officer: Officer, told: UUID, tmp_path: Path
) -> None:
    written = write(officer.settings, told, tmp_path)
    assert {path.suffix for path in written} == {".pdf", ".html"}
    rows = shop.conn.execute(
        "select body::jsonb ->> 'language', body::jsonb ->> 'sha256' from ledger.entries"
        " where kind = 'letter_written'"
    ).fetchall()
    shop.conn.commit()
    assert dict(rows) == {
        language: sha256((tmp_path / f"decision-{told}.{language}.pdf").read_bytes()).hexdigest()
        for language in LANGUAGES
    }
