"""Which changes of a column's type read the same, measured on the server for every pair of types.

Belongs here: what the classification reads of a value before and after the server turned it into another
type. Does not belong here: what follows for a table (test_schema_drift.py).
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from retention.settings import Settings
from retention.warehouse.connection import connect

pytestmark = pytest.mark.integration

Connection = psycopg.Connection[Any]

#: Types that connectors land, each with values at its edges.
VALUES: dict[str, list[str]] = {
    "smallint": ["1", "-32768"],
    "integer": ["1", "0", "-2147483648"],
    "bigint": ["1", "9007199254740993", "-9223372036854775808", "1000000000000000"],
    "numeric": ["1", "1.50", "123456789012345678901234567890.5"],
    "numeric(38,0)": ["1", "9007199254740993", "-" + "9" * 30],
    "numeric(10,2)": ["1", "1.5"],
    "real": ["1", "0.1", "16777217"],
    "double precision": ["1", "0.1", "1e15"],
    "text": ["1", "007", "true", "2024-03-31", "2024-03-30T23:30:00Z", "a" * 30, "3E1C0C7E"],
    "character varying(20)": ["1", "007", "2024-03-31", "ab "],
    "character varying(256)": ["1", "a" * 30, "2024-03-31"],
    "boolean": ["true", "false"],
    "uuid": ["3e1c0c7e-0000-4000-8000-00000000000a"],
    "date": ["2024-03-31", "2023-12-31"],
    "timestamp(0) without time zone": ["2023-12-31 23:30:00"],
    "timestamp without time zone": ["2023-12-31 23:30:00.123456", "2023-12-31 22:59:59.7"],
    "timestamp with time zone": ["2023-12-31 22:30:00.7+00", "2024-07-01 21:59:59.7+00"],
    "json": ['{"a": 1}', '"2024-03-31"'],
    "jsonb": ['{"a": 1}'],
    "bytea": ["\\x3031"],
    "time without time zone": ["10:00"],
    "interval": ["1 day"],
    "text[]": ["{a}"],
}  # fmt: skip

#: Everything that a declaration can have read of a column (retention/declarations/facts.py).
READ = (
    "sletteplikt.key_text(c)",
    "sletteplikt.local_date(c)",
    "sletteplikt.utc_time(c)",
    "sletteplikt.as_number(c)",
    "c::text",
    "lower(c::text) in ('true', 't', 'yes', '1')",
    "sletteplikt.link_hash('email', c::text)",
    "sletteplikt.link_hash('phone', c::text)",
)

_TEXTS = {"text", "character varying(256)"}
#: Changes that leave the values above as they were, and are not said to read the same.
NOT_SAID: dict[str, set[str]] = {
    # A longer value would be cut, or be refused.
    "text": {"character varying(256)"},
    "numeric": {"character varying(256)"},
    # From then on the source may spell them in another way: 1.5 for 1.50, Y for true.
    "numeric(10,2)": {"numeric", *_TEXTS, "character varying(20)"},
    "boolean": {*_TEXTS, "character varying(20)"},
    # Nothing that a key, a date or a state is made of.
    "json": {*_TEXTS, "character varying(20)", "jsonb"},
    "jsonb": {*_TEXTS, "character varying(20)", "json"},
    "bytea": {*_TEXTS, "character varying(20)"},
    "time without time zone": {*_TEXTS, "character varying(20)", "interval"},
    "interval": {*_TEXTS, "character varying(20)"},
    "text[]": {*_TEXTS, "character varying(20)"},
}


@pytest.fixture
def values(settings: Settings) -> Iterator[Connection]:
    with connect(settings, autocommit=True) as conn:
        yield conn


def read(conn: Connection) -> list[tuple[Any, ...]]:
    return conn.execute(f"select {', '.join(READ)} from value order by n").fetchall()


def turned(conn: Connection, was: str, now: str, zone: str) -> list[tuple[Any, ...]] | None:
    """What is read after the server changed the type, in a session of the connector's zone, or None where
    it refuses to."""
    conn.execute(f"create temporary table value (n serial, c {was})")
    for value in VALUES[was]:
        conn.execute(f"insert into value (c) values ('{value}')")
    try:
        with conn.transaction():
            conn.execute(f"set local timezone = '{zone}'")
            conn.execute(f"alter table value alter column c type {now} using c::{now}")
        return read(conn)
    except (psycopg.errors.CannotCoerce, psycopg.DataError):
        return None
    finally:
        conn.execute("drop table value")


def same(conn: Connection, was: str, now: str) -> bool:
    row = conn.execute("select sletteplikt.reads_the_same(%s, %s)", (was, now)).fetchone()
    return bool(row and row[0])


def test_a_column_of_any_type_can_be_read(values: Connection) -> None:
    """A classification never fails for a type: what is no date is null, and its record is reviewed."""
    for kind in VALUES:
        before = turned(values, kind, kind, "UTC")
        assert before is not None, kind
        assert len(before) == len(VALUES[kind]), kind
        assert all(row[0] is not None and row[4] is not None for row in before), kind


@pytest.mark.parametrize("was", VALUES)
def test_what_is_said_to_read_the_same_does_and_hardly_anything_else(
    values: Connection, was: str
) -> None:
    """Whichever zone the connector's session is in."""
    before = turned(values, was, was, "UTC")
    found = set()
    said = set()
    for now in VALUES.keys() - {was}:
        after = [turned(values, was, now, zone) for zone in ("UTC", "America/New_York")]
        if all(read is None for read in after):
            continue
        found |= {now} if all(read == before for read in after) else set()
        said |= {now} if same(values, was, now) else set()
    assert said <= found
    assert found - said == NOT_SAID.get(was, set())
    assert same(values, was, was)


@pytest.mark.parametrize(
    ("written", "means"),
    [("timestamptz", "timestamp with time zone"), ("varchar(20)", "character varying(20)")],
)
def test_a_type_may_be_declared_by_any_of_its_names(
    values: Connection, written: str, means: str
) -> None:
    assert same(values, written, means)
    assert same(values, means, written)
