"""Where a person's value may lie: the landing tables, all versions, and the copies downstream.

Belongs here: counting the rows of one place that hold a fingerprint. Does not belong here: whether that is
in order (`trace`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from retention.declarations import Declarations, TableDeclaration
from retention.lineage import Downstream, find_lineage
from retention.lineage.catalogue import column_types, read_catalogue, read_functions
from retention.lineage.landing import LandingColumns
from retention.lineage.manifest import read_manifest
from retention.lineage.personal import PersonalColumns
from retention.purge.delete import same_key
from retention.purge.downstream import is_of_record
from retention.rights.rectification.fingerprint import columns_of_kind, holds
from retention.settings import Settings

Connection = psycopg.Connection[Any]

# Where dbt writes that a version in a snapshot is over.
_SNAPSHOT_END = "dbt_valid_to"
_TRUE = "('true', 't', 'yes', '1')"

# The person's records as the last classification has them, by every name that a copy may use.
_RECORDS = sql.SQL(
    "record as materialized (select source_schema, source_table, record_key, case_id, subject_id,"
    " subject_token::text as subject_token, assignment_id from intermediate.int_record_cases"
    " where subject_token = %(token)s)"
)


@dataclass(frozen=True)
class Held:
    """Rows of the person in which one column holds the value: those in force, and versions that are
    over."""

    column: str
    rows: int
    old_versions: int


def is_corrected(
    conn: Connection,
    table: TableDeclaration,
    record_key: str,
    column: str,
    parameters: Mapping[str, Any],
) -> bool:
    """True where no row in force of the same entity holds the value; also where the row is gone."""
    same = sql.SQL(" and ").join(
        sql.SQL("landed.{0} is not distinct from own.{0}").format(sql.Identifier(name))
        for name in table.entity_columns
    )
    row = conn.execute(
        sql.SQL(
            "with own as (select landed.* from (values (%(record_key)s::text)) as record (record_key)"
            " join {landing} as landed on {by_key})"
            " select exists (select from {landing} as landed join own on {same} where {holds}"
            " and not {is_over})"
        ).format(
            landing=sql.Identifier(table.schema_, table.name),
            by_key=same_key(conn, table),
            same=same,
            holds=holds("landed", column),
            is_over=_is_over(table),
        ),
        {**parameters, "record_key": record_key},
    ).fetchone()
    return not (row and row[0])


def in_landing(
    conn: Connection, table: TableDeclaration, kind: str, parameters: Mapping[str, Any]
) -> Iterator[Held]:
    """The rows of the person in one landing table, soft-deleted ones and every version included."""
    types = column_types(conn, (table.schema_, table.name))
    columns = [column for column in columns_of_kind(table, kind) if column in types]
    if not columns or not types.keys() >= set(table.key):
        return
    found = sql.SQL(
        "select landed.tableoid, landed.ctid, {over} as is_over, {holds} from {landing} as landed"
        " join record on {by_key} where record.source_schema = {schema} and record.source_table = {name}"
    ).format(
        over=_is_over(table),
        holds=_each_holds("landed", columns),
        landing=sql.Identifier(table.schema_, table.name),
        by_key=same_key(conn, table),
        schema=sql.Literal(table.schema_),
        name=sql.Literal(table.name),
    )
    yield from _counted(conn, table.qualified, columns, found, parameters)


def in_copy(
    conn: Connection,
    copy: Downstream,
    columns: list[str],
    tables: Mapping[str, TableDeclaration],
    parameters: Mapping[str, Any],
) -> Iterator[Held]:
    """The rows of the person in one copy downstream, however they are found there."""
    types = column_types(conn, (copy.schema, copy.name))
    over: sql.Composable = sql.SQL("false")
    if _SNAPSHOT_END in types:
        over = sql.SQL("copy.{} is not null").format(sql.Identifier(_SNAPSHOT_END))
    # A row that several keys lead to counts once: `union` leaves the second out.
    found = sql.SQL(" union ").join(
        sql.SQL(
            "select copy.tableoid, copy.ctid, {over} as is_over, {holds} from {copy} as copy"
            " join record on {of_record}"
        ).format(
            over=over,
            holds=_each_holds("copy", columns),
            copy=copy.identifier,
            of_record=is_of_record(match, tables.get(match.table or ""), types),
        )
        for match in copy.matches
    )
    yield from _counted(conn, copy.qualified, columns, found, parameters)


@dataclass(frozen=True)
class Copies:
    """The copies that hand on columns of a kind, with these; and what no key leads to, by the tables that
    it may hold rows of."""

    found: tuple[tuple[Downstream, list[str]], ...]
    untraceable: Mapping[str, frozenset[str]]


def copies_with(
    conn: Connection, settings: Settings, declarations: Declarations, kind: str
) -> Copies:
    """What lineage knows of columns of that kind downstream.

    Raises Refused where there is no manifest of the last classification."""
    lineage = find_lineage(conn, settings, declarations)
    found: list[tuple[Downstream, list[str]]] = []
    if lineage.copies:
        entries = read_catalogue(conn)
        columns = LandingColumns(entries, read_functions(conn), read_manifest(settings))
        personal = PersonalColumns(declarations, entries)
        for copy in lineage.copies:
            handed = personal.handed_on(columns.of((copy.schema, copy.name)))
            named = sorted({one.column for one in handed if one.kind == kind})
            if named:
                found.append((copy, named))
    return Copies(tuple(found), {one.relation: one.reaches for one in lineage.untraceable})


def tables_of(conn: Connection, token: UUID) -> set[str]:
    """The landing tables in which the person has records."""
    rows = conn.execute(
        "select distinct source_schema || '.' || source_table from intermediate.int_record_cases"
        " where subject_token = %s",
        (token,),
    ).fetchall()
    return {row[0] for row in rows}


def _counted(
    conn: Connection,
    name: str,
    columns: list[str],
    found: sql.Composable,
    parameters: Mapping[str, Any],
) -> Iterator[Held]:
    counts = sql.SQL(", ").join(
        sql.SQL(
            "count(*) filter (where {0} and not is_over), count(*) filter (where {0} and is_over)"
        ).format(sql.Identifier(f"holds_{number}"))
        for number in range(len(columns))
    )
    row = conn.execute(
        sql.SQL("with {}, found as ({}) select {} from found").format(_RECORDS, found, counts),
        parameters,
    ).fetchone()
    assert row is not None
    for number, column in enumerate(columns):
        rows, over = row[2 * number], row[2 * number + 1]
        if rows or over:
            yield Held(f"{name}.{column}", rows, over)


def _each_holds(relation: str, columns: list[str]) -> sql.Composable:
    return sql.SQL(", ").join(
        sql.SQL("{} as {}").format(holds(relation, column), sql.Identifier(f"holds_{number}"))
        for number, column in enumerate(columns)
    )


def _is_over(table: TableDeclaration) -> sql.Composable:
    """The condition that a landing row is a version that another one has followed (history mode)."""
    if table.current_when is None:
        return sql.SQL("false")
    return sql.SQL("not coalesce(lower(landed.{}::text) in " + _TRUE + ", false)").format(
        sql.Identifier(table.current_when)
    )
