"""What races against a batch: each test shows that one of the two really waited for the other.

Belongs here: a few of each kind, with a blocker that is in progress when the batch looks. Does not
belong here: blockers that were there before (test_purge.py).

"Wrong" is a row deleted although its blocker had committed, or was in progress, before the batch took
its locks.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
import pytest

from retention import orders
from retention.errors import Refused
from retention.ledger import classifications
from retention.plan import Plan, PlanPreview, create, preview
from retention.purge import PurgeResult, execute, order_objects
from retention.purge.guards import DECIDED, HELD
from retention.purge.live import CHANGED
from retention.warehouse.connection import connect
from tests.factories import Shop

pytestmark = pytest.mark.integration


@contextmanager
def in_background(work: Callable[[], Any]) -> Iterator[Future[Any]]:
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool.submit(work)


def wait_until_blocked(shop: Shop, by: psycopg.Connection[Any]) -> None:
    """Return as soon as some session waits for a lock that `by` holds."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        blocked = shop.one(
            "select count(*) from pg_stat_activity where %s = any(pg_blocking_pids(pid))",
            by.info.backend_pid,
        )
        if blocked:
            return
        time.sleep(0.01)
    pytest.fail("nobody waited: the race did not happen")


HOLDS: dict[str, LiteralString] = {
    "person": "select ledger.place_blocker('hold', 'subject', 'shop.person:1', 'r', 'a')",
    "record": "select ledger.place_blocker('hold', 'record', 'shop.person:1', 'r', 'a')",
    "table": "select ledger.place_blocker('restriction', 'table', 'shop.person', 'r', 'a')",
    "assignment": "select ledger.place_blocker('hold', 'assignment', 'shop.assignment:1', 'r', 'a')",
}


@pytest.mark.parametrize("scope", HOLDS)
def test_a_hold_being_placed_is_waited_for_and_then_heeded(shop: Shop, scope: str) -> None:
    shop.customer(1)
    plan = shop.approved_plan()
    with connect(shop.approver) as placer:
        placer.execute(HOLDS[scope])
        with in_background(lambda: execute(shop.settings, plan.plan_id)) as purge:
            wait_until_blocked(shop, placer)
            placer.commit()
            result: PurgeResult = purge.result(timeout=60)
    assert result.skipped[HELD] > 0
    assert "1" in shop.keys("person")
    assert scope != "assignment" or "1" in shop.keys("assignment")


ORDERING: dict[str, Callable[[Shop, Plan], Any]] = {
    "ordered": lambda shop, plan: order_objects(shop.settings, plan.plan_id),
    "handed over": lambda shop, plan: len(orders.hand_over(shop.settings)),
}


@pytest.mark.parametrize("step", ORDERING)
def test_a_hold_being_placed_is_waited_for_before_a_store_is_told(shop: Shop, step: str) -> None:
    """What a store has deleted, no hold brings back."""
    shop.person(1)
    shop.conn.execute("update shop.recording set object_url = 's3://lyd/1'")
    plan = shop.approved_plan()
    if step == "handed over":
        order_objects(shop.settings, plan.plan_id)
    with connect(shop.approver) as placer:
        placer.execute(HOLDS["person"])
        with in_background(lambda: ORDERING[step](shop, plan)) as told:
            wait_until_blocked(shop, placer)
            placer.commit()
            assert told.result(timeout=60) == 0


def test_a_hold_that_was_given_up_does_not_stop_the_purge(shop: Shop) -> None:
    shop.customer(1)
    plan = shop.approved_plan()
    with connect(shop.approver) as placer:
        placer.execute(HOLDS["person"])
        with in_background(lambda: execute(shop.settings, plan.plan_id)) as purge:
            wait_until_blocked(shop, placer)
            placer.rollback()
            assert purge.result(timeout=60).purged == plan.items


def test_a_hold_that_takes_too_long_stops_the_purge_and_loses_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retention.purge.batch._GUARD_WAIT", 100)
    monkeypatch.setattr("retention.purge.run._PAUSE_SECONDS", 0.01)
    shop.customer(1)
    plan = shop.approved_plan()
    before = shop.rows()
    with connect(shop.approver) as placer:
        placer.execute(HOLDS["person"])
        with pytest.raises(Refused, match="in use for longer"):
            execute(shop.settings, plan.plan_id)
        assert shop.rows() == before
        placer.commit()
    execute(shop.settings, plan.plan_id)
    assert "1" in shop.keys("person")


def test_a_hold_waits_for_the_batch_that_was_first(shop: Shop) -> None:
    """It is then placed on what is left; a person of whom nothing is left has nothing to hold."""
    shop.person(1)
    plan = shop.approved_plan()
    with connect(shop.settings) as blocker:
        # Keeps the batch waiting after it has locked its guards.
        blocker.execute("lock table shop.contact in row exclusive mode")
        with in_background(lambda: execute(shop.settings, plan.plan_id)) as purge:
            wait_until_blocked(shop, blocker)
            with connect(shop.approver) as placer:
                placer.execute("set lock_timeout = '50ms'")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    placer.execute(HOLDS["person"])
            blocker.rollback()
            assert purge.result(timeout=60).purged == plan.items


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_a_hold_placed_at_any_isolation_level_is_heeded(shop: Shop, isolation: str) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    with connect(shop.approver) as placer:
        placer.execute(f"set transaction isolation level {isolation}")
        placer.execute(HOLDS["person"])
        with in_background(lambda: execute(shop.settings, plan.plan_id)) as purge:
            wait_until_blocked(shop, placer)
            placer.commit()
            assert purge.result(timeout=60).purged == 0
    assert shop.keys("person") == {"1"}


def test_a_decision_being_taken_is_waited_for_and_then_heeded(shop: Shop) -> None:
    shop.person(1)
    shop.judge("recording", 1, "review")
    shop.classify()
    decide: LiteralString = (
        "select ledger.decide_review('shop', 'recording', '1', %s, 'r', keep_until => %s)"
    )
    shop.conn.execute(decide, ("purge", None))
    shop.conn.commit()
    shop.judged.clear()
    plan = shop.approved_plan()
    with connect(shop.approver) as decider:
        decider.execute(decide, ("keep", plan.as_of))
        with in_background(lambda: execute(shop.settings, plan.plan_id)) as purge:
            wait_until_blocked(shop, decider)
            decider.commit()
            assert purge.result(timeout=60).skipped[DECIDED] == 1
    assert shop.keys("recording") == {"1"}


LANDINGS: dict[str, LiteralString] = {
    "contact": "insert into shop.contact (id, person_id, kind, occurred_at)"
    " values (900, 1, 'call', now())",
    "mail": "insert into shop.mail (id, from_address, purpose, received_at)"
    " values (900, 'PERSON1@shop.example', 'inquiry', now())",
    "assignment": "insert into shop.assignment (id, person_id, type, state, opened_at,"
    " _fivetran_start, _fivetran_active) values (900, 1, 'advice', 'open', now(), now(), true)",
    "request": "insert into shop.request (id, person_id, state, received_at)"
    " values (900, 1, 'received', now())",
    "re_sync": "update shop.person set email = 'ny@shop.example' where id = 1",
}


@pytest.mark.parametrize("landing", LANDINGS)
def test_what_is_landing_while_the_batch_looks_is_waited_for_and_then_seen(
    shop: Shop, landing: str
) -> None:
    shop.customer(1)
    plan = shop.approved_plan()
    with connect(shop.settings) as loader:
        loader.execute(LANDINGS[landing])
        with in_background(lambda: execute(shop.settings, plan.plan_id)) as purge:
            wait_until_blocked(shop, loader)
            loader.commit()
            result: PurgeResult = purge.result(timeout=60)
    assert result.skipped[CHANGED] >= plan.items - 1
    assert shop.keys("person") == shop.keys("contact") - {"900"} == {"1"}


def test_a_load_that_takes_too_long_stops_the_purge_and_loses_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retention.purge.batch._LANDING_WAIT", 100)
    monkeypatch.setattr("retention.purge.run._PAUSE_SECONDS", 0.01)
    shop.customer(1)
    plan = shop.approved_plan()
    before = shop.rows()
    with connect(shop.settings) as loader:
        loader.execute(LANDINGS["contact"])
        with pytest.raises(Refused, match="in use for longer"):
            execute(shop.settings, plan.plan_id)
        assert shop.rows() == before
        loader.commit()
    execute(shop.settings, plan.plan_id)
    assert "1" in shop.keys("person")


def test_a_loader_waits_for_the_batch_and_never_loses_to_it(shop: Shop) -> None:
    """A deadlock between us and a loader ends with us giving up, not with the loader being killed."""
    shop.customer(1)
    plan = shop.approved_plan()
    with connect(shop.settings) as loader:
        loader.execute(
            "insert into shop.visit (person_id, visited_at, page) values (77, now(), 'x')"
        )
        with in_background(lambda: execute(shop.settings, plan.plan_id)) as purge:
            wait_until_blocked(shop, loader)
            # By now the batch may hold SHARE locks that this waits for, while it waits for us.
            loader.execute(LANDINGS["contact"])
            loader.commit()
            purge.result(timeout=60)
    assert {"1", "900"} <= shop.keys("contact")


def test_a_second_purge_at_once_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retention.purge.executor._TAKEOVER_WAIT", 100)
    shop.person(1)
    plan = shop.approved_plan()
    with connect(shop.settings) as first:
        first.execute("select pg_advisory_xact_lock(ledger.purge_lock())")
        before = shop.rows()
        with pytest.raises(Refused, match="another purge"):
            execute(shop.settings, plan.plan_id)
        assert shop.rows() == before
    assert execute(shop.settings, plan.plan_id).purged == plan.items


def test_two_purges_of_one_plan_double_and_skip_nothing(shop: Shop) -> None:
    for number in range(1, 11):
        shop.person(number)
    plan = shop.approved_plan()

    def insist() -> None:
        for _ in range(200):
            try:
                execute(shop.settings, plan.plan_id, batch_items=1)
            except Refused as refusal:
                if "another purge" not in str(refusal):
                    return

    with ThreadPoolExecutor(max_workers=3) as pool:
        list(pool.map(lambda _: insist(), range(3)))
    assert shop.outcome(plan) == {"purged": plan.items}
    assert shop.one("select count(*) from ledger.tombstones") == plan.items
    assert shop.one("select count(*) from ledger.entries where kind = 'executed'") == 1
    batches = shop.one(
        "select array_agg((body::jsonb ->> 'batch_no')::int order by entry_id)"
        " from ledger.entries where kind = 'batch'"
    )
    assert batches == list(range(1, 11))


def test_a_classification_waits_for_the_batch_and_stops_the_next_one(shop: Shop) -> None:
    shop.person(1)
    shop.person(2)
    plan = shop.approved_plan()
    code = plan.code_hash
    with connect(shop.settings) as blocker:
        blocker.execute("lock table shop.contact in row exclusive mode")
        with in_background(lambda: execute(shop.settings, plan.plan_id, batch_items=1)) as purge:
            wait_until_blocked(shop, blocker)
            with connect(shop.settings) as classifier, ThreadPoolExecutor() as pool:
                begun = pool.submit(classifications.begin, classifier, plan.as_of, code)
                time.sleep(0.3)
                assert not begun.done(), "a classification began in the middle of a batch"
                blocker.rollback()
                begun.result(timeout=60)
            with pytest.raises(Refused, match="a classification is going on"):
                purge.result(timeout=60)
    # Whole cases went or stayed.
    assert all(shop.tables_with(n) in (set(), whole_person(shop)) for n in (1, 2))


def whole_person(shop: Shop) -> set[str]:
    return {"person", "lead", "contact", "mail", "recording", "visit"}


def test_a_plan_that_is_frozen_while_a_hold_is_placed_heeds_it_in_the_end(shop: Shop) -> None:
    """The guard rows that the plan makes collide with the one the hold makes; the plan tries again."""
    shop.person(1)
    shop.classify()
    with connect(shop.approver) as placer:
        placer.execute(HOLDS["person"])
        with in_background(lambda: create(shop.settings)) as freezing:
            wait_until_blocked(shop, placer)
            placer.commit()
            plan: Plan = freezing.result(timeout=60)
    shop.conn.commit()
    seen: PlanPreview = preview(shop.settings)
    assert plan.items == seen.items == 0
    assert plan.waiting == seen.waiting
