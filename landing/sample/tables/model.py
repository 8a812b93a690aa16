"""A landing table as data: its columns with types, in order, and its key.

Belongs here: the shape and the SQL made from it. Does not belong here: which tables there are.
"""

from dataclasses import dataclass

from psycopg import sql

TYPES = frozenset(
    {"text", "bigint", "double precision", "numeric", "boolean", "timestamptz", "date"}
)


@dataclass(frozen=True)
class Column:
    """A column and the type Fivetran lands it as."""

    name: str
    type: str


@dataclass(frozen=True)
class Table:
    """A landing table: columns in order, and the primary key that the connector gives it."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    def create_statement(self) -> sql.Composed:
        """`create table` without the key: filling first and indexing after is faster."""
        columns = sql.SQL(",\n    ").join(
            sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.type))
            for column in self.columns
        )
        return sql.SQL("create table {} (\n    {}\n)").format(self.identifier, columns)

    def key_statement(self) -> sql.Composed:
        """`alter table … add primary key`."""
        key = sql.SQL(", ").join(sql.Identifier(name) for name in self.key)
        return sql.SQL("alter table {} add primary key ({})").format(self.identifier, key)

    def copy_statement(self, columns: tuple[str, ...]) -> sql.Composed:
        """`copy … from stdin` for some columns; the others stay null."""
        names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
        # The table is as new as the transaction, so its rows can be written as already visible to
        # all: the first reader then need not mark them one by one.
        return sql.SQL("copy {} ({}) from stdin (freeze true)").format(self.identifier, names)


def table(qualified: str, columns: str, *, key: str = "id") -> Table:
    """Make a table from `name type, name type, …`; several key columns are parted by spaces.

    Raises ValueError for a type that is none of Fivetran's or a key that is no column.
    """
    schema, _, name = qualified.partition(".")
    parsed = []
    for entry in columns.split(","):
        column, _, kind = entry.strip().partition(" ")
        if kind not in TYPES:
            raise ValueError(f"{qualified}.{column} has no landing type: {kind!r}")
        parsed.append(Column(column, kind))
    names = [column.name for column in parsed]
    keys = tuple(key.split())
    if len(set(names)) != len(names) or not set(keys) <= set(names):
        raise ValueError(f"{qualified}: a column twice, or a key that is no column")
    return Table(schema, name, tuple(parsed), keys)
