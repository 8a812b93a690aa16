"""Contact points in landing: looked at for marketing, and taken from the rows of who objected.

Belongs here: the SQL that reads contact points from landing, set-wise and with the key bound. Does not
belong here: what is on the suppression list and how it is hashed (`retention.suppressions`).

Runs as the classifier, before the models are built. Values go from landing into hashes inside the database;
none reaches Python.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from retention.declarations import Declarations, TableDeclaration
from retention.declarations.facts import select_with_key
from retention.keys import HmacKeys, MasterKey, take_into_use
from retention.lineage.catalogue import column_types
from retention.suppressions import HASHED
from retention.warehouse.sql import quote_identifier, quote_literal, quote_qualified

Connection = psycopg.Connection[Any]

_KINDS = ("email", "phone")

#: The batch's own tables: rows that go, and rows of which columns become null.
GOING, NULLED = "purge_record", "minimise_record"


def look(
    conn: Connection,
    declarations: Declarations,
    keys: HmacKeys | None,
    set_aside: Collection[str] = (),
) -> int:
    """Say of each contact point in landing whether its owner objected, in the caller's transaction.

    What is not looked at, of a table that is set aside or not declared, is in no list, and no marketing
    model shows it. `keys` may be None only where nobody ever objected. Returns how many points there are.
    """
    conn.execute("delete from ledger.contact_points_checked")
    selects = [
        _points(conn, table) for table in declarations.governed if table.qualified not in set_aside
    ]
    selects = [select for select in selects if select]
    if not selects:
        return 0
    # The current one too: it may have been taken into use by what was suppressed just now.
    used = dict.fromkeys((keys.current, *keys.needed)) if keys else ()
    pads = [key.suppression_pads() for key in used]
    statement = f"""
        insert into ledger.contact_points_checked (link_hash, suppressed)
        select points.link_hash, bool_or(exists (
            select from unnest(%(inners)s::bytea[], %(outers)s::bytea[]) as keys (inner_pad, outer_pad)
            join ledger.suppressions as listed
                on listed.kind = points.kind and listed.token = {HASHED}
        ))
        from (
            select landed.kind, min(landed.value) as value,
                sletteplikt.link_hash(landed.kind, landed.value) as link_hash
            from ({" union all ".join(selects)}) as landed
            group by 1, 3
        ) as points
        where points.link_hash is not null
        group by points.link_hash
    """  # noqa: S608
    bound = {
        "inners": [inner for inner, _ in pads],
        "outers": [outer for _, outer in pads],
    }
    return conn.execute(statement.encode(), bound).rowcount


def carry_out_objections(
    conn: Connection,
    declarations: Declarations,
    key: MasterKey,
    set_aside: Collection[str] = (),
) -> int:
    """Suppress every contact point of the persons whose objections are decided, and say that these are
    carried out, in the caller's transaction. Returns how many requests that were.

    Whose rows are taken is what the last classification says; a row that may be another's is nobody's.
    """
    requests = decided(conn)
    if not requests:
        return 0
    take_into_use(conn, key)
    inner, outer = key.suppression_pads()
    for table in declarations.governed:
        if table.qualified in set_aside:
            continue
        points = _points(conn, table, of_persons=True)
        if not points:
            continue
        statement = f"""
            insert into ledger.suppressions (kind, token, key_id, source_schema, source_table)
            select distinct points.kind, {HASHED}, %(key_id)s, %(schema)s, %(table)s
            from (
                select landed.kind, landed.value
                from ({points}) as landed
                join intermediate.int_record_cases as cases
                    on cases.source_schema = %(schema)s and cases.source_table = %(table)s
                    and cases.record_key = landed.record_key
                where cases.subject_token in (
                    select subject_token from ledger.objections_decided()
                    where request_id = any(%(requests)s)
                )
            ) as points
            cross join (values (%(inner)s::bytea, %(outer)s::bytea)) as keys (inner_pad, outer_pad)
            where sletteplikt.normalised(points.kind, points.value) is not null
            on conflict do nothing
        """  # noqa: S608
        conn.execute(
            statement.encode(),
            {
                "requests": requests,
                "inner": inner,
                "outer": outer,
                "key_id": key.key_id,
                "schema": table.schema_,
                "table": table.name,
            },
        )
    conn.execute("select ledger.end_objections(%s)", (requests,))
    return len(requests)


def forget(conn: Connection, table: TableDeclaration, same_key: sql.Composable, batch: str) -> None:
    """Take the contact points of the rows that a batch erases off the list, before it does: whoever else
    has the same point is looked at by the next classification, and is not written to until then.

    `batch` is the batch's own table, of rows that go or of columns that become null; `same_key` says which
    landing row is whose.
    """
    landed = column_types(conn, (table.schema_, table.name))
    going = set(landed) if batch == GOING else set(table.nullable)
    columns = [
        (kind, name) for kind, name in contact_columns(table) if name in landed and name in going
    ]
    if not columns:
        return
    conn.execute(
        sql.SQL(
            "delete from ledger.contact_points_checked as checked"
            " using {} as landed, pg_temp.{} as record, lateral (values {}) as point (kind, value)"
            " where {} and record.source_schema = {} and record.source_table = {}"
            " and checked.link_hash = sletteplikt.link_hash(point.kind, point.value)"
        ).format(
            sql.Identifier(table.schema_, table.name),
            sql.Identifier(batch),
            sql.SQL(", ").join(
                sql.SQL("({}, landed.{}::text)").format(sql.Literal(kind), sql.Identifier(name))
                for kind, name in columns
            ),
            same_key,
            sql.Literal(table.schema_),
            sql.Literal(table.name),
        )
    )


def decided(conn: Connection) -> list[UUID]:
    """The objections that are decided and not carried out."""
    rows = conn.execute("select request_id from ledger.objections_decided()").fetchall()
    return [row[0] for row in rows]


def _points(conn: Connection, table: TableDeclaration, *, of_persons: bool = False) -> str:
    """The select of `kind` and `value`, with the row's `record_key`, of a table's contact points; empty
    where it has none. `of_persons` leaves out tables whose rows hold other people's points too."""
    if of_persons and not _is_about_its_person(table):
        return ""
    landed = column_types(conn, (table.schema_, table.name))
    columns = [(kind, name) for kind, name in contact_columns(table) if name in landed]
    if not columns:
        return ""
    listed = ", ".join(
        f"({quote_literal(kind)}, keyed.{quote_identifier(name)}::text)" for kind, name in columns
    )
    named = dict.fromkeys(name for _, name in columns)
    keyed = select_with_key(table, quote_qualified(table.schema_, table.name), named)
    return (
        f"select keyed.record_key, points.kind, points.value from ({keyed}) as keyed"  # noqa: S608
        f" cross join lateral (values {listed}) as points (kind, value)"
    )


def contact_columns(table: TableDeclaration) -> list[tuple[str, str]]:
    """The columns of a table that hold e-mail addresses and phone numbers, with their kind."""
    declared = [
        (column.kind, name) for name, column in table.personal.items() if column.kind in _KINDS
    ]
    if table.subject:
        declared += [("email", name) for name in table.subject.email]
        declared += [("phone", name) for name in table.subject.phone]
    return list(dict.fromkeys(declared))


def _is_about_its_person(table: TableDeclaration) -> bool:
    """A person's own row, or one that names its person by key. A message or call that is found by a contact
    point holds the other side's too, and a signatory of a case is somebody else."""
    return bool(table.subject and (table.subject.self_ or table.subject.foreign_key))
