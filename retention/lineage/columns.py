"""From which columns of which tables the columns of a relation come.

Belongs here: following columns through common table expressions, joins, stars, unions, subqueries and
other relations, down to tables. Does not belong here: which of these tables matter, and what follows
from it (`trace`).

A query makes rows of one or more shapes: a select makes one, a union those of each of its branches. Told
`as_one`, the branches are one shape and the readings of a table one reading: enough to say which columns a
column comes from (`landing`), and too little to say which rows it came from (`trace`).
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count, repeat

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from retention.lineage.joins import equal_origins
from retention.lineage.model import SNAPSHOT_COLUMNS, Relation
from retention.lineage.origins import (
    NOTHING,
    CannotFollow,
    Field,
    Origin,
    Rows,
    Shape,
    not_too_many,
    told_as_one,
)
from retention.lineage.read_sql import SqlReader
from retention.lineage.values import Types, Values


class Columns:
    """Follows columns down to the tables `roots`. `queries` says which SQL makes a relation, `types`
    which columns a relation has, `functions` which functions may read tables by themselves. `unfollowed`
    says where following ended before a root, and why: only `as_one`, which goes on with the other
    columns; otherwise CannotFollow is raised."""

    def __init__(
        self,
        roots: frozenset[Relation],
        queries: Mapping[Relation, str],
        types: Types,
        functions: frozenset[str] = frozenset(),
        *,
        as_one: bool = False,
    ) -> None:
        self._roots = roots
        self._queries = queries
        self._types = types
        self._functions = functions
        self._known: dict[Relation, list[Shape]] = {}
        self._open: list[object] = []
        self._recursive: dict[int, Shape | None] = {}
        self._readings = repeat(0) if as_one else count()
        self._as_one = as_one
        self.unfollowed: dict[tuple[Relation, str], str] = {}
        self._sql = SqlReader(types)

    def shapes(self, relation: Relation) -> list[Shape]:
        """The shapes of the rows of a relation, for one reading of it. Raises CannotFollow."""
        if relation in self._roots:
            reading = next(self._readings)
            return [
                Shape(
                    {
                        column: Field(exact=frozenset({Origin(reading, relation, column)}))
                        for column in self._types[relation]
                    }
                )
            ]
        # An incremental model that reads itself holds only what its other sources gave it.
        if relation in self._open or not (relation in self._queries or self._as_one):
            return [Shape(dict.fromkeys(self._types.get(relation, {}), NOTHING))]
        if relation not in self._known:
            self._open.append(relation)
            try:
                self._known[relation] = self._made(relation)
            finally:
                self._open.pop()
        known = self._known[relation]
        return known if self._as_one else self._read_again(known)

    def _made(self, relation: Relation) -> list[Shape]:
        """The shapes of what a relation's SQL makes."""
        if not self._as_one:
            return self._query(self._sql.scope(self._queries[relation]), {})
        columns = self._types.get(relation, {})
        try:
            if relation not in self._queries:
                raise CannotFollow("no SQL tells what is in it")
            (shape,) = self._query(self._sql.scope(self._queries[relation]), {})
        except CannotFollow as reason:
            return [Shape({name: self._ends_here(name, str(reason)) for name in columns})]
        for name in columns.keys() - {*shape, *SNAPSHOT_COLUMNS}:
            shape[name] = self._ends_here(name, "its SQL does not make it")
        return [Shape({name: shape.get(name, NOTHING) for name in columns})]

    def _ends_here(self, column: str, why: str) -> Field:
        """A field of the relation that is being followed, as if it were a root."""
        relation = next(one for one in reversed(self._open) if isinstance(one, tuple))
        self.unfollowed[relation, column] = why
        return Field(derived=frozenset({Origin(next(self._readings), relation, column)}))

    def _read_again(self, shapes: list[Shape]) -> list[Shape]:
        """The same shapes as another reading of the same tables."""
        numbers: dict[int, int] = {}

        def again(origins: frozenset[Origin]) -> frozenset[Origin]:
            for origin in origins:
                if origin.reading not in numbers:
                    numbers[origin.reading] = next(self._readings)
            return frozenset(replace(o, reading=numbers[o.reading]) for o in origins)

        return [
            Shape(
                {
                    name: replace(
                        one,
                        exact=again(one.exact),
                        equal=again(one.equal),
                        derived=again(one.derived),
                    )
                    for name, one in shape.items()
                }
            )
            for shape in shapes
        ]

    def _query(self, scope: Scope, outer: Rows) -> list[Shape]:
        tree = scope.expression
        if isinstance(tree, exp.SetOperation):
            return self._set_operation(tree, scope, outer)
        if isinstance(tree, exp.Subquery):
            return self._source(scope.sources[""], outer, scope)
        if not isinstance(tree, exp.Select):
            raise CannotFollow(f"it reads from {tree.key}, which cannot be followed")
        offered: list[Rows] = [{}]
        for name, (_, source) in scope.selected_sources.items():
            offered = not_too_many(
                {**rows, name: shape}
                for rows in offered
                for shape in self._source(source, {**outer, **rows}, scope)
            )
        return [self._select(tree, scope, {**outer, **rows}) for rows in offered]

    def _set_operation(self, tree: exp.SetOperation, scope: Scope, outer: Rows) -> list[Shape]:
        first, second = scope.set_operation_scopes
        left = self._query(first, outer)
        if isinstance(tree, exp.Except | exp.Intersect):
            return left
        # A recursive query names its first branch where it means the whole.
        first_branch = id(first.expression)
        self._recursive[first_branch] = left[0] if self._as_one else None
        try:
            while True:
                right = self._query(second, outer)
                names = list(left[0])
                if any(len(shape) != len(names) for shape in right):
                    raise CannotFollow("the branches of a union in it have not the same columns")
                named = [Shape(dict(zip(names, one.values(), strict=True))) for one in right]
                if not self._as_one:
                    return not_too_many([*left, *named])
                whole = told_as_one([*left, *named])
                if whole == self._recursive[first_branch]:
                    return [whole]
                self._recursive[first_branch] = whole
        finally:
            del self._recursive[first_branch]

    def _source(self, source: exp.Expr | Scope, rows: Rows, scope: Scope) -> list[Shape]:
        if not isinstance(source, Scope):
            if isinstance(source, exp.Table) and not isinstance(source.this, exp.Identifier):
                return [self._made_by(source, rows, scope)]
            return self._table(source)
        tree = source.expression
        if id(tree) in self._recursive:
            whole = self._recursive[id(tree)]
            if whole is None:
                raise CannotFollow("it is recursive")
            return [whole]
        if isinstance(tree, exp.UDTF):
            if "" in source.sources:  # lateral (select …)
                return self._source(source.sources[""], rows, source)
            return [self._made_by(tree, rows, source)]
        return self._query(source, rows)

    def _made_by(self, tree: exp.Expr, rows: Rows, scope: Scope) -> Shape:
        """The rows that a function makes: each of their columns from all of its arguments."""
        made = self._values(rows, {}, scope).of(exp.Tuple(expressions=[tree.copy()]))
        return Shape({}, rest=Field(derived=made.derived))

    def _table(self, source: exp.Expr) -> list[Shape]:
        if not isinstance(source, exp.Table):
            raise CannotFollow(f"it reads from {source.key}, which cannot be followed")
        # PostgreSQL looks in `public` for what is named without a schema.
        relation = (source.db or "public", source.name)
        if not source.db and relation not in self._types:
            raise CannotFollow(f"it reads {source.name} without naming its schema")
        renamed = dict(zip(self._types.get(relation, ()), source.alias_column_names, strict=False))
        return [
            Shape({renamed.get(name, name): one for name, one in shape.items()})
            for shape in self.shapes(relation)
        ]

    def _select(self, tree: exp.Select, scope: Scope, rows: Rows) -> Shape:
        values = self._values(rows, equal_origins(tree, rows), scope)
        shape = Shape({})
        for position, one in enumerate(tree.selects):
            name = one.alias_or_name
            # In a branch of a union two columns may bear one name, which then nothing can ask for.
            shape[f"{position} {name}" if name in shape else name] = self._field(one, values)
        return shape

    def _field(self, tree: exp.Expr, values: Values) -> Field:
        try:
            return values.of(tree)
        except CannotFollow as reason:
            if not self._as_one or tree.is_star:
                raise
            return self._ends_here(tree.alias_or_name, str(reason))

    def _values(
        self, rows: Rows, equal: Mapping[Origin, frozenset[Origin]], scope: Scope
    ) -> Values:
        def subquery(tree: exp.Expr, named: Rows) -> list[Shape]:
            for inner in scope.subquery_scopes:
                if inner.expression is tree:
                    return self._query(inner, named)
            raise CannotFollow("a subquery in it cannot be followed")

        return Values(rows, equal, self._types, self._functions, subquery)
