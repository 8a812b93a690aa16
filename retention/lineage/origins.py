"""Where a column's value comes from.

Belongs here: the words in which columns are followed. Does not belong here: following them (`columns`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from retention.lineage.model import Relation


class CannotFollow(Exception):
    """The columns of a query cannot be followed. The text says why and holds no value."""


@dataclass(frozen=True)
class Origin:
    """A column of a table, in one reading of it: a table that is read twice in a query is two."""

    reading: int
    relation: Relation
    column: str


@dataclass(frozen=True)
class Field:
    """Where one output column's value comes from.

    exact: it is that column's value, unchanged. equal: joined on equality, so that it is that column's
    value wherever its reading gave a row. derived: it was made from those. A constant is the same in
    every row; None is null.
    """

    exact: frozenset[Origin] = frozenset()
    equal: frozenset[Origin] = frozenset()
    derived: frozenset[Origin] = frozenset()
    is_constant: bool = False
    constant: str | None = None

    @property
    def sources(self) -> frozenset[Origin]:
        """Every column whose value stands in it, unchanged or not."""
        return self.exact | self.derived


NOTHING = Field()

#: What PostgreSQL keeps in every row beside its columns: which transaction wrote it, and where it lies.
SYSTEM_COLUMNS = ("tableoid", "ctid", "xmin", "cmin", "xmax", "cmax")


class Shape(dict[str, Field]):
    """The fields of a kind of row, by column. `rest` is what any further column is made from."""

    def __init__(self, fields: dict[str, Field], rest: Field | None = None) -> None:
        super().__init__(fields)
        self.rest = rest

    def of(self, column: str) -> Field:
        """The field of a column. Raises CannotFollow for one that is not known."""
        found = self.get(column, self.rest)
        if found is None and column in SYSTEM_COLUMNS:
            return NOTHING
        if found is None:
            raise CannotFollow(f"it reads a column {column} that is not known")
        return found

    @property
    def sources(self) -> frozenset[Origin]:
        """Every column whose value stands in a row."""
        found = frozenset[Origin]().union(*(one.sources for one in self.values()))
        return found | (self.rest.sources if self.rest else frozenset())


def told_as_one(shapes: list[Shape]) -> Shape:
    """What the columns of all shapes come from together, by the names of the first."""
    told = Shape({})
    for name in shapes[0]:
        fields = [shape[name] for shape in shapes]
        told[name] = Field(
            exact=frozenset[Origin]().union(*(one.exact for one in fields)),
            derived=frozenset[Origin]().union(*(one.derived for one in fields)),
        )
    return told


#: What the from clause of a query offers, by alias.
Rows = dict[str, Shape]

# Unions joined with unions multiply; no model that people read comes near this.
_MOST_SHAPES = 256


def not_too_many(found: Iterable[Rows] | Iterable[Shape]) -> list:  # type: ignore[type-arg]
    """All of them. Raises CannotFollow beyond what anybody can tell apart."""
    listed = []
    for one in found:
        listed.append(one)
        if len(listed) > _MOST_SHAPES:
            raise CannotFollow("it has too many branches")
    return listed
