"""How a hold ends: never by itself, by confirming it until later or releasing it, with or without R4
beginning anew.

Belongs here: the days of a hold and what its release does to the period. Does not belong here: placing
one (test_holds.py), and what the models make of it (test_holds_classified.py).
"""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from retention import findings, holds
from retention.errors import Refused, UsageError
from retention.ledger import entries
from retention.purge import execute
from retention.purge.reclassified import STANDS_FOR_OTHERS
from retention.warehouse.connection import connect
from tests.factories import Shop
from tests.integration.test_holds import guards
from tests.integration.test_purge_races import in_background, wait_until_blocked

pytestmark = pytest.mark.integration

LAW = "foreldelsesloven § 14"
ACKNOWLEDGED = "a claim was acknowledged since the classification"


def today(shop: Shop) -> date:
    day: date = shop.one("select ledger.today()")
    return day


def let_pass(shop: Shop, blocker_id: UUID, days: int = 1) -> None:
    """As if the hold's day had been so many days ago."""
    shop.conn.execute(
        "update ledger.blockers set from_on = ledger.today() - 90, until_on = ledger.today() - %s"
        " where blocker_id = %s",
        (days, blocker_id),
    )
    shop.conn.commit()


def past_its_day(shop: Shop) -> list[str]:
    found = findings.holds_past_their_day(shop.conn)
    shop.conn.commit()
    assert {one.kind for one in found} <= {"hold_past_its_day"}
    return [one.message for one in found]


def restart(day: date) -> holds.Restart:
    return holds.Restart(LAW, day)


@pytest.fixture
def classified(shop: Shop) -> Shop:
    shop.customer(1)
    shop.customer(2)
    shop.classify()
    return shop


# --- past its day ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["hold", "restriction"])
def test_a_hold_past_its_day_holds_on_and_is_a_finding(classified: Shop, kind: Any) -> None:
    placed = classified.hold("subject", "shop.person:1", kind=kind, until_on=today(classified))
    assert past_its_day(classified) == [], "its day is not over"
    let_pass(classified, placed)
    (message,) = past_its_day(classified)
    assert f"{kind} {placed} on a person is past its day" in message
    assert "confirm it" in message
    (shown,) = holds.list_(classified.settings)
    assert shown.is_past_its_day
    plan = classified.plan()
    execute(classified.settings, classified.approve(plan).plan_id)
    assert "1" in classified.keys("person")
    assert classified.keys("recording") == {"1"}


def test_confirming_it_ends_the_finding_and_leaves_evidence(classified: Shop) -> None:
    placed = classified.hold("table", "shop.mail", until_on=today(classified))
    let_pass(classified, placed)
    later = today(classified) + timedelta(days=30)
    holds.confirm(classified.approver, placed, until_on=later, reason="Kari Nordmann appealed")
    assert past_its_day(classified) == []
    (shown,) = holds.list_(classified.settings)
    assert (shown.until_on, shown.is_past_its_day) == (later, False)
    assert guards(classified) == {"table:shop.mail": 1}
    body = classified.one("select body from ledger.entries where kind = 'blocker_confirmed'")
    assert '"confirmed_by":"approver"' in body
    assert f'"until_on":"{later}"' in body
    assert "Kari" not in body
    assert classified.one("select reason from ledger.blocker_confirmations") is not None


def test_releasing_it_ends_the_finding_and_the_hold(classified: Shop) -> None:
    placed = classified.hold("table", "shop.mail", until_on=today(classified))
    let_pass(classified, placed)
    assert holds.release(classified.settings, placed) == 0
    assert past_its_day(classified) == []
    assert guards(classified) == {}


@pytest.mark.parametrize(
    ("days", "reason", "words"),
    [(-1, "r", "has not passed"), (5, "r", "give a later day"), (9, " ", "needs a reason")],
)
def test_what_confirms_nothing_is_refused(
    classified: Shop, days: int, reason: str, words: str
) -> None:
    until = today(classified) + timedelta(days=5)
    placed = classified.hold("table", "shop.mail", until_on=until)
    with pytest.raises(UsageError, match=words):
        holds.confirm(
            classified.settings,
            placed,
            until_on=today(classified) + timedelta(days=days),
            reason=reason,
        )
    assert holds.list_(classified.settings)[0].until_on == until


def test_neither_a_lock_nor_what_was_released_is_confirmed(classified: Shop) -> None:
    later = today(classified) + timedelta(days=5)
    lock = classified.hold("table", "shop.mail", kind="lock", until_on=today(classified))
    released = classified.hold("table", "shop.mail")
    holds.release(classified.settings, released)
    with pytest.raises(UsageError, match="a lock ends with its hindrance"):
        holds.confirm(classified.settings, lock, until_on=later, reason="r")
    with pytest.raises(Refused, match="released before"):
        holds.confirm(classified.settings, released, until_on=later, reason="r")
    with pytest.raises(UsageError, match="no such blocker"):
        holds.confirm(classified.settings, UUID(int=1), until_on=later, reason="r")


def test_a_hold_from_a_later_day_holds_from_when_it_is_placed(classified: Shop) -> None:
    """Who says today that a claim begins next month means that nothing of it goes until then either."""
    placed = classified.hold(
        "subject", "shop.person:1", from_on=today(classified) + timedelta(days=30)
    )
    assert [one.blocker_id for one in holds.list_(classified.settings)] == [placed]
    plan = classified.plan()
    execute(classified.settings, classified.approve(plan).plan_id)
    assert classified.keys("recording") == {"1"}


# --- R4 begins anew ----------------------------------------------------------------------------


def test_a_release_alone_begins_nothing_anew(classified: Shop) -> None:
    placed = classified.hold("assignment", "shop.assignment:1")
    assert holds.release(classified.settings, placed) == 0
    assert classified.one("select count(*) from ledger.assignment_restarts") == 0
    assert classified.plan().items == 20


def test_a_restart_keeps_the_case_until_it_is_classified_and_no_other(classified: Shop) -> None:
    """The classification that stands does not know of it: what it calls overdue stays all the same."""
    placed = classified.hold("assignment", "shop.assignment:1")
    assert holds.release(classified.settings, placed, restart=restart(today(classified))) == 1
    assert guards(classified) == {}
    plan = classified.plan()
    assert plan.waiting == {ACKNOWLEDGED: 10}
    execute(classified.settings, classified.approve(plan).plan_id)
    assert classified.tables_with(1) >= {"person", "recording", "assignment", "document", "party"}
    assert classified.tables_with(2) == set()


def test_a_restart_after_the_approval_is_skipped(classified: Shop) -> None:
    plan = classified.approve(classified.plan())
    placed = classified.hold("subject", "shop.person:1")
    holds.release(classified.settings, placed, restart=restart(today(classified)))
    execute(classified.settings, plan.plan_id)
    assert classified.tables_with(1) >= {"person", "recording", "assignment", "document", "party"}
    assert classified.tables_with(2) == set()
    assert classified.outcome(plan)[STANDS_FOR_OTHERS] == 10


@pytest.mark.parametrize("held_when_planned", [False, True])
def test_a_restart_that_is_being_written_is_waited_for_and_then_heeded(
    shop: Shop, held_when_planned: bool
) -> None:
    """Also where only records of the person were planned, and none of the assignment's."""
    shop.customer(1)
    shop.classify()
    if held_when_planned:
        placed = shop.hold("assignment", "shop.assignment:1")
    plan = shop.approve(shop.plan())
    if not held_when_planned:
        placed = shop.hold("assignment", "shop.assignment:1")
    before = shop.rows()
    with connect(shop.approver) as releaser:
        releaser.execute("select ledger.release_blocker(%s, %s, ledger.today())", (placed, LAW))
        with in_background(lambda: execute(shop.settings, plan.plan_id)) as purge:
            wait_until_blocked(shop, releaser)
            releaser.commit()
            assert purge.result(timeout=60).purged == 0
    assert shop.rows() == before


def test_once_classified_the_restart_is_a_fact_like_another(classified: Shop) -> None:
    placed = classified.hold("assignment", "shop.assignment:1")
    holds.release(classified.settings, placed, restart=restart(today(classified)))
    # The models give it a later day; here the factory says so.
    classified.overdue.discard(1)
    classified.classify()
    plan = classified.plan()
    assert plan.waiting == {}
    assert plan.items == 10


def test_a_day_before_the_completion_changes_nothing(classified: Shop) -> None:
    placed = classified.hold("assignment", "shop.assignment:1")
    holds.release(classified.settings, placed, restart=restart(date(2001, 1, 1)))
    assert classified.plan().items == 20


def test_the_release_of_a_persons_hold_restarts_each_completed_assignment(shop: Shop) -> None:
    shop.customer(1)
    shop.add("assignment", id=8, person_id=1)
    shop.add("assignment", id=9, person_id=1, state="open")
    shop.customer(2)
    shop.classify()
    placed = shop.hold("subject", "shop.person:1")
    day = today(shop) - timedelta(days=3)
    assert holds.release(shop.settings, placed, restart=restart(day)) == 2
    rows = shop.conn.execute(
        "select assignment_id, restarted_on, law, blocker_id from ledger.assignment_restarts order by 1"
    ).fetchall()
    shop.conn.commit()
    assert rows == [(f"shop.assignment:{n}", day, LAW, placed) for n in (1, 8)]
    body = shop.one("select body from ledger.entries where kind = 'blocker_released'")
    assert '"restarted_assignments":2' in body
    assert f'"restarted_on":"{day}"' in body


@pytest.mark.parametrize(
    ("scope", "target", "kind"),
    [
        ("record", "shop.document:1", "hold"),
        ("table", "shop.assignment", "hold"),
        ("assignment", "shop.assignment:1", "restriction"),
    ],
)
def test_only_a_hold_on_an_assignment_or_a_person_restarts(
    classified: Shop, scope: Any, target: str, kind: Any
) -> None:
    placed = classified.hold(scope, target, kind=kind)
    with pytest.raises(UsageError, match="only the release of a hold on an assignment or a person"):
        holds.release(classified.settings, placed, restart=restart(today(classified)))
    assert guards(classified), "it stands as before"


def test_a_restart_needs_a_law_a_day_that_has_come_and_a_completed_assignment(shop: Shop) -> None:
    shop.customer(1)
    shop.person(2)
    shop.add("assignment", id=9, person_id=2, state="open")
    shop.classify()
    held = shop.hold("assignment", "shop.assignment:1")
    still_open = shop.hold("assignment", "shop.assignment:9")
    with pytest.raises(UsageError, match="give both"):
        holds.release(shop.settings, held, restart=holds.Restart("  ", today(shop)))
    with pytest.raises(UsageError, match="day to come"):
        holds.release(shop.settings, held, restart=restart(today(shop) + timedelta(days=1)))
    with pytest.raises(UsageError, match="no completed assignment"):
        holds.release(shop.settings, still_open, restart=restart(today(shop)))
    assert shop.one("select count(*) from ledger.assignment_restarts") == 0
    assert len(holds.list_(shop.settings)) == 2


def test_a_restart_is_forgotten_with_the_last_record_of_its_assignment(classified: Shop) -> None:
    placed = classified.hold("assignment", "shop.assignment:1")
    holds.release(classified.settings, placed, restart=restart(date(2001, 1, 1)))
    plan = classified.approve(classified.plan())
    execute(classified.settings, plan.plan_id)
    assert classified.keys("document") == set()
    assert classified.one("select count(*) from ledger.assignment_restarts") == 0
    assert entries.of_plan(classified.conn, plan.plan_id, "executed")
