"""Looking for a value that the source has corrected, in everything that is held of the person.

Belongs here: what a trace found, and what follows from it. Does not belong here: how one place is searched
(`places`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from retention.declarations import Declarations, load_declarations
from retention.errors import Refused, UsageError
from retention.keys import HmacKeys, load_keys, refuse_logged_values
from retention.ledger.failures import safe_errors
from retention.rights.rectification import places
from retention.rights.rectification.fingerprint import bound, columns_of_kind
from retention.rights.register import as_officer
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import EXAMINER

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Rectification:
    """A value that is corrected, as its last trace left it. `left_over`: rows that hold the old value, by
    schema.table.column; `old_versions`: the same for versions that are over, which is in order;
    `not_searched`: what may hold it and cannot be searched. `ended_at`: when none was left, or somebody
    said why what is left is in order (`accepted_reason`)."""

    rectification_id: UUID
    request_id: UUID
    column: str
    recorded_at: datetime
    corrected_on: date | None
    traced_at: datetime | None
    left_over: dict[str, int]
    old_versions: dict[str, int]
    not_searched: list[str]
    accepted_reason: str | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Traced:
    """What one trace found of one correction."""

    is_corrected: bool
    left_over: dict[str, int]
    old_versions: dict[str, int]
    not_searched: list[str]


def list_(settings: Settings, request_id: UUID | None = None) -> list[Rectification]:
    """The corrections of a request, or of every request, oldest first."""
    with (
        connect(settings, read_only=True) as conn,
        safe_errors("listing the corrections"),
        conn.cursor(row_factory=class_row(Rectification)) as cursor,
    ):
        cursor.execute(
            "select rectification_id, request_id,"
            " concat_ws('.', source_schema, source_table, column_name) as \"column\", recorded_at,"
            " corrected_on, traced_at, left_over, old_versions, not_searched, accepted_reason,"
            " ended_at"
            " from ledger.rectifications_shown where coalesce(request_id = %s, true)"
            " order by recorded_at, rectification_id",
            (request_id,),
        )
        return cursor.fetchall()


def trace(settings: Settings, request_id: UUID) -> list[Rectification]:
    """Look for the old values of a request's corrections that have not ended, record what was found
    as evidence, and return all corrections of the request.

    While the source holds the old value nothing else is searched. Raises UsageError for a request without
    corrections, Refused where the server would write values to its log or the key is not at hand.
    """
    declarations = load_declarations(settings.declarations_dir)
    with (
        connect(settings, role=EXAMINER, read_only=True) as conn,
        safe_errors("tracing a correction"),
    ):
        refuse_logged_values(conn)
        keys = load_keys(settings, conn)
        conn.rollback()
        # One snapshot, so that a load going on cannot make two counts disagree.
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with conn.transaction():
            found = {
                one["rectification_id"]: _traced(conn, settings, declarations, keys, one)
                for one in _going_on(conn, request_id)
            }
    with as_officer(settings, "recording what was traced") as conn:
        for number, one in found.items():
            conn.execute(
                "select ledger.record_trace(%s, %s, %s, %s, %s)",
                (
                    number,
                    one.is_corrected,
                    Jsonb(one.left_over),
                    Jsonb(one.old_versions),
                    Jsonb(one.not_searched),
                ),
            )
    corrections = list_(settings, request_id)
    if not corrections:
        raise UsageError("nothing is corrected on that request: `retention request rectify` first")
    return corrections


def accept(settings: Settings, request_id: UUID, *, reason: str) -> int:
    """End the corrections of a request although the old value is left, for it belongs there: in a message
    that was sent from an address, say. Returns how many.

    Raises UsageError without a reason, Refused while the source holds the old value or nothing was traced.
    """
    with as_officer(settings, "accepting what is left") as conn:
        row = conn.execute(
            "select ledger.accept_left_over(%s, %s)", (request_id, reason)
        ).fetchone()
    assert row is not None
    return int(row[0])


def _going_on(conn: Connection, request_id: UUID) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "select r.rectification_id, r.source_schema || '.' || r.source_table as qualified,"
            " r.record_key, r.column_name, r.kind, r.fingerprint, r.key_id, q.subject_token"
            " from ledger.rectifications as r join ledger.requests as q using (request_id)"
            " where request_id = %s and r.ended_at is null order by r.recorded_at",
            (request_id,),
        ).fetchall()


def _traced(
    conn: Connection,
    settings: Settings,
    declarations: Declarations,
    keys: HmacKeys,
    one: Mapping[str, Any],
) -> Traced:
    key = keys.get(one["key_id"])
    if key is None:
        raise Refused(
            f"the value was recorded under the HMAC key {one['key_id']}, which is not at hand: without"
            " it nothing can be traced"
        )
    tables = {table.qualified: table for table in declarations.governed}
    source = tables.get(one["qualified"])
    if source is None or not source.key:
        raise UsageError(f"{one['qualified']} is not declared with a key any more")
    kind, token = one["kind"], one["subject_token"]
    parameters = {**bound(key, kind), "fingerprint": one["fingerprint"], "token": token}
    if not places.is_corrected(conn, source, one["record_key"], one["column_name"], parameters):
        return Traced(False, {}, {}, [])
    held: list[places.Held] = []
    not_searched: list[str] = []
    lain_in = places.tables_of(conn, token) if token else set()
    for name in sorted(lain_in & tables.keys()):
        if tables[name].key:
            held += places.in_landing(conn, tables[name], kind, parameters)
        elif columns_of_kind(tables[name], kind):
            not_searched.append(name)
    copies = places.copies_with(conn, settings, declarations, kind)
    for copy, columns in copies.found:
        held += places.in_copy(conn, copy, columns, tables, parameters)
    of_kind = {name for name in lain_in & tables.keys() if columns_of_kind(tables[name], kind)}
    not_searched += [name for name, reaches in copies.untraceable.items() if reaches & of_kind]
    return Traced(
        True,
        {one.column: one.rows for one in held if one.rows},
        {one.column: one.old_versions for one in held if one.old_versions},
        sorted(not_searched),
    )
