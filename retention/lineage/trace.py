"""Which relations hold copies of records, and by which keys their rows are found.

Belongs here: judging a relation by where its columns come from. Does not belong here: following the
columns (`columns`), and what a plan or a purge makes of the judgement.

A relation none of whose columns comes from a personal column or a key holds no copy. One whose rows
show the key of each record that they were made of is traced. Any other may hold what no key leads to.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from retention.coverage import not_nullable
from retention.declarations import Declarations
from retention.lineage.catalogue import Entry, read_catalogue, read_functions, signature
from retention.lineage.columns import Columns
from retention.lineage.manifest import Manifest, Node
from retention.lineage.model import (
    SCHEMAS,
    SNAPSHOT_COLUMNS,
    Downstream,
    Lineage,
    Match,
    Relation,
    Untraceable,
    names_records,
)
from retention.lineage.origins import NOTHING, CannotFollow, Shape
from retention.lineage.rows import Found, Judge, Problem

Connection = psycopg.Connection[Any]


def trace(
    conn: Connection, manifest: Manifest, nodes: Sequence[Node], declarations: Declarations
) -> Lineage:
    """Judge what the nodes made, as the catalogue is now."""
    return _Tracer(conn, manifest, declarations).lineage(nodes)


class _Tracer:
    def __init__(self, conn: Connection, manifest: Manifest, declarations: Declarations) -> None:
        self._conn = conn
        self._manifest = manifest
        self._entries = read_catalogue(conn)
        types = {relation: entry.columns for relation, entry in self._entries.items()}
        tables = {(table.schema_, table.name): table for table in declarations.governed}
        self._governed = {relation: table.qualified for relation, table in tables.items()}
        self._minimisable = {table.qualified for table in tables.values() if table.nullable}
        named = {
            relation
            for relation, entry in self._entries.items()
            if relation[0] in SCHEMAS and names_records(frozenset(entry.columns))
        }
        self._roots = frozenset((tables.keys() & types.keys()) | named)
        self._columns = Columns(self._roots, self._queries(), types, read_functions(conn))
        staging = {("staging", table.staging_model): table.qualified for table in tables.values()}
        self._judge = Judge(tables, staging, types, self._reach_of)

    def lineage(self, nodes: Sequence[Node]) -> Lineage:
        copies: list[Downstream] = []
        untraceable: list[Untraceable] = []
        fixed: list[Untraceable] = []
        shown: list[Untraceable] = []
        watched = [node.relation for node in nodes if node.relation not in self._roots]
        for relation in sorted(set(watched)):
            entry = self._entries.get(relation)
            if entry is None:
                continue
            matches, problems, stuck = self._judged(self._manifest.by_relation[relation], entry)
            if entry.is_view:
                shown += _summed_up(relation, problems)
                continue
            if matches and not entry.is_table:
                problems.append(Problem("it is no table: build it as one", self._of(matches)))
            elif matches:
                copies.append(Downstream(*relation, _merged(matches)))
            untraceable += _summed_up(relation, problems)
            fixed += _summed_up(relation, stuck)
        return Lineage(
            tuple(copies),
            tuple(untraceable),
            tuple(watched),
            signature(self._conn, watched),
            tuple(fixed),
            tuple(shown),
        )

    def _judged(self, node: Node, entry: Entry) -> tuple[list[Match], list[Problem], list[Problem]]:
        """What finds its rows, what is found by nothing, and what cannot be made null in them."""
        try:
            if node.sql is None:
                raise CannotFollow(node.why)
            shapes = [
                Shape({name: one for name, one in shape.items() if name in entry.columns})
                for shape in self._columns.shapes(node.relation)
            ]
        except CannotFollow as reason:
            return [], [Problem(str(reason), self._reach(node))], []
        judged = [self._judge.of(node.relation, shape) for shape in shapes]
        problems = [problem for _, of_shape in judged for problem in of_shape]
        unknown = entry.columns.keys() - {*SNAPSHOT_COLUMNS}.union(*shapes)
        if unknown and not any(found for found, _ in judged):
            names = ", ".join(sorted(unknown))
            problems.append(Problem(f"its SQL does not make {names}", self._reach(node)))
        matches: list[Match] = []
        found_in = [(shape, found) for shape, (found, _) in zip(shapes, judged, strict=True)]
        for position, (shape, found) in enumerate(found_in):
            others = found_in[:position] + found_in[position + 1 :]
            for one in found:
                match = _told_apart(one, shape, others)
                if match is None:
                    why = "the same column holds keys of several tables"
                    problems.append(Problem(why, self._of([one.match])))
                elif entry.is_table and self._rows_without_key(node.relation, one, match):
                    why = "rows in it have lost their key: build it anew (--full-refresh)"
                    problems.append(Problem(why, self._of([match])))
                else:
                    matches.append(match)
        return matches, problems, self._stuck(node.relation, found_in, unknown)

    def _stuck(
        self,
        relation: Relation,
        found_in: list[tuple[Shape, list[Found]]],
        unknown: set[str],
    ) -> list[Problem]:
        """What keeps the values of minimised columns from being made null in the rows of a relation."""
        problems: list[Problem] = []
        emptied: dict[str, frozenset[str]] = {}
        for position, (_, found) in enumerate(found_in):
            others = found_in[:position] + found_in[position + 1 :]
            for one in found:
                if one.match.table not in self._minimisable:
                    continue
                here = frozenset({one.match.table})
                if one.mixed:
                    names = ", ".join(sorted(one.mixed))
                    problems.append(Problem(f"{names} were made from what stays too", here))
                if unknown:
                    names = ", ".join(sorted(unknown))
                    problems.append(Problem(f"its SQL does not make {names}", here))
                if shared := _shared(one, others):
                    names = ", ".join(sorted(shared))
                    problems.append(Problem(f"{names} hold what stays in other rows", here))
                for column in one.match.nullable:
                    emptied[column] = emptied.get(column, frozenset()) | here
        named = [(*relation, column) for column in emptied]
        problems += [
            Problem(f"{column} cannot become null", emptied[column])
            for _, _, column in not_nullable(self._conn, named)
        ]
        return problems

    def _rows_without_key(self, relation: Relation, found: Found, match: Match) -> bool:
        """True where rows show personal values and not the key beside them: an incremental model keeps
        what it was given before the key was added."""
        if match.kind != "key" or not found.values:
            return False
        # Whoever looks at a plan or the status reads no copy: the database looks for them.
        row = self._conn.execute(
            "select ledger.holds_rows_without_key(%s, %s, %s, %s, %s)",
            (
                *relation,
                [column for _, column in match.columns],
                sorted(found.values),
                Jsonb(dict(match.constants)),
            ),
        ).fetchone()
        return bool(row and row[0])

    def _of(self, matches: list[Match]) -> frozenset[str]:
        """The landing tables that the matches speak of; those of no table speak of all."""
        names = {match.table for match in matches}
        return frozenset(
            self._governed.values() if None in names else {name for name in names if name}
        )

    def _reach(self, node: Node) -> frozenset[str]:
        """The landing tables that a node can hold rows of: by dbt's graph, and by its own words."""
        sources = self._manifest.sources_of(node)
        return frozenset(
            name
            for relation, name in self._governed.items()
            if relation in sources or node.words.issuperset(relation)
        )

    def _reach_of(self, relation: Relation) -> frozenset[str]:
        node = self._manifest.by_relation.get(relation)
        return self._reach(node) if node else frozenset(self._governed.values())

    def _queries(self) -> dict[Relation, str]:
        """The SQL that makes each relation that can be followed further."""
        views = {
            relation: entry.view
            for relation, entry in self._entries.items()
            if entry.view is not None
        }
        models = {node.relation: node.sql for node in self._manifest.nodes if node.sql is not None}
        return {**models, **views}


def _summed_up(relation: Relation, problems: list[Problem]) -> list[Untraceable]:
    """One entry of all that is wrong with a relation, where it reaches any landing table."""
    reaches = frozenset[str]().union(*(problem.reaches for problem in problems))
    why = "; ".join(dict.fromkeys(problem.why for problem in problems))
    return [Untraceable(".".join(relation), why, reaches)] if reaches else []


def _merged(matches: list[Match]) -> tuple[Match, ...]:
    """Each match once, with what any of its like empties."""
    merged: dict[Match, Match] = {}
    for match in matches:
        known = merged.get(match, match)
        merged[match] = replace(
            match,
            emptied=tuple(sorted({*match.emptied, *known.emptied})),
            withdrawn=tuple(sorted({*match.withdrawn, *known.withdrawn})),
        )
    return tuple(sorted(merged.values()))


def _shared(found: Found, others: list[tuple[Shape, list[Found]]]) -> set[str]:
    """Columns to be emptied that hold something else in rows of another shape, found by the same key."""
    shared: set[str] = set()
    for other, found_there in others:
        same = [one.match for one in found_there if one.match == found.match]
        emptied_there = {column for match in same for column in match.nullable}
        if same:
            shared |= {
                column
                for column in found.match.nullable
                if other.get(column, NOTHING).sources and column not in emptied_there
            }
    return shared


def _told_apart(
    found: Found, shape: Shape, others: list[tuple[Shape, list[Found]]]
) -> Match | None:
    """The match with the constants that keep it from rows of other shapes. None where rows of another
    shape hold something else in the same columns and nothing tells them apart."""
    constants: dict[str, str | None] = {}
    for other, found_there in others:
        fields = [other[column] for _, column in found.match.columns if column in other]
        is_null = any(one.is_constant and one.constant is None for one in fields)
        if is_null or found.match in [one.match for one in found_there]:
            continue
        apart = _difference(shape, other)
        if apart is None:
            return None
        constants[apart] = shape[apart].constant
    return replace(found.match, constants=tuple(sorted(constants.items())))


def _difference(shape: Shape, other: Shape) -> str | None:
    """A column that holds one constant in `shape` and another in `other`."""
    for column, one in shape.items():
        theirs = other.get(column)
        if theirs and one.is_constant and theirs.is_constant and one.constant != theirs.constant:
            return column
    return None
