"""What the database's catalogue says of relations and their columns.

Belongs here: reading names and properties of relations and columns, set-wise. Does not belong here:
the declarations, judging what it says (`states`, `differences`), and reading any row.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from retention.coverage.model import TableName

OUR_SCHEMAS = frozenset({"policy", "staging", "intermediate", "retention", "ledger", "sletteplikt"})
# A replay of a day in the past writes beside today's schemas, under such a suffix.
_REPLAY = re.compile(r"^(policy|staging|intermediate|retention)_as_of_\d{8}$")


@dataclass(frozen=True, slots=True)
class Column:
    """A column's type, as `format_type` writes it, and whether it refuses null."""

    type: str
    not_null: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """What a relation is (pg_class.relkind), its columns in order, and the one it is a partition or an
    inheriting child of; `is_leaving` while it is being detached from that one."""

    kind: str
    columns: Mapping[str, Column]
    parent: TableName | None = None
    is_leaving: bool = False
    is_extensions: bool = False


def is_landing_schema(name: str) -> bool:
    """True where data may land: neither one of our schemas nor PostgreSQL's own."""
    if name in OUR_SCHEMAS or name == "information_schema" or name.startswith("pg_"):
        return False
    return _REPLAY.match(name) is None


def read_relations(conn: psycopg.Connection[Any]) -> dict[TableName, Relation]:
    """Every table, partition, view, materialized view and foreign table of every schema that is not
    PostgreSQL's own, with its columns. Reads no row."""
    rows = conn.execute(
        """
        select namespaces.nspname, relations.relname, relations.relkind::text,
            parents.schema_name, parents.table_name, coalesce(parents.is_leaving, false),
            exists (
                select from pg_catalog.pg_depend as depends
                where depends.classid = 'pg_catalog.pg_class'::regclass
                and depends.objid = relations.oid
                and depends.deptype = 'e'
            ),
            columns.names, columns.types, columns.not_null
        from pg_catalog.pg_class as relations
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace
        left join lateral (
            select parent_schema.nspname as schema_name, parent.relname as table_name,
                inherits.inhdetachpending as is_leaving
            from pg_catalog.pg_inherits as inherits
            join pg_catalog.pg_class as parent on parent.oid = inherits.inhparent
            join pg_catalog.pg_namespace as parent_schema on parent_schema.oid = parent.relnamespace
            where inherits.inhrelid = relations.oid
            order by inherits.inhseqno limit 1
        ) as parents on true
        left join lateral (
            select array_agg(attributes.attname::text order by attributes.attnum) as names,
                array_agg(
                    format_type(attributes.atttypid, attributes.atttypmod) order by attributes.attnum
                ) as types,
                array_agg(attributes.attnotnull order by attributes.attnum) as not_null
            from pg_catalog.pg_attribute as attributes
            where attributes.attrelid = relations.oid
            and attributes.attnum > 0 and not attributes.attisdropped
        ) as columns on true
        where relations.relkind in ('r', 'p', 'v', 'm', 'f')
        and namespaces.nspname <> 'information_schema' and not starts_with(namespaces.nspname, 'pg_')
        """
    ).fetchall()
    return {
        (schema, table): Relation(
            kind,
            {
                name: Column(*facts)
                for name, *facts in zip(names or (), types or (), not_null or (), strict=True)
            },
            (parent_schema, parent) if parent is not None else None,
            is_leaving,
            is_extensions,
        )
        for (
            schema,
            table,
            kind,
            parent_schema,
            parent,
            is_leaving,
            is_extensions,
            names,
            types,
            not_null,
        ) in rows
    }


def not_nullable(
    conn: psycopg.Connection[Any], named: Sequence[tuple[str, str, str]]
) -> list[tuple[str, str, str]]:
    """Those of the columns, named by schema, table and column, that cannot become null, or not without
    changing more: not null by themselves or by their type, generated, part of a key, a constraint, a
    unique index or the partitioning, or read by a generated column."""
    return conn.execute(
        """
        select named.schema_name, named.table_name, named.column_name
        from unnest(%s::text[], %s::text[], %s::text[]) as named (schema_name, table_name, column_name)
        join pg_catalog.pg_namespace as namespaces on namespaces.nspname = named.schema_name
        join pg_catalog.pg_class as relations
            on relations.relnamespace = namespaces.oid and relations.relname = named.table_name
        join pg_catalog.pg_attribute as attributes
            on attributes.attrelid = relations.oid and attributes.attname = named.column_name
        join pg_catalog.pg_type as types on types.oid = attributes.atttypid
        where attributes.attnotnull or types.typnotnull
        or attributes.attgenerated <> '' or attributes.attidentity <> ''
        or exists (
            select from pg_catalog.pg_constraint as constraints
            where constraints.conrelid = relations.oid and attributes.attnum = any(constraints.conkey)
        )
        or exists (
            select from pg_catalog.pg_partitioned_table as partitioned
            where partitioned.partrelid = relations.oid
            and attributes.attnum = any(partitioned.partattrs::int2[])
        )
        or exists (
            select from pg_catalog.pg_depend as depends
            left join pg_catalog.pg_index as indexes on indexes.indexrelid = depends.objid
            left join pg_catalog.pg_attrdef as expressions on expressions.oid = depends.objid
            where depends.refclassid = 'pg_catalog.pg_class'::regclass
            and depends.refobjid = relations.oid and depends.refobjsubid = attributes.attnum
            and (
                (depends.classid = 'pg_catalog.pg_class'::regclass and indexes.indisunique)
                or (
                    depends.classid = 'pg_catalog.pg_attrdef'::regclass
                    and expressions.adnum <> attributes.attnum
                )
            )
        )
        """,
        tuple(list(column) for column in zip(*named, strict=True)) or ([], [], []),
    ).fetchall()
