"""From which columns of which tables the columns of a relation come.

Belongs here: following columns through common table expressions, joins, stars, unions, subqueries and
other relations, down to tables. Does not belong here: which of these tables matter, and what follows
from it (`trace`).

A query makes rows of one or more shapes: a select makes one, a union those of each of its branches.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

from retention.lineage.joins import equal_origins
from retention.lineage.model import Relation
from retention.lineage.origins import NOTHING, CannotFollow, Field, Origin, Rows, Shape
from retention.lineage.values import Types, Values

_DIALECT = "postgres"
# Unions joined with unions multiply; no model that people read comes near this.
_MOST_SHAPES = 256


class Columns:
    """Follows columns down to the tables `roots`. `queries` says which SQL makes a relation, `types`
    which columns a relation has."""

    def __init__(
        self, roots: frozenset[Relation], queries: Mapping[Relation, str], types: Types
    ) -> None:
        self._roots = roots
        self._queries = queries
        self._types = types
        self._known: dict[Relation, list[Shape]] = {}
        self._open: list[object] = []
        self._readings = count()
        nested: dict[str, Any] = {}
        for (schema, name), columns in types.items():
            nested.setdefault(schema, {})[name] = dict.fromkeys(columns, "text")
        self._schema = MappingSchema(nested, dialect=_DIALECT, normalize=False)

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
        if relation not in self._queries or relation in self._open:
            return [Shape(dict.fromkeys(self._types.get(relation, {}), NOTHING))]
        if relation not in self._known:
            self._open.append(relation)
            try:
                self._known[relation] = self._query(self._scope(self._queries[relation]), {})
            finally:
                self._open.pop()
        return self._read_again(self._known[relation])

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

    def _scope(self, query: str) -> Scope:
        try:
            tree = sqlglot.parse_one(query, dialect=_DIALECT)
            for table in tree.find_all(exp.Table):
                table.set("catalog", None)
            tree = qualify(
                tree,
                dialect=_DIALECT,
                schema=self._schema,
                validate_qualify_columns=False,
                quote_identifiers=False,
            )
            scope = build_scope(tree)
        except (SqlglotError, RecursionError) as error:
            # The message would quote the query, and a query may quote a value.
            raise CannotFollow(f"its SQL cannot be read ({type(error).__name__})") from None
        if scope is None:
            raise CannotFollow("its SQL is no query")
        return scope

    def _query(self, scope: Scope, outer: Rows) -> list[Shape]:
        tree = scope.expression
        if isinstance(tree, exp.SetOperation):
            return self._set_operation(tree, scope, outer)
        if isinstance(tree, exp.Subquery):
            return self._source(scope.sources[""], outer)
        if not isinstance(tree, exp.Select):
            raise CannotFollow(f"it reads from {tree.key}, which cannot be followed")
        offered: list[Rows] = [{}]
        for name, (_, source) in scope.selected_sources.items():
            offered = _not_too_many(
                {**rows, name: shape}
                for rows in offered
                for shape in self._source(source, {**outer, **rows})
            )
        return [self._select(tree, scope, {**outer, **rows}) for rows in offered]

    def _set_operation(self, tree: exp.SetOperation, scope: Scope, outer: Rows) -> list[Shape]:
        first, second = scope.set_operation_scopes
        left = self._query(first, outer)
        if isinstance(tree, exp.Except | exp.Intersect):
            return left
        right = self._query(second, outer)
        names = list(left[0])
        if any(len(shape) != len(names) for shape in right):
            raise CannotFollow("the branches of a union in it have not the same columns")
        return _not_too_many(
            [
                *left,
                *(Shape(dict(zip(names, one.values(), strict=True))) for one in right),
            ]
        )

    def _source(self, source: exp.Expr | Scope, rows: Rows) -> list[Shape]:
        if not isinstance(source, Scope):
            return self._table(source)
        tree = source.expression
        if isinstance(tree, exp.UDTF):
            if "" in source.sources:  # lateral (select …)
                return self._source(source.sources[""], rows)
            made = self._values(rows, {}, source).of(exp.Tuple(expressions=[tree.copy()]))
            return [Shape({}, rest=Field(derived=made.derived))]
        if tree in self._open:
            raise CannotFollow("it is recursive")
        self._open.append(tree)
        try:
            return self._query(source, rows)
        finally:
            self._open.pop()

    def _table(self, source: exp.Expr) -> list[Shape]:
        if not isinstance(source, exp.Table):
            raise CannotFollow(f"it reads from {source.key}, which cannot be followed")
        # PostgreSQL looks in `public` for what is named without a schema.
        relation = (source.db or "public", source.name)
        if not source.db and relation not in self._types:
            raise CannotFollow(f"it reads {source.name} without naming its schema")
        return self.shapes(relation)

    def _select(self, tree: exp.Select, scope: Scope, rows: Rows) -> Shape:
        values = self._values(rows, equal_origins(tree, rows), scope)
        return Shape({one.alias_or_name: values.of(one) for one in tree.selects})

    def _values(
        self, rows: Rows, equal: Mapping[Origin, frozenset[Origin]], scope: Scope
    ) -> Values:
        def subquery(tree: exp.Expr, named: Rows) -> list[Shape]:
            for inner in scope.subquery_scopes:
                if inner.expression is tree:
                    return self._query(inner, named)
            raise CannotFollow("a subquery in it cannot be followed")

        return Values(rows, equal, self._types, subquery)


def _not_too_many(found: Iterable[Rows] | Iterable[Shape]) -> list:  # type: ignore[type-arg]
    listed = []
    for one in found:
        listed.append(one)
        if len(listed) > _MOST_SHAPES:
            raise CannotFollow("it has too many branches")
    return listed
