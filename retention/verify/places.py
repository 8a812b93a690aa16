"""Where rows of a landing table, or copies of them, can lie.

Belongs here: the landing table itself and the relations of the models, and how a key is written in each.
Does not belong here: what others built downstream (`downstream`), and looking for purged rows (`hits`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from retention.declarations import TableDeclaration

Connection = psycopg.Connection[Any]

_MODEL_SCHEMAS = ("staging", "intermediate", "retention")
# Tables of the ledger that name records which are there; plans name them until they are carried out.
_LEDGER_NAMES = ("column_grounds", "returned_records", "review_decisions")


@dataclass(frozen=True)
class Place:
    """A name, what to select from (as `held`), and the key that lies there as the contract writes it."""

    name: str
    relation: sql.Composable
    key_text: sql.Composable


def landing(conn: Connection, table: TableDeclaration) -> tuple[Place, frozenset[str]] | None:
    """The landing table itself and its columns; None where it or a column of its key is not there."""
    types = dict(
        conn.execute(
            "select a.attname, a.atttypid::regtype::text from pg_catalog.pg_attribute as a"
            " where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped",
            (f'"{table.schema_}"."{table.name}"',),
        ).fetchall()
    )
    if not types.keys() >= set(table.key):
        return None
    relation = sql.Identifier(table.schema_, table.name)
    return Place(table.qualified, relation, written_key(table, types)), frozenset(types)


def places(conn: Connection, table: TableDeclaration) -> Iterator[Place]:
    """Where rows of the table, or copies of them by the models, can lie."""
    if found := landing(conn, table):
        yield found[0]
    models = conn.execute(
        """
        select table_schema, table_name from information_schema.columns
        where (table_schema = any(%s) or table_schema = 'ledger' and table_name = any(%s))
        and column_name in ('source_schema', 'source_table', 'record_key')
        group by table_schema, table_name having count(*) = 3 order by 1, 2
        """,
        (list(_MODEL_SCHEMAS), list(_LEDGER_NAMES)),
    ).fetchall()
    for schema, name in models:
        yield Place(
            f"{schema}.{name}",
            sql.SQL("(select * from {} where source_schema = {} and source_table = {})").format(
                sql.Identifier(schema, name), sql.Literal(table.schema_), sql.Literal(table.name)
            ),
            sql.SQL("held.record_key"),
        )


def written_key(table: TableDeclaration, types: dict[str, str]) -> sql.Composable:
    """The key of a landing row as the contract writes it: one column as text; several as a JSON array
    of strings, timestamps as UTC ISO; a personal key as its salted hash."""
    if table.key_is_personal:
        return sql.SQL(
            "(select encode(sha256(salt || convert_to('key:' || held.{}::text, 'UTF8')), 'hex')"
            " from ledger.link_salt)"
        ).format(sql.Identifier(table.key[0]))
    parts = [_as_text(column, types[column]) for column in table.key]
    if len(parts) == 1:
        return parts[0]
    listed = sql.SQL(" || ',' || ").join(
        sql.SQL("coalesce(to_json({})::text, 'null')").format(part) for part in parts
    )
    return sql.SQL("'[' || {} || ']'").format(listed)


def _as_text(column: str, kind: str) -> sql.Composable:
    name = sql.Identifier(column)
    iso = sql.Literal('YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    if kind == "timestamp with time zone":
        return sql.SQL("to_char(held.{} at time zone 'UTC', {})").format(name, iso)
    if kind == "timestamp without time zone":
        return sql.SQL("to_char(held.{}, {})").format(name, iso)
    if kind == "date":
        return sql.SQL("to_char(held.{}, 'YYYY-MM-DD')").format(name)
    return sql.SQL("held.{}::text").format(name)
