"""What is known of well-known connectors' tables (`connectors.yaml`), and which one a schema is.

Belongs here: reading and checking that file, and recognising a connector by its tables' columns. Does not
belong here: the tables of a connector that nobody knows (`shapes`).
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from retention.onboarding.catalogue import Table

_FILE = Path(__file__).with_name("connectors.yaml")

RowsAre = Literal[
    "contact",
    "message",
    "document",
    "part",
    "persons",
    "customers",
    "staff",
    "agreement",
    "visit",
    "nobody",
]


class Known(BaseModel):
    """What one row of a table is, and the columns that say when, whose and what of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: RowsAre
    what: str
    key: tuple[str, ...] = ()
    at: str | None = None
    email: tuple[str, ...] = ()
    phone: tuple[str, ...] = ()
    otherwise: str | None = None
    counts_when: tuple[dict[str, Any], ...] = ()
    class_: str | None = Field(default=None, alias="class")
    type: str | None = None
    opened: str | None = None
    ended: str | None = None
    states: dict[str, Any] | None = None

    @property
    def codes(self) -> frozenset[str]:
        """The columns whose values decide what a row means; they name nobody."""
        conditions = [name for clause in self.counts_when for name in clause]
        return frozenset([*conditions, *([self.states["column"]] if self.states else [])])

    @property
    def reads(self) -> frozenset[str]:
        """The columns it speaks of: a table without one of them is another."""
        named = [*self.key, self.at, *self.email, *self.phone, self.opened, self.ended]
        return self.codes | {name for name in named if name}


class Connector(BaseModel):
    """A connector: the system behind it, the columns that show it, its tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str
    signs: dict[str, tuple[str, ...]]
    tables: dict[str, Known]

    def shows_in(self, tables: Sequence[Table]) -> bool:
        """True where one of the tables bears this connector's signs."""
        by_name = {table.name: table.names for table in tables}
        return any(set(columns) <= by_name.get(name, set()) for name, columns in self.signs.items())

    def known(self, table: Table, among: Sequence[Table]) -> Known | None:
        """What is known of `table`: by its name, else as a variant of the one that has its columns."""
        found = self.tables.get(table.name)
        if found is None:
            like = [
                other.name
                for other in among
                if other.name in self.tables
                and table.name.startswith(other.name)
                and other.names == table.names
            ]
            found = self.tables[like[0]] if like else None
        return found


@cache
def connectors() -> dict[str, Connector]:
    """The connectors of the data file, by name."""
    content = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {name: Connector.model_validate(one) for name, one in content.items()}


def recognise(tables: Sequence[Table]) -> tuple[str, Connector] | None:
    """The connector whose signs the tables of a schema bear; None where they bear none, or several's."""
    found = [(name, one) for name, one in connectors().items() if one.shows_in(tables)]
    return found[0] if len(found) == 1 else None
