"""The shipped policy file against the policy text it implements and what it must state."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from retention.policy import Policy, load_policy
from retention.policy.values import Clause, Marked
from retention.settings import load_settings
from tests.policies import SHIPPED, approved_policy

pytestmark = pytest.mark.unit

ROOT = load_settings({}).project
POLICY_TEXT = ROOT.parent / "shared" / "policy" / "personvern-2023-01-12.no.txt"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(SHIPPED)


@pytest.fixture(scope="module")
def policy_text() -> str:
    if not POLICY_TEXT.is_file():
        pytest.skip("the policy text is not beside this clone")
    return POLICY_TEXT.read_text(encoding="utf-8")


def parts_of(value: Any, path: str = "") -> Iterator[tuple[str, BaseModel]]:
    """Every model inside `value`, with its path."""
    if isinstance(value, BaseModel):
        yield path, value
        for name in type(value).model_fields:
            yield from parts_of(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, tuple):
        for at, item in enumerate(value):
            yield from parts_of(item, f"{path}.{getattr(item, 'id', at)}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from parts_of(item, f"{path}.{key}")


def test_every_quote_stands_word_for_word_in_the_section_it_names(
    policy: Policy, policy_text: str
) -> None:
    clauses = [(path, part) for path, part in parts_of(policy) if isinstance(part, Clause)]
    wrong = [path for path, part in clauses if part.quote not in _section(policy_text, part)]
    assert len(clauses) > 50
    assert wrong == []


def test_the_file_implements_the_text_it_was_written_from(policy: Policy, policy_text: str) -> None:
    digest = hashlib.sha256(policy_text.encode()).hexdigest()
    assert policy.document.text_sha256 == digest
    assert f"gjelder fra {policy.effective_from}" in policy_text


def _section(text: str, clause: Clause) -> str:
    start = text.index(f"\n{clause.section}. ")
    end = text.find(f"\n{int(clause.section) + 1}. ", start)
    return text[start : end if end > 0 else len(text)]


def test_the_rules_are_those_of_the_requirements(policy: Policy) -> None:
    stated = {
        rule.id: (
            rule.category,
            rule.period.value,
            rule.period.mark,
            rule.disposition,
            rule.is_minimum,
            rule.unattended,
        )
        for rule in policy.rules
    }
    assert stated == {
        "R1": ("lead_partner", "P6M", "text", "purge", False, True),
        "R2": ("lead_direct", "P12M", "text", "purge", False, True),
        "R3": ("customer_no_advice", "P12M", "choice", "purge", False, False),
        "R4": ("assignment", None, "text", "purge", True, False),
        "R5": ("accounting", None, "law", "purge", True, False),
        "R6": ("lock", None, "law", "purge", False, False),
        "ACTIVE": ("active", None, "choice", "keep", False, False),
        "SUPPORTING": ("supporting", None, "choice", "purge", False, False),
        "BUSINESS": ("business_contact", "P24M", "choice", "purge", False, False),
        "RIGHTS": ("rights_request", "P3Y", "choice", "purge", False, False),
        "OWN": ("own", None, "choice", "keep", False, False),
        "PROCESSOR": (None, None, "text", "purge", False, False),
        "ERASURE": (None, None, "law", "purge", False, False),
        "CONSENT": (None, None, "law", "purge", False, False),
        "UNCLASSIFIED": ("unclassified", None, "choice", "review", False, False),
    }


def test_periods_by_type_and_class(policy: Policy) -> None:
    types = {name: kind.period for name, kind in policy.assignment_types.items()}
    assert types["ordinary_advice"] == "P13Y"
    assert types["will"] == types["marriage_contract"] == "P20Y"
    classes = {name: kind.period for name, kind in policy.accounting.classes.items()}
    assert classes == {"primary": "P5Y", "secondary": "P3Y6M"}


def test_nothing_shipped_is_approved_for_real_data(policy: Policy) -> None:
    """Whoever points the shipped file at a real warehouse purges nothing before approving it."""
    marked = [(path, part) for path, part in parts_of(policy) if isinstance(part, Marked)]
    real = [path for path, part in marked if part.approval_state == "approved"]
    undecided = {path for path, part in marked if part.mark != "text" and not part.approval}
    assert real == []
    assert undecided == set()
    for rule in policy.rules:
        mark, approval = policy.standing(rule.id)
        assert mark != "text"
        assert approval in ("example", "none")


def test_what_nobody_decided_says_so(policy: Policy) -> None:
    none = {name for name, kind in policy.assignment_types.items() if kind.approval_state == "none"}
    assert none == {"dispute"}
    unapproved = {rule.id for rule in policy.rules if policy.standing(rule.id)[1] == "none"}
    assert unapproved == {"BUSINESS", "RIGHTS"}


def test_an_approved_copy_keeps_what_nobody_decided_undecided(tmp_path: Path) -> None:
    policy = approved_policy(tmp_path)
    standing = {rule.id: policy.standing(rule.id)[1] for rule in policy.rules}
    assert {rule_id for rule_id, state in standing.items() if state == "none"} == {
        "BUSINESS",
        "RIGHTS",
    }
    assert set(standing.values()) == {"approved", "none"}
    assert policy.assignment_types["dispute"].approval_state == "none"


def test_whom_and_what_the_policy_is_about(policy: Policy) -> None:
    assert [kind.id for kind in policy.subject_kinds] == [
        "customer",
        "registered_user",
        "partner_lead",
        "third_person",
        "business_contact",
        "email_sender",
        "site_visitor",
    ]
    assert len(policy.data_categories) == 15
    special = {kind.id for kind in policy.data_categories if kind.special_category}
    assert special == {"trade_union_membership"}
    assert {recipient.id for recipient in policy.recipients} == {
        "heroku",
        "aws",
        "scrive",
        "stripe",
        "new_relic",
        "google_analytics",
        "fivetran",
        "twilio",
        "hosting_provider",
        "partners",
    }


def test_consent_alone_says_what_its_withdrawal_does(policy: Policy) -> None:
    consented = {purpose.id: purpose.on_withdrawal for purpose in policy.purposes}
    assert {name: does for name, does in consented.items() if does} == {
        "union_membership": "erase",
        "optional_cookies": "erase",
        "share_back": "stop",
    }


def test_every_reading_has_its_decision_record(policy: Policy) -> None:
    names = type(policy.readings).model_fields
    records = {getattr(policy.readings, name).decided_in for name in names}
    assert [record for record in sorted(records) if not (ROOT / record).is_file()] == []


def test_the_broken_sentence_is_a_named_defect(policy: Policy) -> None:
    reading = policy.readings.broken_sentence
    assert reading is not None
    assert reading.value == "both"
    assert reading.sentence.quote in {defect.clause.quote for defect in policy.defects}
