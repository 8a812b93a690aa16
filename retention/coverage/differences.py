"""The differences between what the database holds and what is declared, kind by kind.

Belongs here: one function a kind of difference, from what was compared to findings. Does not belong here:
how bad a difference is and what it sets aside, which the policy says (`judge`). A further kind is a
further function in DIFFERENCES.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import psycopg

from retention.coverage.catalogue import Relation, is_landing_schema, not_nullable
from retention.coverage.model import Covered, Finding, FindingKind, State, TableName
from retention.coverage.renames import column_now, table_now
from retention.coverage.types import read_otherwise
from retention.declarations import Declarations, TableDeclaration
from retention.declarations.parts import Exemption
from retention.detection.model import ColumnName, Detection

#: The kind of an undeclared relation that is no table, by pg_class.relkind.
UNDECLARED = {
    "v": FindingKind.UNDECLARED_VIEW,
    "m": FindingKind.UNDECLARED_MATERIALIZED_VIEW,
    "f": FindingKind.UNDECLARED_FOREIGN_TABLE,
}


@dataclass(frozen=True)
class Compared:
    """Both sides of the comparison, the day as of which dates are judged, and what the last scan said of
    the columns that it looked at."""

    conn: psycopg.Connection[Any]
    declarations: Declarations
    relations: Mapping[TableName, Relation]
    covered: Mapping[TableName, Covered]
    as_of: date
    detected: Mapping[ColumnName, Detection] = field(default_factory=dict)

    def present(self) -> Iterator[tuple[TableDeclaration, Relation]]:
        """The declared tables that are there."""
        for table in self.declarations.tables:
            relation = self.relations.get((table.schema_, table.name))
            if relation is not None:
                yield table, relation


def undeclared_relations(both: Compared) -> Iterator[Finding]:
    """What nobody declared: a schema as a whole where nothing of it is declared or built, else each
    relation. A partition's parent speaks for it."""
    known = {table.schema_ for table in both.declarations.tables}
    known |= {one.schema for one in both.covered.values() if one.state is State.BUILT}
    unknown: dict[str, list[TableName]] = {}
    for name, one in both.covered.items():
        if one.state is State.FINDING and one.part_of is None:
            unknown.setdefault(one.schema, []).append(name)
    for schema, names in unknown.items():
        if schema in known:
            for name in names:
                kind = UNDECLARED.get(both.relations[name].kind, FindingKind.UNDECLARED_TABLE)
                yield Finding(*name, None, kind, _seems_to_hold(both, [name]))
        else:
            number = f"{len(names)} {'relation' if len(names) == 1 else 'relations'}"
            seems = _seems_to_hold(both, names)
            detail = f"{number}, {seems}" if seems else number
            yield Finding(schema, None, None, FindingKind.UNDECLARED_SCHEMA, detail)


def undeclared_columns(both: Compared) -> Iterator[Finding]:
    """Columns of declared tables that are neither declared, nor exempt, nor a connector's own."""
    for table, _ in both.present():
        for column, state in both.covered[table.schema_, table.name].columns.items():
            if state is State.FINDING:
                seems = _seems_to_hold(both, [(table.schema_, table.name)], column)
                yield _of(table, FindingKind.UNDECLARED_COLUMN, column, seems)


def missing(both: Compared) -> Iterator[Finding]:
    """Declared tables and columns that are not there. An optional table whose rows decide about others is
    missing once it was there: without it, what it kept would fall due."""
    landed = {
        schema
        for (schema, _), one in both.covered.items()
        if one.state is not State.BUILT and is_landing_schema(schema)
    }
    gone = _seen_before(both.conn, [t for t in both.declarations.tables if t.is_fact])
    for table in both.declarations.tables:
        name = (table.schema_, table.name)
        relation = both.relations.get(name)
        if relation is not None:
            states = both.covered[name].columns.items()
            undeclared = [column for column, state in states if state is State.FINDING]
            for column in sorted(table.columns_declared - relation.columns.keys()):
                found = _of(table, FindingKind.MISSING_COLUMN, column)
                yield replace(found, renamed_to=column_now(column, undeclared))
        elif name in gone or not _may_be_absent(table, landed):
            found = _of(table, FindingKind.MISSING_TABLE)
            yield replace(found, renamed_to=table_now(table, both.covered, both.relations))


def changed_types(both: Compared) -> Iterator[Finding]:
    """Columns that the classification reads and that may read otherwise than they did; and columns of
    another type than the declared one of which nothing depends on that."""
    changed = read_otherwise(both.conn, (table for table, _ in both.present()))
    for table, relation in both.present():
        otherwise = changed.get(table.qualified, {})
        for column, declared in table.types.items():
            landed = relation.columns.get(column)
            if landed is not None and landed.type != declared and column not in otherwise:
                detail = f"{landed.type}, declared as {declared}"
                yield _of(table, FindingKind.TYPE_DIFFERS, column, detail)
        for column, detail in otherwise.items():
            yield _of(table, FindingKind.TYPE_CHANGED, column, detail)


def stuck_columns(both: Compared) -> Iterator[Finding]:
    """Columns that are to be minimised and cannot become null."""
    named = [
        (table.schema_, table.name, column)
        for table in both.declarations.governed
        for column in table.nullable
    ]
    for schema, name, column in not_nullable(both.conn, named):
        yield Finding(schema, name, column, FindingKind.COLUMN_NOT_NULLABLE)


def differing_partitions(both: Compared) -> Iterator[Finding]:
    """Declared tables with a partition, or an inheriting table, that is not as they are: the declaration
    speaks of what it does not know."""
    differ: dict[TableName, list[str]] = {}
    for (schema, name), one in both.covered.items():
        if one.part_of is None or one.state not in (State.DECLARED, State.EXEMPT):
            continue
        part, whole = both.relations[schema, name], both.relations[one.part_of]
        reasons = list(_differences(part, whole))
        if reasons:
            differ.setdefault(one.part_of, []).append(f"{schema}.{name}: {', '.join(reasons)}")
    for whole_name, partitions in differ.items():
        detail = "; ".join(sorted(partitions))
        yield Finding(*whole_name, None, FindingKind.PARTITION_DIFFERS, detail)


def past_exemptions(both: Compared) -> Iterator[Finding]:
    """Exemptions of tables and columns that were to be looked at by now. They stay in force."""
    for table, relation in both.present():
        exempt: list[tuple[str | None, Exemption]] = [
            (column, exemption)
            for column, exemption in table.exempt_columns.items()
            if column in relation.columns
        ]
        if table.exempt:
            exempt.append((None, table.exempt))
        for column, exemption in exempt:
            if exemption.is_past(both.as_of):
                yield Finding(
                    table.schema_,
                    table.name,
                    column,
                    FindingKind.EXEMPTION_PAST_DATE,
                    detail=exemption.appointment,
                    since=exemption.review_on,
                )


def harmless_that_seems_personal(both: Compared) -> Iterator[Finding]:
    """Columns declared to hold no personal data whose sampled values say otherwise: harmless ones, those
    of exempt tables, and exempt ones past their date. Who declared them knew their names: a name alone
    says nothing new."""
    for table, relation in both.present():
        for column in relation.columns:
            found = both.detected.get((table.schema_, table.name, column))
            if found is None or not found.is_likely or found.found[0].basis == "name":
                continue
            exemption = table.exempt_columns.get(column)
            if exemption.is_past(both.as_of) if exemption else _is_harmless(table, column):
                detail = f"{found.kind}, in {found.found[0].matched} of {found.sampled} values"
                yield _of(table, FindingKind.HARMLESS_SEEMS_PERSONAL, column, detail)


DIFFERENCES: tuple[Callable[[Compared], Iterable[Finding]], ...] = (
    undeclared_relations,
    undeclared_columns,
    missing,
    changed_types,
    stuck_columns,
    differing_partitions,
    past_exemptions,
    harmless_that_seems_personal,
)


def _is_harmless(table: TableDeclaration, column: str) -> bool:
    return column in table.harmless or table.exempt is not None


def _seems_to_hold(
    both: Compared, tables: Sequence[TableName], column: str | None = None
) -> str | None:
    """The kinds that the last scan found there, in words; None where it found none, or did not look."""
    kinds = {
        detection.kind
        for name, detection in both.detected.items()
        if name[:2] in tables and column in (None, name[2]) and detection.is_likely
    }
    return f"seems to hold {', '.join(sorted(filter(None, kinds)))}" if kinds else None


def _may_be_absent(table: TableDeclaration, landed: Collection[str]) -> bool:
    """An optional table may be missing; an optional connector may be missing as a whole."""
    return table.optional or (table.schema_optional and table.schema_ not in landed)


def _seen_before(
    conn: psycopg.Connection[Any], tables: Sequence[TableDeclaration]
) -> set[TableName]:
    rows = conn.execute(
        "select distinct source_schema, source_table from ledger.landing_columns"
        " join unnest(%s::text[], %s::text[]) as named (source_schema, source_table)"
        " using (source_schema, source_table)",
        ([table.schema_ for table in tables], [table.name for table in tables]),
    ).fetchall()
    return {(schema, table) for schema, table in rows}


def _differences(part: Relation, whole: Relation) -> Iterator[str]:
    if part.is_leaving:
        yield "is being detached"
    if part.kind == "f":
        yield "its rows lie in a foreign table"
    for name, column in part.columns.items():
        if column != whole.columns.get(name):
            yield f"column {name}"


def _of(
    table: TableDeclaration,
    kind: FindingKind,
    column: str | None = None,
    detail: str | None = None,
) -> Finding:
    return Finding(table.schema_, table.name, column, kind, detail)
