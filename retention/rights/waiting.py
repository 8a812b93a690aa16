"""What of the requests waits for the job: landed and not in the register, decided and not classified since.

Belongs here: looking for it, in landing as it is now. Does not belong here: doing it, and starting the job.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import psycopg
from psycopg import errors

from retention.declarations import TableDeclaration, load_declarations
from retention.declarations.staging import live_sql
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import EXAMINER

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Waiting:
    """How many requests wait for which reason. `mark` is another one where other requests do, and tells
    nothing of them."""

    landed: int
    decided: int
    mark: str

    def __bool__(self) -> bool:
        return bool(self.landed or self.decided)


def look(settings: Settings) -> Waiting:
    """Look now. A table that does not have the declared columns is passed over: that it drifted is found
    elsewhere, and its requests hold by their rows."""
    declarations = load_declarations(settings.declarations_dir)
    with (
        connect(settings, role=EXAMINER, read_only=True) as conn,
        safe_errors("looking for requests that wait"),
    ):
        landed = [_landed(conn, table) for table in declarations.governed if table.request]
        decided, marked = _decided(conn)
    marks = [*(mark for _, mark in landed), marked]
    return Waiting(
        landed=sum(number for number, _ in landed),
        decided=decided,
        mark=sha256(" ".join(marks).encode()).hexdigest()[:16],
    )


def _landed(conn: Connection, table: TableDeclaration) -> tuple[int, str]:
    statement = f"""
        select count(*), coalesce(md5(string_agg(facts.record_key, ' ' order by facts.record_key)), '')
        from ({live_sql(table)}) as facts
        where facts.is_current and not exists (
            select from ledger.requests as known
            where known.source_schema = facts.source_schema and known.source_table = facts.source_table
            and known.record_key = facts.record_key
        )
        and not exists (
            select from ledger.returned_records as returned
            where returned.source_schema = facts.source_schema
            and returned.source_table = facts.source_table and returned.record_key = facts.record_key
        )
    """  # noqa: S608
    try:
        with conn.transaction():
            row = conn.execute(statement.encode()).fetchone()
    except (errors.UndefinedColumn, errors.UndefinedTable):
        return 0, ""
    assert row is not None
    return int(row[0]), str(row[1])


def _decided(conn: Connection) -> tuple[int, str]:
    """Requests that erase, decided after the last classification began: it did not see the decision, and
    without one that did nothing is planned."""
    row = conn.execute(
        """
        select count(*), coalesce(md5(string_agg(request_id::text, ' ' order by request_id)), '')
        from ledger.requests
        where state = 'decided' and asserted in ('erasure', 'withdrawal') and decided_at > coalesce((
            select started_at from ledger.classifications
            where finished_at is not null order by classification_id desc limit 1
        ), '-infinity')
        """
    ).fetchone()
    assert row is not None
    return int(row[0]), str(row[1])
