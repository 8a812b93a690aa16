"""The kill switch: what it stops, when it says so, and who may end it.

Belongs here: `halt` and `resume` in the engine and as commands. Does not belong here: the other reasons
why a purge is refused (test_purge.py).
"""

import subprocess
import sys
from collections.abc import Mapping

import psycopg
import pytest

from retention import halts
from retention.errors import Refused, UsageError
from retention.ledger import entries
from retention.purge import execute
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.embedded import APPROVER
from tests.factories import Shop
from tests.integration.test_purge_races import in_background, wait_until_blocked

pytestmark = pytest.mark.integration

REASON = "the deadlines look wrong"


def kinds(shop: Shop) -> list[str]:
    rows = shop.conn.execute("select kind from ledger.entries order by entry_id").fetchall()
    shop.conn.commit()
    return [row[0] for row in rows]


def test_nothing_is_purged_while_halted_and_all_of_it_afterwards(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    before = shop.rows()
    placed = halts.halt(shop.settings, REASON)
    assert halts.wait_for_quiet(shop.settings, 5)
    with pytest.raises(Refused) as told:
        execute(shop.settings, plan.plan_id)
    assert str(told.value) == f"everything that deletes is {placed}"
    assert all(part in str(told.value) for part in (placed.halted_by, REASON, "Z: "))
    assert shop.rows() == before
    assert shop.one("select count(*) from ledger.tombstones") == 0

    ended = halts.resume(shop.approver, "they were right")
    assert ended.resumed_by != ended.halted_by
    assert execute(shop.settings, plan.plan_id).purged == plan.items


def test_both_leave_evidence_without_the_words_that_somebody_wrote(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    halts.halt(shop.settings, REASON)
    with pytest.raises(Refused):
        execute(shop.settings, plan.plan_id)
    halts.resume(shop.approver, REASON)
    # Between them the first checkpoint was signed, with a key that was never used before.
    assert kinds(shop)[-4:] == ["halt", "key", "refusal", "resume"]
    (refusal,) = entries.of_plan(shop.conn, plan.plan_id, "refusal")
    assert "was halted by" in refusal.content["reason"]
    bodies = shop.one("select string_agg(body, ' ') from ledger.entries")
    assert REASON not in bodies


def test_a_batch_that_is_going_ends_and_no_other_begins(shop: Shop) -> None:
    for number in (1, 2, 3):
        shop.person(number)
    plan = shop.approved_plan()
    with connect(shop.settings) as blocker:
        # Keeps the first batch waiting behind its gate.
        blocker.execute("lock table shop.contact in row exclusive mode")
        with in_background(lambda: execute(shop.settings, plan.plan_id, batch_items=1)) as purge:
            wait_until_blocked(shop, blocker)
            # Committed before the batch has ended, whose end it then waits for.
            halts.halt(shop.settings, REASON)
            blocker.rollback()
            assert halts.wait_for_quiet(shop.settings, 30)
            gone = shop.one("select count(*) from ledger.tombstones")
            with pytest.raises(Refused, match=REASON):
                purge.result(timeout=60)
    assert 0 < gone < plan.items
    assert shop.one("select count(*) from ledger.tombstones") == gone
    halts.resume(shop.approver, "go on")
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan) == {"purged": plan.items}


def test_it_says_so_where_a_batch_outlasts_the_wait(shop: Shop) -> None:
    halts.halt(shop.settings, REASON)
    with connect(shop.settings) as batch:
        batch.execute("select pg_advisory_xact_lock(ledger.purge_lock())")
        assert not halts.wait_for_quiet(shop.settings, 1)
    assert halts.wait_for_quiet(shop.settings, 1)


def test_only_an_approver_resumes(shop: Shop) -> None:
    """The job's login is a superuser here, which counts for nothing."""
    halts.halt(shop.approver, REASON)
    with pytest.raises(Refused, match="may not resume"):
        halts.resume(shop.settings, REASON)
    with connect(shop.settings, read_only=True) as conn:
        assert halts.in_force(conn) is not None
    halts.resume(shop.approver, REASON)


def test_halting_twice_and_resuming_nothing_are_refused(shop: Shop) -> None:
    with pytest.raises(Refused, match="nothing is halted"):
        halts.resume(shop.approver, REASON)
    with pytest.raises(UsageError, match="needs a reason"):
        halts.halt(shop.settings, "  ")
    halts.halt(shop.settings, REASON)
    with pytest.raises(Refused, match="already"):
        halts.halt(shop.approver, "again")
    with pytest.raises(UsageError, match="needs a reason"):
        halts.resume(shop.approver, "")
    halts.resume(shop.approver, REASON)
    halts.halt(shop.settings, "another day")
    assert shop.one("select count(*) from ledger.halts") == 2


def test_two_halts_at_once_are_one(shop: Shop) -> None:
    with connect(shop.settings) as first:
        first.execute("select ledger.halt('first')")
        with in_background(lambda: halts.halt(shop.settings, "second")) as second:
            wait_until_blocked(shop, first)
            first.commit()
            with pytest.raises(Refused, match="already"):
                second.result(timeout=60)
    assert shop.one("select count(*) from ledger.halts where resumed_at is null") == 1


def test_in_the_embedded_warehouse_the_second_login_resumes(embedded_settings: Settings) -> None:
    assert halts.halt(embedded_settings, REASON).halted_by != APPROVER
    assert halts.resume(embedded_settings, "all is well").resumed_by == APPROVER


def test_the_commands(shop: Shop, clean_environment: Mapping[str, str]) -> None:
    def retention(*arguments: str, login: Settings) -> subprocess.CompletedProcess[str]:
        assert login.database_url is not None
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env={
                **clean_environment,
                "RETENTION_DATABASE_URL": login.database_url,
                "RETENTION_STATE_DIR": str(login.state),
                "NO_COLOR": "1",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    halted = retention("halt", "--reason", REASON, login=shop.settings)
    assert halted.returncode == 0, halted.stderr
    assert halted.stdout == "Halted: nothing destructive is going on any more.\n"
    again = retention("halt", "--reason", REASON, login=shop.settings)
    assert (again.returncode, again.stderr.count("\n")) == (3, 1)
    own = retention("resume", "--reason", REASON, login=shop.settings)
    assert (own.returncode, own.stderr.count("\n")) == (3, 1)
    assert retention("resume", login=shop.approver).returncode == 2
    resumed = retention("resume", "--reason", REASON, login=shop.approver)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.startswith("Resumed by ")
    with connect(shop.settings) as batch:
        batch.execute("select pg_advisory_xact_lock(ledger.purge_lock())")
        late = retention("halt", "--reason", REASON, "--wait", "1", login=shop.settings)
    assert late.returncode == 1
    assert "still going on" in late.stdout


def test_the_switch_cannot_be_reached_around_its_functions(shop: Shop) -> None:
    for statement in (
        "update ledger.halts set resumed_at = now()",
        "delete from ledger.halts",
        "insert into ledger.halts (reason) values ('x')",
    ):
        with connect(shop.settings, role="retention_purger") as conn:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.encode())
            conn.rollback()
