"""A figure: rows from the database together with the very query that gave them.

Belongs here: asking, and the shape of an answer. Does not belong here: the queries; each subject's
module writes its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from retention.classified import Classification

OSLO = ZoneInfo("Europe/Oslo")

# As they stand in the report's JSON.
Cell = str | int | bool | None | list[Any] | dict[str, Any]

#: What a column holds, which says how it is written for people: a `day` is a local date, a `month` the
#: first seven characters of one, a `moment` an instant with its offset; a `table` is a relation's name.
Kind = Literal["count", "day", "month", "moment", "table", "text", "hash", "id", "flag"]


@dataclass(frozen=True)
class Code:
    """A column of codes of ours, for which each language has words under the kind `words`."""

    words: str


Column = Kind | Code


@dataclass(frozen=True)
class Figure:
    """Rows, each a mapping in the order of `columns`; the query as it can be pasted and run, and the
    values that were bound in it."""

    figure_id: str
    title: str
    query: str
    parameters: Mapping[str, Cell]
    columns: Mapping[str, Column]
    rows: tuple[Mapping[str, Any], ...]

    def total(self, column: str) -> int:
        """The sum of a column of counts."""
        return sum(int(row[column] or 0) for row in self.rows)

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.figure_id,
            "title": self.title,
            "query": self.query,
            "parameters": dict(self.parameters),
            "columns": [_described(name, column) for name, column in self.columns.items()],
            "rows": [dict(row) for row in self.rows],
        }


class Reader:
    """Asks the warehouse for figures, all in the caller's one transaction."""

    def __init__(self, conn: psycopg.Connection[Any], classification: Classification) -> None:
        self.conn = conn
        self.classification = classification

    @property
    def as_of(self) -> date:
        return self.classification.as_of

    @property
    def until(self) -> date | None:
        """A replay knows nothing of what was done after its day; today's report knows everything."""
        return self.classification.as_of if self.classification.suffix else None

    def ask(
        self,
        figure_id: str,
        title: str,
        columns: Mapping[str, Column],
        query: sql.Composed,
        bound: Mapping[str, Any] | None = None,
    ) -> Figure:
        """Run `query` and keep it with its answer. Its rows must come in a stated order, and its columns
        must be `columns`. Raises ValueError where they are others."""
        with self.conn.cursor() as cursor:
            cursor.execute(query, bound)
            names = [column.name for column in cursor.description or ()]
            if names != list(columns):
                raise ValueError(f"figure {figure_id} has the columns {names}, not {list(columns)}")
            rows = tuple(
                {name: plain(value) for name, value in zip(names, row, strict=True)}
                for row in cursor
            )
        # With its values in place, so that a reader can paste it; it was sent with them bound.
        shown = psycopg.ClientCursor(self.conn).mogrify(query, bound)
        return Figure(
            figure_id,
            title,
            readable(shown),
            {name: plain(value) for name, value in (bound or {}).items()},
            columns,
            rows,
        )


def _described(name: str, column: Column) -> dict[str, str]:
    if isinstance(column, Code):
        return {"name": name, "type": "code", "words": column.words}
    return {"name": name, "type": column}


def plain(value: Any) -> Cell:
    """A value as JSON keeps it: days and instants as ISO text, instants with Norway's offset."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, datetime):
        return value.astimezone(OSLO).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    return str(value)


def readable(query: str) -> str:
    """The query as a person can run it: without the indentation of the module it stands in."""
    lines = [line.rstrip() for line in query.strip("\n").splitlines()]
    margins = [len(line) - len(line.lstrip()) for line in lines if line]
    margin = min(margins, default=0)
    return "\n".join(line[margin:] for line in lines).strip()
