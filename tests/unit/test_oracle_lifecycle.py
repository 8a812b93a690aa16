"""The oracle's decisions on lives, in the stories that requirements §2 tells.

Belongs here: what the oracle must get right before it may judge the models. No database.
Does not belong here: the models' own stories (integration tests).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.oracle.lifecycle import (
    Assignment,
    Life,
    Outcome,
    Start,
    assignment_ground,
    judge_person,
    start_outcome,
)
from tests.oracle.policy import OraclePolicy, read_policy

pytestmark = pytest.mark.unit

D = date.fromisoformat
POLICY_FILE = Path(__file__).parents[2] / "policy" / "lexly-2023-01-12.yaml"
LEAD = Start("R1", D("2023-08-31"))  # ends on 2024-02-29


@pytest.fixture(scope="module")
def policy() -> OraclePolicy:
    return read_policy(POLICY_FILE)


def advice(state: str, opened: str, ended: str | None = None, **more: str) -> Assignment:
    """An assignment of ordinary advice, unless another kind is named."""
    acknowledged = more.get("acknowledged")
    return Assignment(
        event="crm.assignment:1",
        state=state,
        kind=more.get("kind", "ordinary_advice"),
        opened=D(opened),
        ended=D(ended) if ended else None,
        acknowledged=D(acknowledged) if acknowledged else None,
    )


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        pytest.param([], Outcome.NONE, id="nobody-got-in-touch"),
        pytest.param(["2023-08-31"], Outcome.IN_TIME, id="on-the-day-of-the-lead"),
        pytest.param(["2024-02-29"], Outcome.IN_TIME, id="on-the-last-day"),
        pytest.param(["2024-03-01"], Outcome.LATE, id="the-day-after-the-last-day"),
        pytest.param(["2023-08-30"], Outcome.ALREADY, id="the-day-before-the-lead"),
        pytest.param(["2022-08-31"], Outcome.ALREADY, id="relationship-alive-on-its-last-day"),
        pytest.param(["2022-08-30"], Outcome.NONE, id="relationship-lapsed-the-day-before"),
        pytest.param(["2022-08-30", "2024-03-01"], Outcome.LATE, id="lapsed-then-late"),
        pytest.param(["2023-09-01", "2024-03-01"], Outcome.IN_TIME, id="in-time-and-again-later"),
    ],
)
def test_what_becomes_of_a_lead(
    policy: OraclePolicy, contacts: list[str], expected: Outcome
) -> None:
    life = Life(starts=[LEAD], contacts=[D(day) for day in contacts])
    assert start_outcome(LEAD, life, policy) is expected


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        pytest.param(advice("open", "2023-08-30"), Outcome.ALREADY, id="open-before-the-lead"),
        pytest.param(advice("open", "2024-02-29"), Outcome.IN_TIME, id="opened-on-the-last-day"),
        pytest.param(advice("open", "2024-03-01"), Outcome.LATE, id="opened-too-late"),
        pytest.param(
            advice("completed", "2005-01-01", "2010-08-31"), Outcome.ALREADY, id="still-kept"
        ),
        pytest.param(
            advice("completed", "2005-01-01", "2010-08-29"), Outcome.NONE, id="kept-no-more"
        ),
        pytest.param(advice("draft", "2023-09-01"), Outcome.NONE, id="a-draft-is-nothing"),
    ],
)
def test_an_assignment_makes_a_relationship(
    policy: OraclePolicy, assignment: Assignment, expected: Outcome
) -> None:
    life = Life(starts=[LEAD], assignments=[assignment])
    assert start_outcome(LEAD, life, policy) is expected


@pytest.mark.parametrize(
    ("assignment", "last", "needs_review"),
    [
        pytest.param(
            advice("completed", "2010-01-01", "2011-03-15"), "2024-03-15", False, id="completed"
        ),
        pytest.param(
            advice("ended", "2010-01-01", "2011-03-15"), "2024-03-15", False, id="closed-with-date"
        ),
        pytest.param(
            advice("completed", "2010-01-01", "2011-03-16"), "2024-03-18", False, id="on-a-saturday"
        ),
        pytest.param(
            advice("completed", "2010-01-01", "2004-02-29", kind="will"),
            "2024-02-29",
            False,
            id="a-will-from-a-leap-day",
        ),
        pytest.param(
            advice("completed", "2010-01-01", "2011-03-15", acknowledged="2013-03-15"),
            "2026-03-16",
            False,
            id="acknowledged-later",
        ),
        pytest.param(
            advice("completed", "2010-01-01", "2011-03-15", acknowledged="2009-03-15"),
            "2024-03-15",
            False,
            id="acknowledged-before",
        ),
        pytest.param(advice("ended", "2010-01-01"), None, True, id="closed-without-date"),
        pytest.param(
            advice("completed", "2010-01-01", "2011-03-15", kind="legacy_misc"),
            None,
            True,
            id="type-not-in-the-policy",
        ),
        pytest.param(
            advice("completed", "2010-01-01", "2011-03-15", kind="dispute"),
            "2024-03-15",
            True,
            id="period-that-nobody-approved",
        ),
    ],
)
def test_how_long_an_assignment_is_kept(
    policy: OraclePolicy, assignment: Assignment, last: str | None, needs_review: bool
) -> None:
    ground = assignment_ground(assignment, policy)
    assert ground is not None
    assert ground.last == (D(last) if last else None)
    assert ground.needs_review is needs_review


def person(**facts: object) -> Life:
    """Somebody who registered on 2023-08-31 by themselves."""
    return Life(**{"registered": D("2023-08-31"), **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("life", "rule", "last"),
    [
        pytest.param(person(), "R2", "2024-08-31", id="registered-only"),
        pytest.param(
            person(received_via_partner=True), "R1", "2024-02-29", id="via-partner-without-lead"
        ),
        pytest.param(
            person(received_via_partner=True, starts=[Start("R1", D("2023-10-31"))]),
            "R1",
            "2024-04-30",
            id="the-lead-dates-a-partners-person",
        ),
        pytest.param(
            person(starts=[Start("R1", D("2023-10-31")), Start("R1", D("2023-09-01"))]),
            "R2",
            "2024-08-31",
            id="the-latest-ground-wins",
        ),
        pytest.param(
            person(contacts=[D("2023-09-01"), D("2024-01-31")]),
            "R3",
            "2025-01-31",
            id="the-latest-contact-anchors",
        ),
        pytest.param(
            person(
                contacts=[D("2024-01-31")],
                assignments=[advice("completed", "2023-09-01", "2023-10-02")],
            ),
            "R4",
            "2036-10-02",
            id="contact-while-an-assignment-is-kept",
        ),
        pytest.param(
            person(
                contacts=[D("2024-01-31")],
                assignments=[advice("completed", "2009-01-01", "2010-06-01")],
            ),
            "R3",
            "2025-01-31",
            id="contact-after-the-last-assignment-is-over",
        ),
        pytest.param(
            person(
                assignments=[
                    advice("open", "2023-09-01"),
                    advice("completed", "2010-01-01", "2011-03-15"),
                ]
            ),
            "ACTIVE",
            None,
            id="an-open-assignment-beside-an-old-one",
        ),
    ],
)
def test_the_ground_that_wins(
    policy: OraclePolicy, life: Life, rule: str, last: str | None
) -> None:
    winner = judge_person(life, policy).winner
    assert (winner.rule_id, winner.needs_review) == (rule, False)
    assert winner.last == (D(last) if last else None)


def test_a_contact_after_the_period_goes_to_a_person(policy: OraclePolicy) -> None:
    winner = judge_person(person(contacts=[D("2024-09-01")]), policy).winner
    assert (winner.rule_id, winner.needs_review) == ("R3", True)


def test_a_lapsed_relationship_does_not_outlive_the_registration(policy: OraclePolicy) -> None:
    verdict = judge_person(person(contacts=[D("2022-08-30")]), policy)
    assert [ground.rule_id for ground in verdict.grounds] == ["R2"]
