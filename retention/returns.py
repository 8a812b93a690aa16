"""Recognising rows that were purged and landed again, before the records are classified.

Belongs here: meeting what was written to landing since the last look with the tombstones, and contact
points with the suppression list, before the models are built. Does not belong here: judging whether a row
that came back is a resurrection or a person who returned (the models do), and purging it.

A table is looked at by the transactions that wrote its rows, not by `_fivetran_synced`: a load that
commits late, a table restored from a backup and one without that column are then recognised too. Every
row's header is read; keys are hashed only for rows written since, and only where there are tombstones.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from retention import suppressions
from retention.coverage import compare
from retention.declarations import Declarations, TableDeclaration
from retention.declarations.facts import select_keys
from retention.keys import HmacKeys, has_key, is_needed, load_keys, refuse_logged_values
from retention.ledger.failures import safe_errors
from retention.rights.consent import points
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER
from retention.warehouse.sql import quote_qualified

Connection = psycopg.Connection[Any]

# Transaction numbers are compared on a circle of 2^32; past half of it a comparison says nothing.
_COMPARABLE = 2_000_000_000


@dataclass(frozen=True)
class _Landed:
    """A landing table as a statement reads it: `written` picks the rows written since the last look."""

    declaration: TableDeclaration
    relation: str
    oid: int
    written: str


def recognise(settings: Settings, declarations: Declarations) -> int:
    """Bring `ledger.returned_records` up to date with landing; returns how many rows it gained.

    For a classification as of today, before the models are built. Raises Refused where tombstones
    exist and the key they were made with is not at hand: a row that came back would pass unnoticed.
    """
    found = 0
    with (
        connect(settings, role=CLASSIFIER) as conn,
        safe_errors("recognising what came back"),
    ):
        keys = _keys(settings, conn, declarations)
        set_aside = set(compare(conn, declarations).set_aside)
        _forget_undeclared(conn, declarations)
        conn.commit()
        for table in declarations.governed:
            if table.key and table.qualified not in set_aside:
                with conn.transaction():
                    found += _look_at(conn, table, keys)
        # After the objections that landed, and with those that were decided.
        with conn.transaction():
            if keys is not None:
                points.carry_out_objections(conn, declarations, keys.current, set_aside)
            points.look(conn, declarations, keys, set_aside)
    return found


def _keys(settings: Settings, conn: Connection, declarations: Declarations) -> HmacKeys | None:
    """The keys where there is something to do with them; a fresh warehouse needs none."""
    objections = any(table.objection for table in declarations.governed)
    if not is_needed(conn) and not (objections and has_key(settings)) and not points.decided(conn):
        return None
    refuse_logged_values(conn)
    return load_keys(settings, conn)


def _look_at(conn: Connection, table: TableDeclaration, keys: HmacKeys | None) -> int:
    # Asked before any row is read: what commits meanwhile is looked at again the next time.
    row = conn.execute("select pg_snapshot_xmin(pg_current_snapshot())::text").fetchone()
    landed = _landed(conn, table)
    if row is None or landed is None:
        return 0
    if table.objection:
        if keys is None:
            return 0
        suppressions.record(conn, table, keys.current, landed.written)
    found = _meet_tombstones(conn, landed, keys) if keys else 0
    _forget_gone(conn, landed)
    conn.execute(
        "insert into ledger.returns_looked_for (source_schema, source_table, relation, written_since)"
        " values (%s, %s, %s, %s::xid8) on conflict (source_schema, source_table) do update"
        " set relation = excluded.relation, written_since = excluded.written_since, looked_at = now()",
        (table.schema_, table.name, landed.oid, row[0]),
    )
    return found


def _landed(conn: Connection, table: TableDeclaration) -> _Landed | None:
    """The table as it is now, or None where it is not there."""
    relation = quote_qualified(table.schema_, table.name)
    row = conn.execute(
        """
        select relations.oid, looked.written_since::text,
            relations.relkind in ('r', 'p') and looked.relation = relations.oid
            and pg_snapshot_xmax(pg_current_snapshot())::text::bigint
            - looked.written_since::text::bigint between 0 and %s
        from pg_catalog.pg_class as relations
        left join ledger.returns_looked_for as looked
            on looked.source_schema = %s and looked.source_table = %s
        where relations.oid = to_regclass(%s)
        """,
        (_COMPARABLE, table.schema_, table.name, relation),
    ).fetchone()
    if row is None:
        return None
    oid, since, is_comparable = row
    # The number is the database's own.
    written = f"age(landed.xmin) <= age('{int(since)}'::xid8::xid)" if is_comparable else "true"
    return _Landed(table, relation, oid, written)


def _meet_tombstones(conn: Connection, landed: _Landed, keys: HmacKeys) -> int:
    """Add the rows written since the last look whose token was buried, under whichever key."""
    table = landed.declaration
    names = {"schema": table.schema_, "table": table.name}
    buried = conn.execute(
        "select exists (select from ledger.tombstones"
        " where source_schema = %(schema)s and source_table = %(table)s)",
        names,
    ).fetchone()
    if not (buried and buried[0]):
        return 0
    pads = [key.pads(table.qualified) for key in keys.needed]
    statement = f"""
        with written as (
            {select_keys(table, landed.relation)} where {landed.written}
        ),
        hashed as (
            select distinct record_key, sha256(
                keys.outer_pad || sha256(keys.inner_pad || convert_to(record_key, 'UTF8'))
            ) as token
            from written
            cross join unnest(%(inners)s::bytea[], %(outers)s::bytea[]) as keys (inner_pad, outer_pad)
            where record_key is not null
        )
        insert into ledger.returned_records (
            source_schema, source_table, record_key, anchor_on, own_on, rule_id, plan_id, purged_at
        )
        select %(schema)s, %(table)s, hashed.record_key, max(tombstones.anchor_on),
            max(tombstones.own_on),
            (array_agg(tombstones.rule_id order by tombstones.purged_at desc))[1],
            (array_agg(tombstones.plan_id order by tombstones.purged_at desc))[1],
            max(tombstones.purged_at)
        from hashed join ledger.tombstones as tombstones on tombstones.token = hashed.token
        where tombstones.source_schema = %(schema)s and tombstones.source_table = %(table)s
        group by hashed.record_key
        on conflict do nothing
    """  # noqa: S608
    bound = {
        **names,
        "inners": [inner for inner, _ in pads],
        "outers": [outer for _, outer in pads],
    }
    return conn.execute(statement.encode(), bound).rowcount


def _forget_gone(conn: Connection, landed: _Landed) -> None:
    """Remove what came back and is no longer in landing: nobody's purge of ours, but gone."""
    table = landed.declaration
    names = (table.schema_, table.name)
    known = conn.execute(
        "select exists (select from ledger.returned_records"
        " where source_schema = %s and source_table = %s)",
        names,
    ).fetchone()
    if not (known and known[0]):
        return
    statement = f"""
        delete from ledger.returned_records as returned
        where source_schema = %s and source_table = %s and not exists (
            select from ({select_keys(table, landed.relation)}) as present
            where present.record_key = returned.record_key
        )
    """  # noqa: S608
    conn.execute(statement.encode(), names)


def _forget_undeclared(conn: Connection, declarations: Declarations) -> None:
    """Forget keys, and how far it was looked at, of tables that are declared or there no more."""
    declared = [table.qualified for table in declarations.governed]
    for name in ("returned_records", "returns_looked_for"):
        conn.execute(
            sql.SQL(
                "delete from {} where source_schema || '.' || source_table <> all(%s) or"
                " to_regclass(quote_ident(source_schema) || '.' || quote_ident(source_table)) is null"
            ).format(sql.Identifier("ledger", name)),
            (declared,),
        )
