"""Which columns downstream hand on a personal column of a declared table, and of what kind it is.

Belongs here: the kinds that landing columns are declared to hold, inherited by what is made from them.
Does not belong here: following the columns (`landing`), and what must be done about one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from retention.declarations import Declarations, TableDeclaration
from retention.detection.model import ColumnName
from retention.lineage.catalogue import Entry
from retention.lineage.landing import Followed
from retention.lineage.model import Relation

#: The kind of a column of a governed table that nobody has declared to be anything.
UNDECLARED = "undeclared"
_SYSTEM_PREFIX = "_fivetran_"


@dataclass(frozen=True, order=True)
class HandedOn:
    """A column that shows a personal column of a declared table, unchanged or not."""

    column: str
    source: ColumnName
    kind: str

    def __str__(self) -> str:
        return f"{self.column} ({self.kind}, of {'.'.join(self.source)})"


class PersonalColumns:
    """The personal columns of all governed tables, as the catalogue has them now."""

    def __init__(self, declarations: Declarations, entries: Mapping[Relation, Entry]) -> None:
        #: The kind of each of them.
        self.kinds: dict[ColumnName, str] = {}
        self.types: dict[ColumnName, str] = {}
        for table in declarations.governed:
            relation = (table.schema_, table.name)
            kinds = kinds_of(table)
            for column, kind in entries[relation].columns.items() if relation in entries else ():
                self.types[*relation, column] = kind
                if column in kinds:
                    self.kinds[*relation, column] = kinds[column]
                elif not (column in table.columns_declared or column.startswith(_SYSTEM_PREFIX)):
                    self.kinds[*relation, column] = UNDECLARED

    def handed_on(self, columns: Mapping[str, Followed]) -> tuple[HandedOn, ...]:
        """The columns among these that hand a personal one on, each with every source."""
        return tuple(
            HandedOn(name, source, self.kinds[source])
            for name, one in columns.items()
            for source in sorted(one.sources & self.kinds.keys())
        )

    def resembling(self, columns: Mapping[str, str]) -> tuple[HandedOn, ...]:
        """The columns that bear name and type of a personal one: all that a table tells whose origin
        nobody knows."""
        return tuple(
            HandedOn(column, source, kind)
            for source, kind in sorted(self.kinds.items())
            for column in columns
            if (column, columns[column]) == (source[2], self.types[source])
        )


def kinds_of(table: TableDeclaration) -> dict[str, str]:
    """The personal columns of a table with what they hold, contact points and a personal key included."""
    kinds = {name: column.kind for name, column in table.personal.items()}
    for points in (table.subject, table.objection):
        for column in points.email if points else ():
            kinds.setdefault(column, "email")
        for column in points.phone if points else ():
            kinds.setdefault(column, "phone")
    if table.key_is_personal:
        kinds.setdefault(table.key[0], "other")
    return kinds
