"""A figure: rows from the database together with the very query that gave them.

Belongs here: asking, and the shape of an answer. Does not belong here: the queries; each part of
the report writes its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from retention.classified import Classification

OSLO = ZoneInfo("Europe/Oslo")

# As they stand in the report's JSON.
Cell = str | int | bool | None | list[Any] | dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """Rows, each a mapping in the order of the query's columns, and the query as it can be run."""

    figure_id: str
    title: str
    query: str
    rows: tuple[Mapping[str, Any], ...]

    def total(self, column: str) -> int:
        """The sum of a column of counts."""
        return sum(int(row[column] or 0) for row in self.rows)

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.figure_id,
            "title": self.title,
            "query": self.query,
            "rows": [dict(row) for row in self.rows],
        }


class Reader:
    """Asks the warehouse for figures, all in the caller's one transaction."""

    def __init__(self, conn: psycopg.Connection[Any], classification: Classification) -> None:
        self.conn = conn
        self.classification = classification

    def ask(
        self,
        figure_id: str,
        title: str,
        query: sql.Composed,
        bound: Mapping[str, Any] | None = None,
    ) -> Figure:
        """Run `query` and keep it with its answer. Its rows must come in a stated order."""
        with self.conn.cursor() as cursor:
            cursor.execute(query, bound)
            names = [column.name for column in cursor.description or ()]
            rows = tuple(
                {name: plain(value) for name, value in zip(names, row, strict=True)}
                for row in cursor.fetchall()
            )
        # With its values in place, so that a reader can paste it; it was sent with them bound.
        shown = psycopg.ClientCursor(self.conn).mogrify(query, bound)
        return Figure(figure_id, title, readable(shown), rows)


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
