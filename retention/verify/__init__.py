"""Reading back what was purged. Shares no code with the purge.

Belongs here: looking, with queries of its own, whether anything that was purged is still there or came
back, and whether plan, tombstones and evidence tell the same story. Does not belong here: mending what
it finds.

A row is recognised by its token alone: the key of every row that lies in landing or in a relation of
the models is run through the same keyed hash, and met with the tombstones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from retention.declarations import TableDeclaration, load_declarations
from retention.keys import MasterKey, load_keys, refuse_logged_values
from retention.ledger import entries
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.verify import columns
from retention.verify.downstream import candidates, holds_rows
from retention.verify.finding import Finding
from retention.verify.hits import count_hits
from retention.verify.places import places
from retention.verify.story import contradictions
from retention.warehouse.connection import connect
from retention.warehouse.roles import EXAMINER, PURGER

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class ReadBack:
    """The result of a read-back. `checked` counts rows looked at, `returned` those purged once that
    stand there again with a newer anchor: a person who came back is a new record; `column_tombstones`
    those of rows that stay and were minimised; `unmatched` tombstones of either kind whose key was
    destroyed, of which nothing can be said."""

    findings: tuple[Finding, ...]
    checked: int
    tombstones: int
    returned: int
    column_tombstones: int
    unmatched: int


def read_back(settings: Settings, plan_id: UUID | None = None) -> ReadBack:
    """Look for what the plan purged, or for what any plan purged, and leave the result as evidence.

    Raises Refused where the HMAC key is missing, UsageError where a declaration does not hold.
    """
    declarations = load_declarations(settings.declarations_dir)
    with (
        connect(settings, role=EXAMINER, read_only=True) as conn,
        safe_errors("reading back"),
    ):
        refuse_logged_values(conn)
        keys = load_keys(settings, conn).needed
        conn.rollback()
        # One snapshot for every count, so that a load going on cannot make two of them disagree.
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with conn.transaction():
            result = _read_back(conn, declarations.tables, keys, plan_id)
    with connect(settings, role=PURGER) as conn, safe_errors("recording what was read back"):
        _leave_evidence(conn, plan_id, result)
    return result


def _read_back(
    conn: Connection,
    tables: tuple[TableDeclaration, ...],
    keys: Sequence[MasterKey],
    plan_id: UUID | None,
) -> ReadBack:
    buried = dict(
        conn.execute(
            "select source_schema || '.' || source_table, count(*) from ledger.tombstones"
            " where coalesce(plan_id = %s, true) group by 1",
            (plan_id,),
        ).fetchall()
    )
    declared = {table.qualified for table in tables}
    findings: list[Finding] = []
    checked = returned = 0
    for table in tables:
        if table.qualified not in buried or not table.key:
            continue
        what = f"purged rows of {table.qualified} are there"
        for place in places(conn, table):
            rows, hits, newer = count_hits(conn, table, place, keys, plan_id)
            checked += rows
            returned += newer
            if hits:
                findings.append(Finding(place.name, what, hits))
        for candidate in candidates(conn, table, declared):
            rows, hits, newer = count_hits(conn, table, candidate.place, keys, plan_id)
            checked += rows
            if hits and holds_rows(conn, table, candidate):
                returned += newer
                findings.append(Finding(candidate.place.name, what, hits))
    findings += [
        Finding(name, "purged from, but declared no more: it cannot be read back", count)
        for name, count in sorted(buried.items())
        if name not in declared
    ]
    emptied = columns.look(conn, tables, keys, plan_id)
    findings += [*emptied.findings, *contradictions(conn, plan_id)]
    return ReadBack(
        tuple(findings),
        checked + emptied.checked,
        sum(buried.values()),
        returned,
        emptied.tombstones,
        _unmatched(conn, plan_id),
    )


def _unmatched(conn: Connection, plan_id: UUID | None) -> int:
    row = conn.execute(
        """
        select count(*) from (
            select key_id from ledger.tombstones where coalesce(plan_id = %(plan)s, true)
            union all
            select key_id from ledger.column_tombstones where coalesce(plan_id = %(plan)s, true)
        ) as buried
        join ledger.keys as keys
            on keys.kind = 'hmac' and keys.key_id = buried.key_id and keys.destroyed_at is not null
        """,
        {"plan": plan_id},
    ).fetchone()
    assert row is not None
    return int(row[0])


def _leave_evidence(conn: Connection, plan_id: UUID | None, result: ReadBack) -> None:
    row = conn.execute("select session_user").fetchone()
    assert row is not None
    body: dict[str, Any] = {
        "run_by": row[0],
        "checked": result.checked,
        "tombstones": result.tombstones,
        "returned": result.returned,
        "column_tombstones": result.column_tombstones,
        "unmatched": result.unmatched,
        "findings": [{"where": f.where, "what": f.what, "count": f.count} for f in result.findings],
    }
    if plan_id is not None:
        body["plan_id"] = str(plan_id)
    entries.append(conn, "read_back", body)
