"""What an expression hands on of the columns in it.

Belongs here: telling an unchanged value from one that is made from others, and both from what only
counts, compares or ranks. Does not belong here: the query around the expression (`columns`).
"""

from collections.abc import Callable, Mapping

from sqlglot import exp

from retention.lineage.model import Relation
from retention.lineage.origins import NOTHING, CannotFollow, Field, Origin, Rows, Shape

Types = Mapping[Relation, Mapping[str, str]]
Query = Callable[[exp.Expr, Rows], list[Shape]]

_INTEGERS = ("smallint", "integer", "bigint")
_TEXTS = frozenset({"text", "character varying"})
_INTEGER_CASTS = (exp.DataType.Type.SMALLINT, exp.DataType.Type.INT, exp.DataType.Type.BIGINT)
_TEXT_CASTS = (exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR)

# Whether, how many, how much of many, which place: no value of a row.
_HANDS_NOTHING_ON = (
    exp.Predicate,
    exp.Connector,
    exp.Not,
    exp.Count,
    exp.Sum,
    exp.Avg,
    exp.RowNumber,
    exp.Rank,
    exp.DenseRank,
)


def keeps_value(kind: str, into: str) -> bool:
    """True where a key of type `kind`, held in a column of type `into`, is written the same way."""
    if kind == into:
        return True
    if kind in _INTEGERS:
        wide_enough = _INTEGERS[_INTEGERS.index(kind) :]
        return into in wide_enough or into in _TEXTS
    return into in _TEXTS and (kind in _TEXTS or kind == "uuid")


class Values:
    """Follows expressions of one select. `functions` are those that may read tables by themselves; `query`
    follows a subquery, given what its columns may name."""

    def __init__(
        self,
        rows: Rows,
        equal: Mapping[Origin, frozenset[Origin]],
        types: Types,
        functions: frozenset[str],
        query: Query,
    ) -> None:
        self._rows = rows
        self._equal = equal
        self._types = types
        self._functions = functions
        self._query = query

    def of(self, tree: exp.Expr) -> Field:
        """Where the value of an expression comes from. Raises CannotFollow."""
        if isinstance(tree, exp.Alias | exp.Paren):
            return self.of(tree.this)
        if isinstance(tree, exp.Literal):
            return Field(is_constant=True, constant=str(tree.this))
        if isinstance(tree, exp.Null):
            return Field(is_constant=True)
        if isinstance(tree, exp.Column):
            return self._column(tree)
        if isinstance(tree, exp.TableColumn):
            return self._whole_row(tree.name)
        if isinstance(tree, exp.Cast):
            return self._cast(tree)
        if isinstance(tree, exp.Coalesce):
            return self._coalesce(tree)
        if isinstance(tree, _HANDS_NOTHING_ON):
            return NOTHING
        if isinstance(tree, exp.Anonymous) and tree.name.lower() in self._functions:
            raise CannotFollow(f"it calls {tree.name}, which may read tables by itself")
        if isinstance(tree, exp.Star):
            raise CannotFollow("the columns of a star in it are not known")
        return Field(derived=self._made_from(tree))

    def _made_from(self, tree: exp.Expr) -> frozenset[Origin]:
        if isinstance(tree, exp.Query):
            shapes = self._query(tree.unnest(), self._rows)
            return frozenset[Origin]().union(*(shape.sources for shape in shapes))
        if isinstance(tree, exp.Case):
            # Its conditions choose among the results and hand nothing on.
            results = [branch.args["true"] for branch in tree.args["ifs"]]
            parts = [*results, *([tree.args["default"]] if tree.args.get("default") else [])]
        elif isinstance(tree, exp.Window | exp.Filter):
            parts = [tree.this]
        else:
            parts = list(tree.iter_expressions())
        return frozenset[Origin]().union(*(self.of(part).sources for part in parts))

    def _column(self, tree: exp.Column) -> Field:
        if isinstance(tree.this, exp.Star):
            raise CannotFollow("the columns of a star in it are not known")
        if tree.table:
            if tree.table not in self._rows:
                raise CannotFollow(f"it reads {tree.table}, which is not known")
            return self._with_equal(self._rows[tree.table].of(tree.name))
        return self._unqualified(tree.name)

    def _unqualified(self, name: str) -> Field:
        """What is named without its table: in the arguments of a function that makes rows, a column of
        those before it; anywhere, a table for its whole row."""
        columns = [shape[name] for shape in self._rows.values() if name in shape]
        if columns:
            return Field(derived=frozenset[Origin]().union(*(one.sources for one in columns)))
        return self._whole_row(name)

    def _whole_row(self, name: str) -> Field:
        if name not in self._rows:
            raise CannotFollow(f"it reads a column {name} that is not known")
        return Field(derived=self._rows[name].sources)

    def _with_equal(self, field: Field) -> Field:
        if not field.exact:
            return field
        equal = field.equal.union(*(self._equal.get(origin, frozenset()) for origin in field.exact))
        return Field(field.exact, equal - field.exact, field.derived)

    def _cast(self, tree: exp.Cast) -> Field:
        field = self.of(tree.this)
        if field.is_constant or not field.exact:
            return field
        kept = self._cast_keeps(tree.to, field.exact)
        return field if kept else Field(derived=field.sources)

    def _cast_keeps(self, into: exp.DataType, exact: frozenset[Origin]) -> bool:
        if into.expressions:  # a length would cut
            return False
        kinds = {self._types[o.relation][o.column] for o in exact}
        if into.this in _TEXT_CASTS:
            return all(keeps_value(kind, "text") for kind in kinds)
        return into.this in _INTEGER_CASTS and kinds <= set(_INTEGERS)

    def _coalesce(self, tree: exp.Coalesce) -> Field:
        """`using (id)` reads coalesce(a.id, b.id): one value, where the join made them equal."""
        fields = [self.of(part) for part in (tree.this, *tree.expressions)]
        first, *others = fields
        if first.exact and all(
            other.exact and (other.exact <= first.equal | first.exact) for other in others
        ):
            return first
        return Field(derived=frozenset[Origin]().union(*(one.sources for one in fields)))
