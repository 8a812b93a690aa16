"""What the database's catalogue says of the landing schemas.

Belongs here: reading names and properties of relations and columns, set-wise. Does not belong here:
the declarations, judging a difference (`compare`), and reading any row.
"""

import re
from collections.abc import Collection, Sequence
from typing import Any

import psycopg

OUR_SCHEMAS = frozenset({"policy", "staging", "intermediate", "retention", "ledger", "sletteplikt"})
# A replay of a day in the past writes beside today's schemas, under such a suffix.
_REPLAY = re.compile(r"^(policy|staging|intermediate|retention)_as_of_\d{8}$")


def is_landing_schema(name: str) -> bool:
    """True where data may land: neither one of our schemas nor PostgreSQL's own."""
    if name in OUR_SCHEMAS or name == "information_schema" or name.startswith("pg_"):
        return False
    return _REPLAY.match(name) is None


def landed_columns(
    conn: psycopg.Connection[Any], built: Collection[tuple[str, str]] = ()
) -> dict[tuple[str, str], frozenset[str]]:
    """Columns of every table, view and foreign table in a landing schema, by schema and table.

    Left out: partitions (their parent speaks for them), what an extension brought along, and `built`,
    the relations that dbt makes: nothing lands there, and their copies are traced (`lineage`).
    """
    rows = conn.execute(
        """
        select namespaces.nspname, relations.relname, array_agg(attributes.attname::text)
        from pg_catalog.pg_class as relations
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace
        left join pg_catalog.pg_attribute as attributes
            on attributes.attrelid = relations.oid
            and attributes.attnum > 0
            and not attributes.attisdropped
        where relations.relkind in ('r', 'p', 'v', 'm', 'f')
        and not relations.relispartition
        and not exists (
            select from pg_catalog.pg_depend as depends
            where depends.classid = 'pg_catalog.pg_class'::regclass
            and depends.objid = relations.oid
            and depends.deptype = 'e'
        )
        group by namespaces.nspname, relations.relname
        """
    ).fetchall()
    return {
        (schema, table): frozenset(column for column in columns if column is not None)
        for schema, table, columns in rows
        if is_landing_schema(schema) and (schema, table) not in built
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
