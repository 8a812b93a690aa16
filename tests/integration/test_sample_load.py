"""Landing the sample against PostgreSQL: what lies there, what is kept, what is refused.

Belongs here: `land_sample`, the marker, `retention sample`. Does not belong here: which rows there
are, which the unit tests cover, and what they are classified as.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg import sql

from landing.marker import Marker, landing_schemas, marked_schemas, read_marker
from landing.sample import land_sample
from landing.sample.stories import tell_all
from landing.sample.tables import SCHEMAS, TABLES
from retention.errors import Refused, UsageError
from retention.settings import Settings
from retention.warehouse.connection import connect

pytestmark = [pytest.mark.integration, pytest.mark.slow]

AS_OF = date(2026, 1, 31)
OURS = {"ledger", "sletteplikt"}

Conn = psycopg.Connection[Any]


def _schemas(conn: Conn) -> set[str]:
    return {
        row[0]
        for row in conn.execute("select nspname from pg_namespace where nspname !~ '^pg_'")
        if row[0] not in {"public", "information_schema"}
    }


def _contents(conn: Conn) -> dict[str, str]:
    """A digest of each sample table's rows, in key order."""
    digests = {}
    for table in TABLES:
        key = sql.SQL(", ").join(sql.Identifier(name) for name in table.key)
        query = sql.SQL("select md5(string_agg(t::text, chr(10) order by {})) from {} as t")
        row = conn.execute(query.format(key, table.identifier)).fetchone()
        assert row is not None
        digests[table.qualified] = row[0]
    return digests


def _count(conn: Conn, table: str) -> int:
    query = sql.SQL("select count(*) from {}").format(sql.Identifier(*table.split(".")))
    row = conn.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_an_empty_warehouse_gets_every_table_with_rows_key_and_marker(conn: Conn) -> None:
    summary = land_sample(conn, people=300, seed=3, as_of=AS_OF)
    assert not summary.kept
    assert summary.rows.keys() == {table.qualified for table in TABLES}
    for table in TABLES:
        assert summary.rows[table.qualified] == _count(conn, table.qualified) > 0, table.qualified
        keys = conn.execute(
            "select array_agg(a.attname::text order by array_position(i.indkey::int2[], a.attnum))"
            " from pg_index as i join pg_attribute as a"
            " on a.attrelid = i.indrelid and a.attnum = any(i.indkey)"
            " where i.indisprimary and i.indrelid = to_regclass(%s)",
            (table.qualified,),
        ).fetchone()
        assert keys is not None
        assert tuple(keys[0]) == table.key
    assert marked_schemas(conn) == landing_schemas(conn) == set(SCHEMAS)
    for schema in SCHEMAS:
        assert read_marker(conn, schema) == Marker(seed=3, people=300, as_of=AS_OF)


def test_columns_come_in_order_with_their_types(conn: Conn) -> None:
    land_sample(conn, people=0, seed=1, as_of=AS_OF)
    for table in TABLES:
        found = conn.execute(
            "select column_name, data_type from information_schema.columns"
            " where table_schema = %s and table_name = %s order by ordinal_position",
            (table.schema, table.name),
        ).fetchall()
        assert [tuple(row) for row in found] == [
            (
                column.name,
                "timestamp with time zone" if column.type == "timestamptz" else column.type,
            )
            for column in table.columns
        ]


def test_without_people_the_stories_are_all_there(conn: Conn) -> None:
    land_sample(conn, people=0, seed=1, as_of=AS_OF)
    told = tell_all(AS_OF)
    for name in ("crm.person", "crm.contact_event", "crm.assignment", "stripe.charge"):
        assert _count(conn, name) == sum(len(story.rows.get(name, ())) for story in told.values())


def test_what_a_story_says_is_what_lies_there(conn: Conn) -> None:
    land_sample(conn, people=20, seed=1, as_of=AS_OF)
    told = tell_all(AS_OF)
    for story in told.values():
        for row in story.rows.get("crm.contact_event", ()):
            found = conn.execute(
                "select occurred_at, notes, automated, duration_seconds from crm.contact_event"
                " where id = %s",
                (row["id"],),
            ).fetchone()
            assert found == tuple(
                row[name] for name in ("occurred_at", "notes", "automated", "duration_seconds")
            )


def test_the_same_arguments_land_the_same_bytes(conn: Conn) -> None:
    land_sample(conn, people=700, seed=5, as_of=AS_OF)
    first = _contents(conn)
    land_sample(conn, people=700, seed=5, as_of=AS_OF, replace=True)
    assert _contents(conn) == first
    land_sample(conn, people=700, seed=6, as_of=AS_OF, replace=True)
    assert _contents(conn) != first


def test_a_sample_that_is_there_is_kept(conn: Conn) -> None:
    landed = land_sample(conn, people=30, seed=5, as_of=AS_OF)
    before = _contents(conn)
    kept = land_sample(conn, people=90, seed=6, as_of=date(2026, 1, 30))
    assert kept.kept
    assert kept.marker == Marker(seed=5, people=30, as_of=AS_OF)
    assert kept.rows == landed.rows
    assert kept.total == landed.total
    assert _contents(conn) == before


def test_bulk_events_lie_between_the_beginning_of_time_and_the_as_of_date(conn: Conn) -> None:
    """Only lives that are about unusable dates have any."""
    land_sample(conn, people=1500, seed=2, as_of=AS_OF)
    for table, column in (
        ("crm.contact_event", "occurred_at"),
        ("crm.lead", "received_at"),
        ("crm.handover", "handed_over_at"),
        ("stripe.charge", "created"),
        ("twilio.call", "start_time"),
    ):
        query = sql.SQL(
            "select count(*) from {table} where id::text ~ '[1-9][0-9]{{6}}$' and not"
            " (({column} at time zone 'Europe/Oslo')::date between '1990-01-01' and %s)"
        ).format(
            table=sql.Identifier(*table.split(".")),
            column=sql.Identifier(column),
        )
        row = conn.execute(query, (AS_OF,)).fetchone()
        assert row == (0,), table


@pytest.mark.parametrize("schema", ["shop", "crm"])
@pytest.mark.parametrize("replace", [False, True])
def test_a_landing_schema_without_the_marker_is_left_alone(
    conn: Conn, schema: str, replace: bool
) -> None:
    conn.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    conn.execute(
        sql.SQL("create table {} as select 1 as id").format(sql.Identifier(schema, "person"))
    )
    conn.commit()
    with pytest.raises(Refused, match=f"landing schema '{schema}' does not bear") as refusal:
        land_sample(conn, people=5, seed=1, as_of=AS_OF, replace=replace)
    assert refusal.value.exit_code == 3
    assert _schemas(conn) == OURS | {schema}
    assert _count(conn, f"{schema}.person") == 1


def test_real_data_that_came_beside_the_sample_stops_a_replacement(conn: Conn) -> None:
    land_sample(conn, people=5, seed=1, as_of=AS_OF)
    conn.execute("create schema real_data")
    conn.commit()
    before = _contents(conn)
    with pytest.raises(Refused, match="'real_data' does not bear"):
        land_sample(conn, people=5, seed=2, as_of=AS_OF, replace=True)
    assert _contents(conn) == before


def test_a_table_in_public_is_landing_and_an_empty_public_is_not(conn: Conn) -> None:
    assert landing_schemas(conn) == set()
    conn.execute("create table public.shop_orders (id bigint)")
    conn.commit()
    with pytest.raises(Refused, match="'public'"):
        land_sample(conn, people=5, seed=1, as_of=AS_OF)


def test_our_own_schemas_are_no_landing(conn: Conn) -> None:
    for name in ("policy", "staging", "intermediate", "retention", "retention_as_of_2025_01_01"):
        conn.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))
    conn.commit()
    assert landing_schemas(conn) == set()
    assert not land_sample(conn, people=0, seed=1, as_of=AS_OF).kept


def test_a_replacement_drops_nothing_that_the_sample_did_not_make(conn: Conn) -> None:
    land_sample(conn, people=5, seed=1, as_of=AS_OF)
    conn.execute("create schema retention")
    conn.execute("create view retention.people as select id from crm.person")
    conn.commit()
    before = _contents(conn)
    with pytest.raises(Refused, match="'crm' holds or feeds something"):
        land_sample(conn, people=5, seed=2, as_of=AS_OF, replace=True)
    assert _contents(conn) == before
    assert _count(conn, "retention.people") == _count(conn, "crm.person")


def test_a_caller_that_rolls_back_leaves_nothing_behind(conn: Conn) -> None:
    conn.execute("select 1")
    land_sample(conn, people=5, seed=1, as_of=AS_OF)
    conn.rollback()
    assert _schemas(conn) == OURS


def test_without_an_open_transaction_it_is_committed_on_return(
    conn: Conn, settings: Settings
) -> None:
    land_sample(conn, people=5, seed=1, as_of=AS_OF)
    conn.rollback()
    with connect(settings) as other:
        assert marked_schemas(other) == set(SCHEMAS)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"people": -1}, "people is -1"),
        ({"people": 2_000_001}, "people is 2000001"),
        ({"seed": -1}, "seed is -1"),
        ({"as_of": date(2004, 12, 31)}, "as-of date 2004-12-31"),
        ({"as_of": date(9999, 1, 1)}, "as-of date 9999-01-01"),
    ],
)
def test_arguments_out_of_range_are_wrong_usage(
    conn: Conn, wrong: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        land_sample(conn, **{"people": 5, "seed": 1, "as_of": AS_OF, **wrong})
    assert _schemas(conn) == OURS


def test_an_unreadable_marker_still_marks(conn: Conn) -> None:
    conn.execute("create schema crm")
    conn.execute("comment on schema crm is 'sletteplikt-sample nonsense'")
    conn.commit()
    assert marked_schemas(conn) == {"crm"}
    assert read_marker(conn, "crm") is None
    assert read_marker(conn, "elsewhere") is None
    assert land_sample(conn, people=5, seed=1, as_of=AS_OF).marker is None


def test_a_million_records_would_take_well_under_a_minute(conn: Conn) -> None:
    started = time.monotonic()
    summary = land_sample(conn, people=12_000, seed=1, as_of=AS_OF)
    seconds = time.monotonic() - started
    assert summary.total > 200_000
    assert seconds / summary.total * 1_000_000 < 45


def _retention(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env={**environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_command_lands_then_keeps_then_replaces(
    command_environment: Mapping[str, str], conn: Conn
) -> None:
    arguments = ("sample", "--people", "40", "--seed", "9", "--as-of", "2026-01-31")
    landed = _retention(command_environment, *arguments, "--json")
    assert landed.returncode == 0, landed.stderr
    said = json.loads(landed.stdout)
    assert (said["kept"], said["people"], said["seed"]) == (False, 40, 9)
    assert said["as_of"] == "2026-01-31"
    assert said["total"] == sum(said["rows"].values())
    assert said["rows"]["crm.person"] == _count(conn, "crm.person")
    conn.commit()
    kept = _retention(command_environment, "sample")
    assert kept.returncode == 0
    assert "a sample was there and is kept: 40 people, seed 9, as of 2026-01-31" in kept.stdout
    replaced = _retention(command_environment, *arguments, "--replace", "--people", "41")
    assert replaced.returncode == 0
    assert "landed the sample: 41 people" in replaced.stdout


def test_the_command_refuses_beside_real_data_in_one_line(
    command_environment: Mapping[str, str], conn: Conn
) -> None:
    conn.execute("create schema shop")
    conn.commit()
    refused = _retention(command_environment, "sample", "--people", "5")
    assert refused.returncode == 3
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "Traceback" not in refused.stderr
    assert _schemas(conn) == OURS | {"shop"}


@pytest.mark.parametrize(
    "arguments",
    [("--as-of", "2026-02-30"), ("--as-of", "tomorrow"), ("--people", "-1"), ("--people", "x")],
)
def test_the_command_says_wrong_usage_in_its_exit_code(
    command_environment: Mapping[str, str], arguments: tuple[str, ...]
) -> None:
    wrong = _retention(command_environment, "sample", *arguments)
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr
