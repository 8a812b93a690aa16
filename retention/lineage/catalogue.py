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
_RUN_QUERIES = frozenset(
    {
        *("dblink", "dblink_fetch", "dblink_get_result", "crosstab", "crosstabn", "connectby"),
        *("query_to_xml", "table_to_xml", "schema_to_xml", "database_to_xml", "cursor_to_xml"),
        *("query_to_xml_and_xmlschema", "table_to_xml_and_xmlschema", "ts_stat"),
    }
)


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
    with conn.transaction():
        # PostgreSQL writes a view's query without the schemas that this session looks into by itself.
        before = conn.execute("select current_setting('search_path')").fetchone()
        conn.execute("select set_config('search_path', 'pg_catalog', true)")
        rows = _relations(conn)
        conn.execute("select set_config('search_path', %s, true)", before)
    return {
        (schema, name): Entry(kind, dict(zip(columns, types, strict=True)), view)
        for schema, name, kind, columns, types, view in rows
    }


def _relations(conn: Connection) -> list[Any]:
    return conn.execute(
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


@dataclass(frozen=True)
class Standing:
    """A relation, its kind and owner, and the relations that it reads as a view, through views too."""

    relation: Relation
    kind: str
    owner: str
    reads: frozenset[Relation]


def read_standing(conn: Connection) -> list[Standing]:
    """Every relation that stands for itself: no partition, and nothing that an extension brought."""
    rows = conn.execute(
        """
        with recursive reads as (
            select rules.ev_class as view_id, depends.refobjid as read_id
            from pg_catalog.pg_rewrite as rules
            join pg_catalog.pg_depend as depends
                on depends.classid = 'pg_catalog.pg_rewrite'::regclass and depends.objid = rules.oid
                and depends.refclassid = 'pg_catalog.pg_class'::regclass
                and depends.refobjid <> rules.ev_class
        ),
        read_by as (
            select * from reads
            union
            select read_by.view_id, reads.read_id
            from read_by join reads on reads.view_id = read_by.read_id
        )
        select namespaces.nspname, relations.relname, relations.relkind::text,
            pg_get_userbyid(relations.relowner),
            array(
                select array[read_schemas.nspname::text, found.relname::text]
                from read_by
                join pg_catalog.pg_class as found on found.oid = read_by.read_id
                join pg_catalog.pg_namespace as read_schemas on read_schemas.oid = found.relnamespace
                where read_by.view_id = relations.oid
            )
        from pg_catalog.pg_class as relations
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace
        where relations.relkind in ('r', 'p', 'v', 'm', 'f') and not relations.relispartition
        and namespaces.nspname <> 'information_schema' and namespaces.nspname !~ '^pg_'
        and not exists (
            select from pg_catalog.pg_depend as depends
            where depends.classid = 'pg_catalog.pg_class'::regclass
            and depends.objid = relations.oid and depends.deptype = 'e'
        )
        """
    ).fetchall()
    return [
        Standing((schema, name), kind, owner, frozenset((read[0], read[1]) for read in reads))
        for schema, name, kind, owner, reads in rows
    ]


def read_functions(conn: Connection) -> frozenset[str]:
    """Names of functions that may read tables by themselves: those that somebody wrote and did not declare
    immutable, and the ones that run a query given as text. Ours read nothing that lands."""
    rows = conn.execute(
        """
        select distinct lower(functions.proname)
        from pg_catalog.pg_proc as functions
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = functions.pronamespace
        join pg_catalog.pg_language as languages on languages.oid = functions.prolang
        where namespaces.nspname not in ('pg_catalog', 'information_schema', 'sletteplikt', 'ledger')
        and languages.lanname not in ('c', 'internal') and functions.provolatile <> 'i'
        """
    ).fetchall()
    return frozenset(name for (name,) in rows) | _RUN_QUERIES


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
