"""What stops a compaction, what it waits for, and how it ends when it is killed.

Belongs here: halts, batches, locks and open transactions of others, rights, kills, exit codes. Does not
belong here: what it rewrites (test_erasure.py) and what the files hold (test_erasure_files.py).
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from retention import halts
from retention.erasure.compaction import compact
from retention.errors import Refused, WarehouseError
from retention.ledger import classifications
from retention.purge import execute
from retention.warehouse.connection import connect
from tests.factories import Shop, today
from tests.integration.test_erasure import file_of, level, purged, waits
from tests.integration.test_purge_races import in_background, wait_until_blocked
from tests.logins import Logins

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def gone(shop: Shop) -> Shop:
    """Person 1 was purged, person 2 stays; nothing was rewritten yet."""
    shop.person(1)
    shop.person(2, overdue=False)
    purged(shop)
    return shop


def reasons(shop: Shop, **options: Any) -> dict[str, str]:
    return {one.table: one.why for one in compact(shop.settings, **options).left}


# --- refused -----------------------------------------------------------------------------------


def test_nothing_is_rewritten_while_halted(gone: Shop) -> None:
    before, file = waits(gone), file_of(gone, "shop.person")
    halts.halt(gone.settings, "a reason")
    with pytest.raises(Refused, match="everything that deletes was halted by"):
        compact(gone.settings)
    assert (waits(gone), file_of(gone, "shop.person")) == (before, file)
    halts.resume(gone.approver, "over")
    assert reasons(gone) == {}


def test_a_halt_in_the_middle_lets_the_table_end_and_begins_no_other(gone: Shop) -> None:
    with connect(gone.settings) as reader:
        reader.execute("select from shop.person")
        with in_background(lambda: compact(gone.settings, wait_seconds=30)) as compaction:
            _wait(
                lambda: gone.one("select count(*) from ledger.compacted_tables where files <> '{}'")
            )
            wait_until_blocked(gone, reader)
            halts.halt(gone.settings, "a reason")
            with pytest.raises(Refused, match="halted by"):
                compaction.result(timeout=60)
    (said,) = _evidence(gone)
    assert said["left"]
    assert said["tables"], "what was rewritten before the halt was not kept"
    assert "shop.person" in waits(gone)


def test_a_batch_under_way_is_waited_for_and_then_refused(gone: Shop) -> None:
    with connect(gone.settings) as batch:
        batch.execute("select pg_advisory_xact_lock(ledger.purge_lock())")
        with pytest.raises(Refused, match="a purge or a classification is going on"):
            compact(gone.settings, wait_seconds=0)
        assert gone.one("select count(*) from ledger.compactions") == 0
        with in_background(lambda: compact(gone.settings)) as compaction:
            wait_until_blocked(gone, batch)
            batch.commit()
            assert compaction.result(timeout=60).left == ()


def test_a_batch_waits_for_the_table_that_is_being_rewritten(gone: Shop) -> None:
    gone.person(3)
    plan = gone.approved_plan()
    with connect(gone.settings) as reader:
        reader.execute("select from shop.person")
        with in_background(lambda: compact(gone.settings, wait_seconds=20)) as compaction:
            wait_until_blocked(gone, reader)
            assert gone.one("select pg_try_advisory_lock(ledger.purge_lock())") is False
            reader.commit()
            assert execute(gone.settings, plan.plan_id).purged == plan.items
            assert compaction.result(timeout=60).left == ()
    # What was purged meanwhile is another run's.
    assert "shop.person" in waits(gone)
    assert level(gone, plan) == "logical"


def test_nothing_is_rewritten_while_the_records_are_being_classified(gone: Shop) -> None:
    number = classifications.begin(gone.conn, today(gone.conn), "x")
    with pytest.raises(Refused, match="being classified"):
        compact(gone.settings)
    classifications.finish(gone.conn, number)
    gone.conn.commit()
    assert reasons(gone) == {}


# --- in the way --------------------------------------------------------------------------------


def test_a_table_in_use_is_left_and_said_and_the_others_are_rewritten(gone: Shop) -> None:
    with connect(gone.settings) as reader:
        reader.execute("select from shop.person")
        left = reasons(gone, wait_seconds=0)
    assert left == {"shop.person": "it was in use for as long as was waited"}
    assert waits(gone, "landing", "copy", "ledger") == {"shop.person"}
    done = compact(gone.settings)
    # The catalogue too: renewing the statistics of the table left the old ones there.
    assert set(done.rewritten) == {
        "shop.person",
        "pg_catalog.pg_statistic",
        "pg_catalog.pg_statistic_ext_data",
    }
    assert done.left == ()


def test_rows_that_an_open_transaction_sees_are_not_copied_along(gone: Shop) -> None:
    """VACUUM FULL writes into the new file what somebody may still read: the file would be another, and
    the values in it the same."""
    with connect(gone.settings) as old:
        old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        old.execute("select 1")
        left = reasons(gone, wait_seconds=0)
        assert "shop.person" in left
        assert all(f"(process {old.info.backend_pid})" in why for why in left.values())
    assert waits(gone) == set(left)
    assert reasons(gone) == {}


def test_a_replication_slot_that_keeps_log_only_is_in_nobodys_way(gone: Shop) -> None:
    name = f"slot_{gone.conn.info.dbname}"
    gone.one("select pg_create_physical_replication_slot(%s, true)", name)
    try:
        # Waited for as long as usual: what the server does by itself may be in the way for a moment.
        assert reasons(gone) == {}
    finally:
        gone.conn.execute("select pg_drop_replication_slot(%s)", (name,))
        gone.conn.commit()


# --- rights ------------------------------------------------------------------------------------


def test_a_table_of_somebody_elses_is_left_with_the_grant_that_is_missing(
    gone: Shop, logins: Logins
) -> None:
    login = logins.of("compactor")
    before = file_of(gone, "shop.person")
    done = compact(login)
    left = {one.table: one.why for one in done.left}
    assert {"shop.person", "shop.contact", "pg_catalog.pg_statistic"} <= set(left)
    assert "it belongs to retention: have an administrator run: " in left["shop.person"]
    assert 'grant usage on schema "shop" to "retention_compactor"' in left["shop.person"]
    assert file_of(gone, "shop.person") == before
    if gone.conn.info.server_version >= 170000:
        assert 'grant maintain on "shop"."person" to "retention_compactor"' in left["shop.person"]
        # Migrations and default privileges have seen to our own.
        assert {"ledger.plan_items", "retention.records"} <= set(done.rewritten)
    grant(gone, left)
    again = compact(login)
    assert again.left == ()
    assert waits(gone) == set()
    run_by = {entry["run_by"] for entry in _evidence(gone)}
    assert run_by == {logins.name("compactor")}


def test_the_databases_owner_may_rewrite_all_of_it(gone: Shop, logins: Logins) -> None:
    """In every version of PostgreSQL, without being a superuser or the tables' owner."""
    database = sql.Identifier(gone.conn.info.dbname)
    hand_over = sql.SQL("alter database {} owner to {}")
    login = sql.Identifier(logins.name("compactor"))
    gone.conn.execute("grant usage on schema shop to retention_compactor")
    gone.conn.execute(hand_over.format(database, login))
    gone.conn.commit()
    try:
        done = compact(logins.of("compactor"))
    finally:
        gone.conn.execute(hand_over.format(database, sql.Identifier(gone.conn.info.user)))
        gone.conn.commit()
    assert done.left == ()
    assert "pg_catalog.pg_statistic" in done.rewritten


def grant(shop: Shop, left: Mapping[str, str]) -> None:
    """Do what was asked for, table by table."""
    for why in left.values():
        shop.conn.execute(why.partition("have an administrator run: ")[2].encode())
    shop.conn.commit()


def test_statistics_of_an_empty_table_are_cleared_or_said(shop: Shop, logins: Logins) -> None:
    """ANALYZE renews none of them. From PostgreSQL 18 on whoever may maintain the table clears them, before
    it a superuser does."""
    shop.person(1, overdue=False)
    for email in ("a@shop.example", "b@shop.example"):
        shop.add("objection", email=email)
        key = shop.one("select sletteplikt.link_hash('key', %s)", email)
        shop.judge("objection", key, "overdue")
    shop.conn.execute("analyze shop.objection")
    shop.conn.commit()
    plan = purged(shop)
    assert shop.keys("objection") == set()
    login = logins.of("compactor")
    grant(shop, {one.table: one.why for one in compact(login).left})
    left = {one.table: one.why for one in compact(login).left}
    if shop.conn.info.server_version >= 180000:
        assert left == {}
    else:
        assert left.keys() == {"shop.objection"}
        assert "have a superuser run this" in left["shop.objection"]
        assert level(shop, plan) == "logical"
        assert reasons(shop) == {}
    assert level(shop, plan) == "physical"
    kept = "select count(*) from pg_statistic where starelid = 'shop.objection'::regclass"
    assert shop.one(kept + " and stavalues1 is not null") == 0


def test_a_login_that_is_no_compactor_is_refused(gone: Shop, logins: Logins) -> None:
    with pytest.raises(Refused, match="the login lacks a right"):
        compact(logins.of("planner"))


# --- killed ------------------------------------------------------------------------------------

SLOW = """
create function shop.slowly(value text) returns text immutable language plpgsql
as 'begin perform pg_sleep(0.3); return value; end';
create index slow on shop.contact (shop.slowly(notes));
"""
_REBUILDING = "select pid from pg_stat_progress_cluster where relid = 'shop.contact'::regclass"


@pytest.mark.parametrize("victim", ["server process", "client"])
def test_killed_in_the_middle_a_table_is_whole_and_waits(
    shop: Shop, clean_environment: Mapping[str, str], victim: str
) -> None:
    for number in range(1, 8):
        shop.person(number, overdue=number == 1)
    plan = purged(shop)
    shop.conn.execute(SLOW.encode())
    shop.conn.commit()
    before, waiting = shop.rows(), waits(shop)
    if victim == "client":
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "compact"], env=_environment(shop, clean_environment)
        )
        _wait(lambda: _found(shop, _REBUILDING))
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    else:
        with in_background(lambda: compact(shop.settings)) as compaction:
            _wait(lambda: _found(shop, _REBUILDING))
            shop.one(f"select pg_terminate_backend(pid) from ({_REBUILDING}) as running")
            with pytest.raises(WarehouseError, match="connection to the database was lost"):
                compaction.result(timeout=60)
    assert shop.rows() == before
    # A run that has not finished counts for nothing, whatever it did.
    assert waits(shop) == waiting
    assert _evidence(shop) == []
    assert level(shop, plan) == "logical"
    _wait(lambda: not _found(shop, _REBUILDING))
    shop.conn.execute("drop index shop.slow")
    shop.conn.commit()
    assert reasons(shop) == {}
    assert shop.rows() == before
    assert level(shop, plan) == "physical"


def _found(shop: Shop, query: str) -> bool:
    return bool(shop.one(f"select exists ({query})"))


def _wait(until: Any) -> None:
    deadline = time.monotonic() + 30
    while not until():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def _evidence(shop: Shop) -> list[dict[str, Any]]:
    rows = shop.conn.execute(
        "select body from ledger.entries where kind = 'compaction' order by entry_id"
    ).fetchall()
    shop.conn.commit()
    return [json.loads(row[0]) for row in rows]


# --- the command -------------------------------------------------------------------------------


def _environment(shop: Shop, clean: Mapping[str, str]) -> dict[str, str]:
    named = {name: value for name, value in shop.settings.as_environment().items() if value}
    return {**clean, **named, "NO_COLOR": "1", "PYTHONPATH": str(Path.cwd())}


def test_the_commands_exit_codes(gone: Shop, clean_environment: Mapping[str, str]) -> None:
    def command(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "compact", *arguments],
            env=_environment(gone, clean_environment), capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    halts.halt(gone.settings, "a reason")
    code, said = command()
    assert (code, said.count("\n")) == (3, 1)
    assert re.search(r"halted by \w+", said)
    halts.resume(gone.approver, "over")
    with connect(gone.settings) as reader:
        reader.execute("select from shop.person")
        code, said = command("--wait", "0")
    assert code == 1
    assert "shop.person" in said
    assert "in use" in said
    code, said = command("--json")
    assert code == 0
    assert "shop.person" in json.loads(said)["rewritten"]
    assert command() == (0, "Nothing waits to be rewritten.\n")
