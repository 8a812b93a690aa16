"""Counts that speak for a key, a link or a date: asked of the landing rows inside the database.

Belongs here: statements that return counts. Does not belong here: what is concluded from them. No value
leaves the database.

A count that takes too long is not waited for: it is None, and what it would have told stays open.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from retention.onboarding.catalogue import Column, Connection, Table

#: How many rows a link or a date is tried on. A key is tried on all.
TRIED_ROWS = 10_000
_PATIENCE = "60s"


@dataclass(frozen=True)
class Share:
    """`hits` of `of` values that are there."""

    hits: int
    of: int

    @property
    def share(self) -> float:
        return self.hits / self.of if self.of else 0.0


def unique_among(
    conn: Connection, table: Table, candidates: Sequence[tuple[str, ...]]
) -> tuple[int | None, tuple[tuple[str, ...], ...]]:
    """How many rows `table` has, and which candidates hold no null and no value twice in them; the rows
    are None where counting took too long."""
    counts = [
        sql.SQL("count(distinct ({columns})) filter (where {present}) = count(*)").format(
            columns=sql.SQL(", ").join(_text(name) for name in candidate),
            present=sql.SQL(" and ").join(
                sql.SQL("{} is not null").format(sql.Identifier(name)) for name in candidate
            ),
        )
        for candidate in candidates
    ]
    row = _counted(
        conn,
        sql.SQL("select count(*), {} from {}").format(
            sql.SQL(", ").join([*counts, sql.SQL("true")]), sql.SQL(table.relation)
        ),
    )
    if row is None:
        return None, ()
    return row[0], tuple(c for c, holds in zip(candidates, row[1:], strict=False) if holds)


def overlap(
    conn: Connection, table: Table, column: str, target: sql.Composable, key: str
) -> Share | None:
    """How many of the values tried in `column` are a key of `target`."""
    row = _counted(
        conn,
        sql.SQL(
            "select count(*) filter (where exists (select from {target} as t"
            " where {key}::text = tried.value)), count(*)"
            " from (select {column} as value from {relation} where {name} is not null limit {most})"
            " as tried"
        ).format(
            target=target,
            key=sql.Identifier("t", key),
            column=_text(column),
            relation=sql.SQL(table.relation),
            name=sql.Identifier(column),
            most=sql.Literal(TRIED_ROWS),
        ),
    )
    return Share(*row) if row else None


def matching_contact_points(
    conn: Connection,
    table: Table,
    columns: Sequence[tuple[str, str]],
    target: sql.Composable,
    target_columns: Sequence[tuple[str, str]],
) -> Share | None:
    """How many of the rows tried have an e-mail address or phone number, normalised, that `target` has.

    Columns are named by kind (`email`, `phone`) and name.
    """
    row = _counted(
        conn,
        sql.SQL(
            "with known as materialized (select distinct unnest(array[{known}]) as point from {target})"
            " select count(*) filter (where exists (select from unnest(tried.points) as p (point)"
            " where p.point in (select point from known where point is not null))), count(*)"
            " from (select array_remove(array[{points}], null) as points"
            " from {relation} limit {most}) as tried where cardinality(tried.points) > 0"
        ).format(
            known=_points(target_columns),
            target=target,
            points=_points(columns),
            relation=sql.SQL(table.relation),
            most=sql.Literal(TRIED_ROWS),
        ),
    )
    return Share(*row) if row else None


def readable_dates(
    conn: Connection, table: Table, columns: Sequence[Column], until: date
) -> dict[str, Share]:
    """For each column, how many of the values tried read as a day after 1970 and not after `until`."""
    if not columns:
        return {}
    counts = [
        sql.SQL(
            "count(*) filter (where sletteplikt.local_date({0}) > '1970-01-01'"
            " and sletteplikt.local_date({0}) <= {1}), count({0})"
        ).format(sql.Identifier(column.name), sql.Literal(until))
        for column in columns
    ]
    row = _counted(
        conn,
        sql.SQL("select {} from (select * from {} limit {}) as tried").format(
            sql.SQL(", ").join(counts), sql.SQL(table.relation), sql.Literal(TRIED_ROWS)
        ),
    )
    if row is None:
        return {}
    return {
        column.name: Share(row[2 * place], row[2 * place + 1])
        for place, column in enumerate(columns)
    }


def different_values(conn: Connection, table: Table, columns: Sequence[str]) -> dict[str, Share]:
    """For each column, how many different values stand in the rows tried, of how many values."""
    if not columns:
        return {}
    row = _counted(
        conn,
        sql.SQL("select {} from (select * from {} limit {}) as tried").format(
            sql.SQL(", ").join(
                sql.SQL("count(distinct {}), count({})").format(_text(name), sql.Identifier(name))
                for name in columns
            ),
            sql.SQL(table.relation),
            sql.Literal(TRIED_ROWS),
        ),
    )
    if row is None:
        return {}
    return {name: Share(row[2 * place], row[2 * place + 1]) for place, name in enumerate(columns)}


def _counted(conn: Connection, statement: sql.Composed) -> tuple[Any, ...] | None:
    with suppress(psycopg.errors.QueryCanceled), conn.transaction():
        conn.execute("select set_config('statement_timeout', %s, true)", (_PATIENCE,))
        row: tuple[Any, ...] | None = conn.execute(statement).fetchone()
        return row
    return None


def _text(name: str) -> sql.Composable:
    return sql.SQL("{}::text").format(sql.Identifier(name))


def _points(columns: Sequence[tuple[str, str]]) -> sql.Composable:
    return sql.SQL(", ").join(
        sql.SQL("sletteplikt.normalised({}, {})").format(sql.Literal(kind), _text(name))
        for kind, name in columns
    )
