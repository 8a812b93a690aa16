"""What falls due soon and was not told yet: counts by table, category and day, for an owner by a channel.

Belongs here: asking the ledger, and remembering there what is told. Does not belong here: sending it
(`send`), and when something falls due, which the models and the policy's days of notice say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from retention.declarations import Declarations
from retention.due_notices.channels import Channel
from retention.due_notices.delivery import Failure
from retention.errors import Refused

Connection = psycopg.Connection[Any]

# Whoever sends first may have several slow services to wait for.
_WAIT = "120s"


@dataclass(frozen=True)
class Line:
    """So many records of a table and category fall due on a day."""

    source_schema: str
    source_table: str
    category: str
    due_on: date
    records: int

    @property
    def table(self) -> str:
        return f"{self.source_schema}.{self.source_table}"


@dataclass(frozen=True)
class Begun:
    """A notice that is remembered and not sent yet. `repeats`: one nobody confirmed may have told it."""

    notice_id: UUID
    repeats: bool


@dataclass(frozen=True)
class Remembered:
    """A notice as the ledger has it."""

    notice_id: UUID
    owner: str
    channel: str
    as_of: date
    state: str
    repeats: bool
    failure: str | None
    begun_at: datetime
    ended_at: datetime | None
    records: int
    first_due_on: date | None
    last_due_on: date | None


def owners(declarations: Declarations) -> Mapping[str, Sequence[str]]:
    """The governed tables of each owner, as the declarations name them."""
    found: dict[str, list[str]] = {}
    for table in declarations.governed:
        found.setdefault(table.owner, []).append(table.qualified)
    return dict(sorted(found.items()))


def untold(conn: Connection, owner: str, channel: str, tables: Sequence[str]) -> tuple[Line, ...]:
    """What a channel has not told the owner of these tables yet, by day. Changes nothing."""
    with conn.cursor(row_factory=class_row(Line)) as cursor:
        return tuple(
            cursor.execute(
                "select source_schema, source_table, category, due_on, records"
                " from ledger.due_untold(%s, %s, %s, %s)",
                (owner, channel, *_names(tables)),
            ).fetchall()
        )


@contextmanager
def only_sender(conn: Connection) -> Iterator[None]:
    """Keep everybody else from sending for the block, after waiting for whoever sends now.

    `conn` commits by itself: a lock that ends with the session outlives no killed process. Raises
    Refused where the other takes too long.
    """
    try:
        with conn.transaction():
            conn.execute("select set_config('lock_timeout', %s, true)", (_WAIT,))
            conn.execute("select pg_advisory_lock(ledger.due_notices_lock())")
    except psycopg.errors.LockNotAvailable:
        raise Refused("another process is sending notices: try again when it has ended") from None
    try:
        yield
    finally:
        conn.execute("select pg_advisory_unlock(ledger.due_notices_lock())")


def begin(
    conn: Connection, owner: str, channel: Channel, tables: Sequence[str]
) -> tuple[Begun, tuple[Line, ...]] | None:
    """Remember that what was not told yet is being told; None where there is nothing."""
    with conn.transaction():
        row = conn.execute(
            "select notice_id, repeats from ledger.begin_due_notice(%s, %s, %s, %s)",
            (owner, channel.name, *_names(tables)),
        ).fetchone()
    if row is None:
        return None
    with conn.cursor(row_factory=class_row(Line)) as cursor:
        lines = cursor.execute(
            "select source_schema, source_table, category, due_on, records"
            " from ledger.due_notice_lines where notice_id = %s order by due_on, 1, 2, 3",
            (row[0],),
        ).fetchall()
    return Begun(*row), tuple(lines)


def end(conn: Connection, begun: Begun, failure: Failure | None) -> None:
    """Remember what became of a notice; one that failed has told nothing."""
    with conn.transaction():
        conn.execute("select ledger.end_due_notice(%s, %s)", (begun.notice_id, failure))


def latest(conn: Connection, most: int = 100) -> list[Remembered]:
    """The latest notices, newest first."""
    with conn.cursor(row_factory=class_row(Remembered)) as cursor:
        return cursor.execute(
            "select notice_id, owner, channel, as_of, state, repeats, failure, begun_at, ended_at,"
            " coalesce(sum(records), 0)::bigint as records, min(due_on) as first_due_on,"
            " max(due_on) as last_due_on"
            " from ledger.due_notices left join ledger.due_notice_lines using (notice_id)"
            " group by notice_id order by begun_at desc, notice_id limit %s",
            (most,),
        ).fetchall()


def _names(tables: Sequence[str]) -> tuple[list[str], list[str]]:
    parts = [name.split(".", 1) for name in tables]
    return [schema for schema, _ in parts], [table for _, table in parts]
