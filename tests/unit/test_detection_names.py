"""What the names of columns say, and that the vocabulary speaks of kinds and marks that exist.

Belongs here: names without values. Does not belong here: values (tests/integration/test_detection.py).
"""

import re
from pathlib import Path

import pytest

import retention.warehouse
from retention.declarations.parts import PERSONAL_KINDS
from retention.detection.names import rule_for, words_of
from retention.detection.vocabulary import RULES

MARKS = (
    Path(str(retention.warehouse.__file__)).parent / "functions" / "24_detection.sql"
).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("billingAddress2", "billing_address2"),
        ("E-post", "e_post"),
        ("fødselsDato", "fødsels_dato"),
        ("customer.Phone Number", "customer_phone_number"),
        ("_id_", "id"),
    ],
)
def test_words_are_parted_as_they_are_meant(name: str, words: str) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [
        ("customer", "e_post", "email"),
        ("plan", "receipt_email", "email"),
        ("customer", "mobilnummer", "phone"),
        ("message", "to", "phone"),
        ("customer", "fodselsnummer", "national_id"),
        ("customer", "kontonummer", "account_number"),
        ("customer", "first_name", "name"),
        ("charge", "billing_details_name", "name"),
        ("contact", "name", "name"),
        ("kunde", "gateadresse", "address"),
        ("charge", "billing_details_address_postal_code", "address"),
        ("case", "notat", "free_text"),
        ("invoice", "description", "free_text"),
        ("visit", "session_id", "online_id"),
        ("customer", "sivilstand", "family"),
        ("customer", "union_id", "special_category"),
        ("customer", "birth_date", "other"),
        ("call", "recording_url", "object_pointer"),
    ],
)
def test_a_name_speaks_for_its_kind(table: str, column: str, kind: str) -> None:
    rule = rule_for(table, column)
    assert rule is not None
    assert rule.kind == kind


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("product", "name"),
        ("plan", "name"),
        ("product", "description"),
        ("customer", "plan_name"),
        ("customer", "email_verified"),
        ("customer", "has_email"),
        ("customer", "address_id"),
        ("customer", "phone_count"),
        ("user", "email_updated_at"),
        ("event", "event_name"),
        ("charge", "failure_message"),
        ("order", "created_by_id"),
        ("assignment", "description_language"),
        ("flight", "to"),
    ],
)
def test_a_name_of_something_else_says_nothing(table: str, column: str) -> None:
    assert rule_for(table, column) is None


def test_the_vocabulary_speaks_of_kinds_and_marks_that_exist() -> None:
    assert {rule.kind for rule in RULES} <= set(PERSONAL_KINDS)
    marks = {mark for rule in RULES for mark in rule.accepts}
    code = re.sub(r"--.*", "", MARKS)
    known = set(re.findall(r"(?:then|else|return|,)\s+'([a-z0-9_]+)'", code))
    # Of short numbers the mark says how many digits.
    assert "'digits_' ||" in code
    known |= {f"digits_{places}" for places in range(1, 7)}
    assert marks <= known
