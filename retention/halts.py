"""The kill switch: one for everything that deletes, wherever it runs.

Belongs here: halting, resuming, and asking whether it is halted. Does not belong here: the guard itself;
every batch asks the database behind its lock (`ledger.enter_plan`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
from psycopg import errors, sql
from psycopg.rows import class_row

from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect, connect_as_approver, is_embedded

Connection = psycopg.Connection[Any]

_COLUMNS = sql.SQL("halted_at, halted_by, reason, resumed_at, resumed_by, resume_reason")


@dataclass(frozen=True)
class Halt:
    """One use of the switch; in force until it is resumed."""

    halted_at: datetime
    halted_by: str
    reason: str
    resumed_at: datetime | None
    resumed_by: str | None
    resume_reason: str | None

    def __str__(self) -> str:
        """Who, when and why, in one line."""
        at = self.halted_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
        return f"halted by {self.halted_by} at {at}: {self.reason}"


def halt(settings: Settings, reason: str) -> Halt:
    """Stop everything that deletes, as the login of this connection; committed when it returns.

    A batch that has begun goes on to its end: `wait_for_quiet` waits for it. Raises Refused where it is
    halted already, UsageError without a reason.
    """
    with connect(settings) as conn, safe_errors("halting"):
        return _one(conn, "select {} from ledger.halt(%s)", reason)


def wait_for_quiet(settings: Settings, seconds: int) -> bool:
    """Wait until nothing destructive is going on any more, at most so long; False: a batch still is.

    After a halt no batch passes its gate, so that one that is going is the last.
    """
    with connect(settings) as conn, safe_errors("waiting for the batch that is going"):
        conn.execute("select set_config('lock_timeout', %s, true)", (f"{seconds}s",))
        try:
            conn.execute("select pg_advisory_xact_lock(ledger.purge_lock())")
        except errors.LockNotAvailable:
            conn.rollback()
            return False
    return True


def resume(settings: Settings, reason: str) -> Halt:
    """End the halt, as an approver. In the embedded warehouse that is its second login: whoever runs
    the demonstration holds both, and nobody else could end a halt there.

    Raises Refused where nothing is halted or this login is no approver, UsageError without a reason.
    """
    opened = connect_as_approver(settings) if is_embedded(settings) else connect(settings)
    with opened as conn, safe_errors("resuming"):
        return _one(conn, "select {} from ledger.resume(%s)", reason)


def in_force(conn: Connection) -> Halt | None:
    """The halt that is in force, None where there is none."""
    with conn.cursor(row_factory=class_row(Halt)) as cursor:
        standing = sql.SQL("select {} from ledger.halts where resumed_at is null")
        cursor.execute(standing.format(_COLUMNS))
        return cursor.fetchone()


def _one(conn: Connection, query: LiteralString, reason: str) -> Halt:
    with conn.cursor(row_factory=class_row(Halt)) as cursor:
        cursor.execute(sql.SQL(query).format(_COLUMNS), (reason,))
        found = cursor.fetchone()
    assert found is not None
    return found
