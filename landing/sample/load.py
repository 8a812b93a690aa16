"""Putting the sample into a warehouse: guard, tables, COPY, marker, in one transaction.

Belongs here: `land_sample` and what it refuses. Does not belong here: the rows (`stories`, `bulk`,
`reference`), and who may call it where: on an outside database a command must name the sample.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from landing import marker as markers
from landing.marker import Marker
from landing.sample import dates
from landing.sample.bulk import COLUMNS, bulk_blocks
from landing.sample.copy_text import copy_line
from landing.sample.reference import reference_rows
from landing.sample.scene import Value
from landing.sample.stories import tell_all
from landing.sample.tables import SCHEMAS, TABLES, TABLES_BY_NAME
from retention.errors import Refused, UsageError

#: The bulk's ids and phone numbers tell this many people apart.
MOST_PEOPLE = 2_000_000
#: Lives of the bulk reach this far back, and a timestamp must be after 1970-01-01.
EARLIEST_AS_OF = date(2005, 1, 1)

_LOCK = 0x5E7713


@dataclass(frozen=True)
class SampleSummary:
    """What lies there now. `kept` says that it lay there before and was left alone; `marker` is
    then the one found, or None where its text cannot be read."""

    kept: bool
    marker: Marker | None
    rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self.rows.values())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        found = self.marker
        return {
            "kept": self.kept,
            "people": found and found.people,
            "seed": found and found.seed,
            "as_of": found and found.as_of.isoformat(),
            "rows": dict(self.rows),
            "total": self.total,
        }


def land_sample(
    conn: psycopg.Connection[Any],
    *,
    people: int,
    seed: int,
    as_of: date,
    replace: bool = False,
) -> SampleSummary:
    """Land the sample of `people` bulk persons beside the stories, or keep the one that is there.

    All in one transaction of `conn`: committed on return where none was open before, else by the
    caller. `replace` drops the marked schemas, and only those, and lands anew. Raises Refused
    where a landing schema does not bear the sample's marker or something depends on a table to be
    dropped, UsageError for people, seed or as_of out of range.
    """
    _check_arguments(people, seed, as_of)
    with conn.transaction():
        # Two at once would both see an empty warehouse; the second waits and then keeps.
        conn.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        marked = markers.marked_schemas(conn)
        if unmarked := markers.landing_schemas(conn) - marked:
            raise Refused(
                f"landing schema {min(unmarked)!r} does not bear the sample's marker: the sample is"
                " landed only where nothing else has been; use an empty database"
            )
        if marked and not replace:
            return _kept(conn, marked)
        for schema in sorted(marked):
            _drop(conn, schema)
        return _land(conn, Marker(seed=seed, people=people, as_of=as_of))


def _check_arguments(people: int, seed: int, as_of: date) -> None:
    if not 0 <= people <= MOST_PEOPLE:
        raise UsageError(f"people is {people}: give a number from 0 to {MOST_PEOPLE}")
    if seed < 0:
        raise UsageError(f"seed is {seed}: give a number from 0 on")
    if not EARLIEST_AS_OF <= as_of <= dates.today():
        raise UsageError(
            f"as-of date {as_of} is before {EARLIEST_AS_OF} or in the future: give one up to today"
        )


def _kept(conn: psycopg.Connection[Any], marked: set[str]) -> SampleSummary:
    names = conn.execute(
        "select schemaname, tablename from pg_catalog.pg_tables"
        " where schemaname = any(%s) order by 1, 2",
        (sorted(marked),),
    ).fetchall()
    rows = {}
    for schema, table in names:
        count = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))
        rows[f"{schema}.{table}"] = sum(row[0] for row in conn.execute(count))
    return SampleSummary(True, markers.read_marker(conn, min(marked)), rows)


def _drop(conn: psycopg.Connection[Any], schema: str) -> None:
    """Drop a marked schema with its tables, and nothing that hangs on to them from outside."""
    names = conn.execute(
        "select tablename from pg_catalog.pg_tables where schemaname = %s", (schema,)
    ).fetchall()
    try:
        if names:
            tables = sql.SQL(", ").join(sql.Identifier(schema, name) for (name,) in names)
            conn.execute(sql.SQL("drop table {}").format(tables))
        conn.execute(sql.SQL("drop schema {}").format(sql.Identifier(schema)))
    except psycopg.errors.DependentObjectsStillExist:
        raise Refused(
            f"sample schema {schema!r} holds or feeds something that the sample did not make:"
            " drop that view or object first"
        ) from None


def _land(conn: psycopg.Connection[Any], marker: Marker) -> SampleSummary:
    rows = dict.fromkeys(TABLES_BY_NAME, 0)
    for schema in SCHEMAS:
        conn.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
        markers.write_marker(conn, schema, marker)
    for table in TABLES:
        conn.execute(table.create_statement())

    def copy(name: str, columns: tuple[str, ...], lines: Iterable[str]) -> None:
        text = list(lines)
        statement = TABLES_BY_NAME[name].copy_statement(columns)
        with conn.cursor() as cursor, cursor.copy(statement) as stream:
            stream.write("".join(text))
        rows[name] += len(text)

    for name, given in _fixed_rows(marker).items():
        columns = TABLES_BY_NAME[name].column_names
        copy(name, columns, (copy_line(row, columns) for row in given))
    for block in bulk_blocks(marker.people, marker.seed, marker.as_of):
        for name, lines in block.items():
            copy(name, COLUMNS[name], lines)
    for table in TABLES:
        conn.execute(table.key_statement())
        conn.execute(sql.SQL("analyze {}").format(table.identifier))
    return SampleSummary(False, marker, rows)


def _fixed_rows(marker: Marker) -> dict[str, list[Mapping[str, Value]]]:
    """Reference rows and stories, by table."""
    fixed: dict[str, list[Mapping[str, Value]]] = {}
    for name, rows in reference_rows(marker.as_of).items():
        fixed.setdefault(name, []).extend(rows)
    for told in tell_all(marker.as_of, marker.seed).values():
        for name, given in told.rows.items():
            fixed.setdefault(name, []).extend(given)
    return fixed
