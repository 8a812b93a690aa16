"""What the database really holds, compared with what is declared.

Belongs here: the list of differences. Does not belong here: the declarations themselves
(`retention.declarations`), reading the catalogue (`catalogue`), and deciding what a difference leads to; a
missing table is set aside by the models, an undeclared one is a finding (design.md, part 4).
"""

from collections.abc import Collection, Iterable
from typing import Any

import psycopg

from retention.coverage.catalogue import landed_columns, not_nullable
from retention.coverage.model import Coverage, Finding, FindingKind
from retention.declarations import Declarations, TableDeclaration

# Fivetran adds its own columns to every table; none of them holds what the source sent.
_SYSTEM_PREFIX = "_fivetran_"


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
