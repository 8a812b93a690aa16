"""Two executors of one plan: the later one shuts the earlier one out.

Belongs here: fence numbers, and the sign of life of an executor. Does not belong here: blockers and
landings that race against one batch (test_purge_races.py).
"""

import pytest

from retention.errors import Refused
from retention.ledger import entries
from retention.plan import show
from retention.purge import Pace, execute, executor
from retention.purge import run as purge_run
from retention.warehouse.connection import connect
from tests.factories import Shop
from tests.integration.test_purge_races import in_background, wait_until_blocked

pytestmark = pytest.mark.integration


def test_an_executor_that_was_overtaken_between_batches_can_do_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are whole executors: the second one runs while the first one rests after a batch."""
    for number in (1, 2, 3):
        shop.person(number)
    plan = shop.approved_plan()
    results = []

    def rest(pace: Pace, purged: int) -> None:
        monkeypatch.undo()
        results.append(purged)
        results.append(execute(shop.settings, plan.plan_id, batch_items=1).purged)

    monkeypatch.setattr(Pace, "rest", rest)
    with pytest.raises(Refused, match="was carried out"):
        execute(shop.settings, plan.plan_id, batch_items=1)
    assert results == [plan.items // 3, plan.items]
    assert shop.outcome(plan) == {"purged": plan.items}
    fences = [e.content["fence"] for e in entries.of_plan(shop.conn, plan.plan_id, "batch")]
    assert fences == [1, 2, 2]
    assert show(shop.settings, plan.plan_id).fence == 2


def test_an_orphan_purges_no_row_although_rows_are_left(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Overtaken by one that has only begun, so that nothing but the number tells them apart."""
    for number in (1, 2):
        shop.person(number)
    plan = shop.approved_plan()

    def rest(pace: Pace, purged: int) -> None:
        with connect(shop.settings) as conn:
            executor.begin(conn, plan.plan_id, plan.code_hash, plan.key_id)

    monkeypatch.setattr(Pace, "rest", rest)
    with pytest.raises(Refused, match="taken it over"):
        execute(shop.settings, plan.plan_id, batch_items=1)
    assert shop.outcome(plan) == {"purged": plan.items // 2, "planned": plan.items // 2}
    assert shop.keys("person") == {"2"}


def test_whoever_takes_over_waits_for_the_batch_that_is_going(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The orphan's batch ends with its evidence; the one after it is the other's."""
    # It must still be going when the other one comes, however long that one takes to begin.
    monkeypatch.setattr("retention.purge.batch._LANDING_WAIT", 30_000)
    for number in (1, 2, 3):
        shop.person(number)
    plan = shop.approved_plan()
    with connect(shop.settings) as blocker:
        blocker.execute("lock table shop.contact in row exclusive mode")
        with in_background(lambda: execute(shop.settings, plan.plan_id, batch_items=1)) as orphan:
            wait_until_blocked(shop, blocker)
            with in_background(lambda: execute(shop.settings, plan.plan_id)) as second:
                batch = shop.one(
                    "select pid from pg_locks where locktype = 'advisory' and granted"
                    " and objid = ledger.purge_lock()::bigint::oid"
                )
                with connect(shop.settings) as watcher:
                    _wait_for_a_waiter(watcher, batch)
                blocker.rollback()
                assert second.result(timeout=60).purged == plan.items
            with pytest.raises(Refused, match="another purge"):
                orphan.result(timeout=60)
    batches = entries.of_plan(shop.conn, plan.plan_id, "batch")
    assert [e.content["fence"] for e in batches] == [1, 2]
    assert sum(e.content["purged"] for e in batches) == plan.items


def _wait_for_a_waiter(conn: purge_run.Connection, pid: int) -> None:
    for _ in range(300):
        waits = conn.execute(
            "select exists (select from pg_stat_activity where %s = any(pg_blocking_pids(pid)))",
            (pid,),
        ).fetchone()
        conn.rollback()
        if waits and waits[0]:
            return
        conn.execute("select pg_sleep(0.1)")
    pytest.fail("nobody waited for the batch")


def test_a_refused_start_takes_nothing_over(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    for wrong in ("another code", "another key"):
        with connect(shop.settings) as conn, pytest.raises(Refused):
            executor.begin(
                conn,
                plan.plan_id,
                wrong if wrong.endswith("code") else plan.code_hash,
                wrong if wrong.endswith("key") else plan.key_id,
            )
    assert show(shop.settings, plan.plan_id).fence == 0


def test_an_executor_shows_that_it_is_at_work_and_no_longer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    seen = []

    def rest(pace: Pace, purged: int) -> None:
        with connect(shop.settings) as conn:
            seen.append(executor.is_going(conn))

    monkeypatch.setattr(Pace, "rest", rest)
    with connect(shop.settings) as conn:
        assert not executor.is_going(conn)
    execute(shop.settings, plan.plan_id)
    with connect(shop.settings) as conn:
        assert not executor.is_going(conn)
    assert seen == [True]


def test_no_lock_is_held_while_a_purge_rests(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loads, holds and halts never wait for the pause between two batches."""
    shop.person(1)
    plan = shop.approved_plan()
    held = []

    def sleep(seconds: float) -> None:
        held.extend(
            shop.conn.execute(
                "select mode, relation::regclass::text, objid::text from pg_locks"
                " where pid <> pg_backend_pid() and not (locktype = 'advisory'"
                " and objid = ledger.executor_lock()::bigint::oid)"
                " and database = (select oid from pg_database where datname = current_database())"
            ).fetchall()
        )
        shop.conn.commit()
        slept.append(seconds)

    slept: list[float] = []
    monkeypatch.setattr("retention.purge.pace.time.sleep", sleep)
    execute(shop.settings, plan.plan_id, pace=Pace(rows_per_second=2, pause_seconds=7))
    assert slept == [plan.items / 2 + 7]
    assert held == []
