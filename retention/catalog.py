"""What the database really holds, compared with what is declared.

Belongs here: reading the catalogue of the landing schemas, and the list of differences. Does not
belong here: the declarations themselves (`retention.declarations`), reading any landing row, and
deciding what a difference leads to; a missing table is set aside by the models, an undeclared one is a
finding (design.md, part 4).

Names of schemas, tables and columns are all that is read: no value of a row can appear in a finding.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg

from retention.declarations import Declarations, TableDeclaration

OUR_SCHEMAS = frozenset({"policy", "staging", "intermediate", "retention", "ledger", "sletteplikt"})
# A replay of a day in the past writes beside today's schemas, under such a suffix.
_REPLAY = re.compile(r"^(policy|staging|intermediate|retention)_as_of_\d{8}$")
# Fivetran adds its own columns to every table; none of them holds what the source sent.
_SYSTEM_PREFIX = "_fivetran_"


class FindingKind(StrEnum):
    """How declaration and database differ."""

    UNDECLARED_TABLE = "undeclared_table"
    UNDECLARED_COLUMN = "undeclared_column"
    MISSING_TABLE = "missing_table"
    MISSING_COLUMN = "missing_column"
    COLUMN_NOT_NULLABLE = "column_not_nullable"


@dataclass(frozen=True, order=True)
class Finding:
    """One difference. `column` is None where it is about the whole table."""

    schema: str
    table: str
    column: str | None
    kind: FindingKind


@dataclass(frozen=True)
class Coverage:
    """The comparison: findings in the order schema, table, column, and the tables set aside.

    A table that is set aside is declared but cannot be read as declared; it has no records.
    """

    findings: tuple[Finding, ...]
    set_aside: tuple[str, ...]
    declared: int
    landed: int

    def of_kind(self, kind: FindingKind) -> tuple[Finding, ...]:
        """The findings of one kind, in their order."""
        return tuple(finding for finding in self.findings if finding.kind is kind)


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


def compare(
    conn: psycopg.Connection[Any],
    declarations: Declarations,
    built: Collection[tuple[str, str]] = (),
) -> Coverage:
    """Compare the landing schemas, without what dbt `built`, with `declarations`; opens no other
    connection, reads no row."""
    landed = landed_columns(conn, built)
    schemas = {schema for schema, _ in landed}
    findings: list[Finding] = []
    set_aside: list[str] = []
    for table in declarations.tables:
        columns = landed.get((table.schema_, table.name))
        if columns is None:
            if not _may_be_absent(table, schemas):
                findings.append(_of_table(table, FindingKind.MISSING_TABLE))
                set_aside.append(table.qualified)
            continue
        missing = sorted(table.columns_declared - columns)
        findings += _of_columns(table, missing, FindingKind.MISSING_COLUMN)
        if set(missing) & set(table.columns_used):
            set_aside.append(table.qualified)
        if _lists_columns(table):
            findings += _of_columns(
                table,
                (c for c in columns - table.columns_declared if not c.startswith(_SYSTEM_PREFIX)),
                FindingKind.UNDECLARED_COLUMN,
            )
    findings += [
        Finding(schema, name, column, FindingKind.COLUMN_NOT_NULLABLE)
        for schema, name, column in not_nullable(
            conn,
            [
                (t.schema_, t.name, column)
                for t in declarations.governed
                for column in t.minimisable
            ],
        )
    ]
    declared = {(table.schema_, table.name) for table in declarations.tables}
    findings += [
        Finding(schema, name, None, FindingKind.UNDECLARED_TABLE)
        for schema, name in landed.keys() - declared
    ]
    return Coverage(
        findings=tuple(sorted(findings, key=_order)),
        set_aside=tuple(sorted(set_aside)),
        declared=len(declarations.tables),
        landed=len(landed),
    )


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


def _may_be_absent(table: TableDeclaration, schemas: set[str]) -> bool:
    """An optional table may be missing; an optional connector may be missing as a whole."""
    return table.optional or (table.schema_optional and table.schema_ not in schemas)


def _lists_columns(table: TableDeclaration) -> bool:
    """An exemption may cover a table whatever its columns; one that lists columns covers those."""
    return not table.exempt or bool(table.columns_declared)


def _of_table(table: TableDeclaration, kind: FindingKind) -> Finding:
    return Finding(table.schema_, table.name, None, kind)


def _of_columns(
    table: TableDeclaration, columns: Iterable[str], kind: FindingKind
) -> list[Finding]:
    return [Finding(table.schema_, table.name, column, kind) for column in columns]


def _order(finding: Finding) -> tuple[str, str, str, str]:
    return (finding.schema, finding.table, finding.column or "", finding.kind)
