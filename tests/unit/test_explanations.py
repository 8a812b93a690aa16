"""Explanations without a database: what is shown, and what a locked record keeps to itself."""

from datetime import date
from typing import Any

import pytest

from cli.explain import headline
from retention.applied_rule import why_lost
from retention.explanation import Explanation, Ground, Listing, Record, blocker_words

pytestmark = pytest.mark.unit

AS_OF = date(2026, 1, 31)


def record(**changed: Any) -> Record:
    values: dict[str, Any] = {
        "source_schema": "crm",
        "source_table": "person",
        "record_key": "17",
        "subject_token": None,
        "controller_role": "controller",
        "category": "lead_direct",
        "rule_id": "R2",
        "policy_clause": "§ 6",
        "policy_version": "test-2023-01-12",
        "anchor_on": date(2024, 12, 31),
        "last_day": date(2025, 12, 31),
        "due_on": date(2026, 1, 1),
        "disposition": "purge",
        "status": "overdue",
        "blocked_by": [],
        "reason": "its clock starts with crm.person:17",
        "as_of": AS_OF,
    }
    return Record(**{**values, **changed})


def ground(rule_id: str, due_on: date | None, *, needs_review: bool = False) -> Ground:
    return Ground(
        column_group="row",
        rule_id=rule_id,
        category=None,
        policy_clause="§ 6",
        anchor_on=None,
        anchor_event=None,
        last_day=None,
        due_on=due_on,
        needs_review=needs_review,
        approved=True,
        wins=False,
    )


def test_a_locked_record_tells_its_key_and_status_and_nothing_else() -> None:
    told = Explanation(record(status="locked")).as_dict()
    assert told == {
        "table": "crm.person",
        "record_key": "17",
        "status": "locked",
        "as_of": AS_OF,
    }


def test_a_listing_keeps_a_locked_record_closed_too() -> None:
    told = Listing("records", (record(), record(status="locked")), 2).as_dict()
    assert told["records"][0]["due_on"] == date(2026, 1, 1)
    assert set(told["records"][1]) == {"table", "record_key", "status", "as_of"}


@pytest.mark.parametrize(
    ("loser", "winner", "because"),
    [
        pytest.param(
            ground("R3", date(2027, 1, 1)),
            ground("ACTIVE", None),
            "no clock runs while an assignment is open",
            id="active comes before all",
        ),
        pytest.param(
            ground("R4", date(2030, 1, 1)),
            ground("R3", date(2026, 1, 1), needs_review=True),
            "a person must decide first",
            id="review comes before a later date",
        ),
        pytest.param(
            ground("R1", date(2026, 1, 1)),
            ground("R2", date(2026, 2, 1)),
            "it ends earlier",
            id="the later end wins",
        ),
        pytest.param(
            ground("R1", date(2026, 1, 1)),
            ground("R2", date(2026, 1, 1)),
            "it ends on the same day as R2, which is named first",
            id="the closer tie wins on one day",
        ),
    ],
)
def test_a_losing_ground_says_why(loser: Ground, winner: Ground, because: str) -> None:
    assert why_lost(loser, winner) == because


@pytest.mark.parametrize(
    ("due_on", "words"),
    [
        (date(2026, 1, 31), "OVERDUE  due 0 days ago, as of 2026-01-31"),
        (date(2026, 1, 30), "OVERDUE  due 1 day ago, as of 2026-01-31"),
        (date(2026, 2, 2), "OVERDUE  due in 2 days, as of 2026-01-31"),
        (None, "OVERDUE  as of 2026-01-31"),
    ],
)
def test_the_headline_counts_the_days(due_on: date | None, words: str) -> None:
    assert headline(record(due_on=due_on)) == words


def test_blockers_are_named_in_words() -> None:
    assert blocker_words("hold:subject") == "legal hold on the person"
    assert blocker_words("restriction:record") == "restriction (art. 18) on the record"
    assert (
        blocker_words("request:crm.rights_request")
        == "a pending rights request in crm.rights_request"
    )
