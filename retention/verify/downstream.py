"""Where others may have copied rows to: any table of the database that nobody declared.

Belongs here: telling, without knowing how a table was made, whether a column of it holds the keys of a
landing table. Does not belong here: the column lineage by which a purge finds its copies; a read-back
that trusted it would miss what it misses.

That a value is the key of a purged row says little where keys are small numbers. So a column counts
only where the row itself speaks for it: its name and a personal column of the table beside it, or
personal values that agree with the landing row of that key, in most rows whose landing row is there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from retention.declarations import TableDeclaration
from retention.verify.places import Place, written_key

Connection = psycopg.Connection[Any]

_NOT_LOOKED_AT = ("ledger", "policy", "sletteplikt", "staging", "intermediate", "retention")
_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_TEXTS = frozenset({"text", "character varying"})
# Kinds of personal data that hardly two persons share.
_TELLING = frozenset(
    {"name", "email", "phone", "national_id", "address", "account_number", "object_pointer"}
)


@dataclass(frozen=True)
class Candidate:
    """A column, or the columns of the key's own names, that may hold keys of a landing table."""

    place: Place
    relation: sql.Identifier
    column: str | None
    texts: tuple[str, ...]
    columns: frozenset[str]


def candidates(
    conn: Connection,
    table: TableDeclaration,
    declared: set[str],
    not_looked_at: Sequence[str] = _NOT_LOOKED_AT,
) -> Iterator[Candidate]:
    """Every place outside landing and the project's own schemas whose columns fit the table's key."""
    own = dict(_columns(conn, (table.schema_, table.name)))
    if not own.keys() >= set(table.key):
        return
    for schema, name in _relations(conn, declared, not_looked_at):
        columns = dict(_columns(conn, (schema, name)))
        relation = sql.Identifier(schema, name)
        texts = tuple(column for column, kind in columns.items() if kind in _TEXTS)
        if len(table.key) > 1:
            if all(columns.get(column) == own[column] for column in table.key):
                place = Place(f"{schema}.{name}", relation, written_key(table, own))
                yield Candidate(place, relation, None, texts, frozenset(columns))
            continue
        (key,) = table.key
        for column, kind in columns.items():
            if _fits(own[key], kind):
                renamed = table.model_copy(update={"key": (column,)})
                place = Place(f"{schema}.{name}", relation, written_key(renamed, {column: kind}))
                yield Candidate(place, relation, column, texts, frozenset(columns))


def holds_rows(conn: Connection, table: TableDeclaration, found: Candidate) -> bool:
    """True where the candidate's hits are rows of the table, and no chance."""
    if found.column is None or table.key_is_personal:
        return True
    named = found.column == f"{table.name}_{table.key[0]}"
    if named and found.columns & table.personal.keys():
        return True
    telling = [column for column, one in table.personal.items() if one.kind in _TELLING]
    agree = [
        sql.SQL("held.{}::text = landed.{}::text").format(
            sql.Identifier(ours), sql.Identifier(theirs)
        )
        for ours in found.texts
        for theirs in telling
    ]
    if not agree:
        return False
    row = conn.execute(
        sql.SQL(
            "select count(*) > 0 and 2 * count(*) filter (where {agree}) >= count(*)"
            " from {held} as held join {landing} as landed on landed.{key}::text = held.{column}::text"
        ).format(
            agree=sql.SQL(" or ").join(agree),
            held=found.relation,
            landing=sql.Identifier(table.schema_, table.name),
            key=sql.Identifier(table.key[0]),
            column=sql.Identifier(found.column),
        )
    ).fetchone()
    return bool(row and row[0])


def _fits(key: str, kind: str) -> bool:
    """True where a column of type `kind` can hold keys of type `key`, written the same way."""
    return kind == key or kind in _TEXTS or (key in _INTEGERS and kind in _INTEGERS)


def _relations(
    conn: Connection, declared: set[str], not_looked_at: Sequence[str]
) -> list[tuple[str, str]]:
    rows = conn.execute(
        """
        select n.nspname, c.relname from pg_catalog.pg_class as c
        join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'm') and not c.relispartition
        and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and n.nspname <> all(%s)
        and n.nspname || '.' || c.relname <> all(%s)
        order by 1, 2
        """,
        (list(not_looked_at), sorted(declared)),
    ).fetchall()
    return [(schema, name) for schema, name in rows]


def _columns(conn: Connection, relation: tuple[str, str]) -> list[tuple[str, str]]:
    return conn.execute(
        "select a.attname, a.atttypid::regtype::text from pg_catalog.pg_attribute as a"
        " join pg_catalog.pg_class as c on c.oid = a.attrelid"
        " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname = %s and c.relname = %s and a.attnum > 0 and not a.attisdropped"
        " order by a.attnum",
        relation,
    ).fetchall()
