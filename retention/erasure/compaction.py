"""Rewriting tables so that no file holds what was purged from them.

Belongs here: the order of the steps, whose turn it is, and trying again. Does not belong here: which
tables wait (`pending`), and whether one was rewritten, which the database says of its own files.

VACUUM FULL writes a table, its TOAST and its indexes anew, cannot run in a transaction, and lets nobody
read meanwhile: so each table is a step of its own, behind the lock that a batch holds, and gives way
after a moment to whoever uses the table. What an open transaction may still see would be copied along;
such a table waits too. Killed at any instant, a table is as it was or rewritten, and counts once its run
has ended.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.types.json import Jsonb

from retention.classify import today
from retention.erasure import server_files
from retention.erasure.pending import Arguments, Table, arguments, missing_rights
from retention.erasure.statistics import forget_old
from retention.errors import Refused
from retention.ledger.failures import REFUSED, safe_errors
from retention.policy import in_force, load_versions
from retention.settings import Settings
from retention.warehouse.connection import connect

Connection = psycopg.Connection[Any]

DEFAULT_WAIT_SECONDS = 60.0

_TURN_WAIT_MS = 5_000
# Shorter than deadlock_timeout: where somebody and we wait for each other, we are the one to give up.
_TABLE_WAIT_MS = 700
_PAUSE_SECONDS = 1.0

_PURGING = "a purge or a classification is going on: wait for it to end"
_IN_USE = "it was in use for as long as was waited"
_NOT_TRIED = "the run was stopped before it"
_NO_ROOM = "the disk has no room for a second copy of it"


@dataclass(frozen=True)
class Left:
    """A table that was not rewritten, and why."""

    table: str
    why: str


@dataclass(frozen=True)
class Compaction:
    """What a run did; `compaction_id` and `entry_id` are None where nothing waited, `unowned_files` where
    this login may not look for files that a crash left behind."""

    compaction_id: int | None
    entry_id: int | None
    rewritten: tuple[str, ...]
    left: tuple[Left, ...]
    checkpointed: bool
    unowned_files: int | None

    @property
    def is_whole(self) -> bool:
        """True where no file is known to be left that may hold what was purged."""
        return not self.left and not self.unowned_files


def compact(settings: Settings, *, wait_seconds: float = DEFAULT_WAIT_SECONDS) -> Compaction:
    """Rewrite every table that lost rows or values under a rule of a category that is erased physically.

    A table that is in use is tried again until `wait_seconds` are over. What could not be rewritten is in
    `left`, and waits for the next run. Raises Refused while halted, while a purge or a classification is
    going on, or where this login is no compactor.
    """
    with (
        connect(settings, autocommit=True) as conn,
        safe_errors("rewriting tables"),
    ):
        policy = in_force(load_versions(settings.policy_dir), today())
        asked = arguments(conn, policy)
        deadline = time.monotonic() + wait_seconds
        number = _begin(conn, asked, deadline)
        if number is None:
            return Compaction(None, None, (), (), checkpointed=False, unowned_files=None)
        return _Run(conn, number, deadline).carry_out()


def _begin(conn: Connection, asked: Arguments, deadline: float) -> int | None:
    while True:
        with _turn(conn) as ours:
            if ours:
                row = conn.execute(
                    "select ledger.begin_compaction(%s::text[], %s::text[], %s::text[])",
                    asked,
                ).fetchone()
                assert row is not None
                return row[0] if row[0] is None else int(row[0])
        if time.monotonic() >= deadline:
            raise Refused(_PURGING)
        time.sleep(_PAUSE_SECONDS)


@contextmanager
def _turn(conn: Connection) -> Iterator[bool]:
    """Hold the lock that one batch anywhere holds; False where it is not free."""
    _wait_at_most(conn, _TURN_WAIT_MS)
    try:
        conn.execute("select pg_advisory_lock(ledger.purge_lock())")
    except errors.LockNotAvailable:
        yield False
        return
    try:
        yield True
    finally:
        # A session that is gone holds no lock.
        if not conn.closed and not conn.broken:
            conn.execute("select pg_advisory_unlock(ledger.purge_lock())")


def _wait_at_most(conn: Connection, milliseconds: int) -> None:
    conn.execute("select set_config('lock_timeout', %s, false)", (str(milliseconds),))


class _Run:
    """One run over the tables that waited when it began."""

    def __init__(self, conn: Connection, number: int, deadline: float) -> None:
        self.conn, self.number, self.deadline = conn, number, deadline
        self.tables = [
            Table(*row)
            for row in conn.execute(
                "select * from ledger.tables_of_compaction(%s)", (number,)
            ).fetchall()
        ]
        missing = missing_rights(conn, self.tables)
        self.may = [table for table in self.tables if table not in missing]
        self.left = missing | dict.fromkeys(self.may, _NOT_TRIED)

    def carry_out(self) -> Compaction:
        """Rewrite them all, then the catalogue's statistics of them, and leave the evidence."""
        halted: psycopg.Error | None = None
        try:
            self._rewrite_all([table for table in self.may if table.part != "statistics"])
            self._rewrite_all([table for table in self.may if table.part == "statistics"])
        except psycopg.Error as error:
            if error.sqlstate != REFUSED:
                raise
            halted = error
        done = self._finish()
        if halted is not None:
            raise halted
        return done

    def _rewrite_all(self, tables: list[Table]) -> None:
        """Round by round: who is in the way of one table now may be gone in the next."""
        waiting = tables
        while waiting:
            waiting = self._round(waiting)
            if time.monotonic() >= self.deadline:
                return
            if waiting:
                time.sleep(_PAUSE_SECONDS)

    def _round(self, tables: list[Table]) -> list[Table]:
        """Try each table once; return those that somebody was in the way of."""
        in_the_way: list[Table] = []
        for position, table in enumerate(tables):
            with _turn(self.conn) as ours:
                if not ours:
                    # Nor would the next one come sooner.
                    self.left |= dict.fromkeys(tables[position:], _PURGING)
                    return in_the_way + tables[position:]
                why, passes = self._rewrite(table)
            if why is None:
                del self.left[table]
            else:
                self.left[table] = why
            if passes:
                in_the_way.append(table)
        return in_the_way

    def _rewrite(self, table: Table) -> tuple[str | None, bool]:
        """Rewrite one table. Returns why it does not count, None where it does, and whether that is
        something that passes."""
        holding = self._ask("enter_table", table)
        if holding is not None:
            return holding, True
        _wait_at_most(self.conn, _TABLE_WAIT_MS)
        how = "vacuum (full) {}" if table.part == "statistics" else "vacuum (full, analyze) {}"
        try:
            self.conn.execute(sql.SQL(how).format(table.identifier))
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            return _IN_USE, True
        except errors.DiskFull:
            return _NO_ROOM, False
        if table.part != "statistics":
            forget_old(self.conn, self.number, table)
        return self._ask("leave_table", table), False

    def _ask(self, function: str, table: Table) -> str | None:
        row = self.conn.execute(
            sql.SQL("select {}(%s, %s, %s)").format(sql.Identifier("ledger", function)),
            (self.number, table.schema, table.name),
        ).fetchone()
        assert row is not None
        return row[0] if row[0] is None else str(row[0])

    def _finish(self) -> Compaction:
        reasons = {table.qualified: why for table, why in self.left.items()}
        _wait_at_most(self.conn, _TURN_WAIT_MS)
        checkpointed = server_files.checkpoint(self.conn)
        unowned = server_files.unowned(self.conn)
        row = self.conn.execute(
            "select ledger.finish_compaction(%s, %s, %s, %s, %s)",
            (
                self.number,
                Jsonb(reasons),
                checkpointed,
                server_files.oldest_wal(self.conn),
                unowned,
            ),
        ).fetchone()
        assert row is not None
        return Compaction(
            self.number,
            int(row[0]),
            tuple(table.qualified for table in self.tables if table not in self.left),
            tuple(Left(name, why) for name, why in sorted(reasons.items())),
            checkpointed,
            unowned,
        )
