"""What the database's catalogue says of relations: their kinds, columns and types, and what views read.

Belongs here: reading the catalogue for lineage. Does not belong here: judging what it says.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from retention.lineage.model import Relation

Connection = psycopg.Connection[Any]

_TABLES = ("r", "p")


@dataclass(frozen=True)
class Entry:
    """A relation: what it is (pg_class.relkind), and its columns with their types, in order. `view` is
    the query of a view outside the project's own schemas."""

    kind: str
    columns: dict[str, str]
    view: str | None

    @property
    def is_table(self) -> bool:
        """True where rows lie in it and can be deleted."""
        return self.kind in _TABLES

    @property
    def is_view(self) -> bool:
        return self.kind == "v"


def read_catalogue(conn: Connection) -> dict[Relation, Entry]:
    """Every relation that queries can name, PostgreSQL's own left out."""
    rows = conn.execute(
        """
        select namespaces.nspname, relations.relname, relations.relkind::text,
            array_agg(attributes.attname::text order by attributes.attnum),
            array_agg(format_type(attributes.atttypid, null) order by attributes.attnum),
            case when relations.relkind in ('v', 'm') then pg_get_viewdef(relations.oid) end
        from pg_catalog.pg_class as relations
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace
        join pg_catalog.pg_attribute as attributes on attributes.attrelid = relations.oid
        where relations.relkind in ('r', 'p', 'v', 'm', 'f')
        and attributes.attnum > 0 and not attributes.attisdropped
        and namespaces.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
        group by namespaces.nspname, relations.relname, relations.relkind, relations.oid
        """
    ).fetchall()
    return {
        (schema, name): Entry(kind, dict(zip(columns, types, strict=True)), view)
        for schema, name, kind, columns, types, view in rows
    }


def column_types(conn: Connection, relation: Relation) -> dict[str, str]:
    """The columns of one relation with their types, without a length that would cut a value."""
    rows = conn.execute(
        """
        select attributes.attname, format_type(attributes.atttypid, null)
        from pg_catalog.pg_attribute as attributes
        join pg_catalog.pg_class as relations on relations.oid = attributes.attrelid
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace
        where namespaces.nspname = %s and relations.relname = %s
        and attributes.attnum > 0 and not attributes.attisdropped
        """,
        relation,
    ).fetchall()
    return dict(rows)


def signature(conn: Connection, watched: Iterable[Relation]) -> str:
    """One value of what the relations are and which columns they have; changes when any does."""
    names = sorted(set(watched))
    row = conn.execute(
        """
        select string_agg(concat_ws(' ', quote_ident(namespaces.nspname), quote_ident(relations.relname),
            relations.relkind, quote_ident(attributes.attname), attributes.atttypid), ','
            order by namespaces.nspname, relations.relname, attributes.attnum)
        from unnest(%s::text[], %s::text[]) as watched (schema, name)
        join pg_catalog.pg_namespace as namespaces on namespaces.nspname = watched.schema
        join pg_catalog.pg_class as relations
            on relations.relnamespace = namespaces.oid and relations.relname = watched.name
        join pg_catalog.pg_attribute as attributes on attributes.attrelid = relations.oid
        where attributes.attnum > 0 and not attributes.attisdropped
        """,
        ([schema for schema, _ in names], [name for _, name in names]),
    ).fetchone()
    return hashlib.sha256((row[0] if row and row[0] else "").encode()).hexdigest()
