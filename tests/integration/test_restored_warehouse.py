"""A warehouse that was lost after a purge and restored from the backup before it, through dbt.

The sample's cases are classified, planned and approved; a backup is taken; a hold and a restriction are
placed, the plan is carried out; the warehouse is lost. What the backup brings back is recognised, planned,
approved and purged again, but for whom was held since and for who came back since. The tests stand in the
order of the story.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
import pytest

from landing.sample import land_sample
from landing.sample.tables import TABLES
from retention import classify, holds, plan, verify
from retention.errors import Refused
from retention.evidence import publish
from retention.plan import Plan
from retention.purge import execute
from retention.replay import BroughtBack, bring_back, what_came_back
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.backups import dump, restore
from tests.conftest import Server
from tests.integration.conftest import SAMPLE_SEED, sample_settings
from tests.integration.test_what_came_back import RECORDS, carry_out, classify_today
from tests.keys import make_keys

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# Persons of the sample's stories who are overdue, by what happens to them after the backup.
RETURNING = 50
HELD = 500
RESTRICTED = 10

Keys = set[tuple[str, str]]


@dataclass
class House:
    """The restored warehouse; what the lost one purged, and what stood there then of the blocked."""

    settings: Settings
    approver: Settings
    conn: psycopg.Connection[Any]
    as_of: date
    lost: Plan
    purged: Keys
    blocked: Keys
    refusal: str
    found: BroughtBack
    judged: dict[str, int]


def keys_of(conn: psycopg.Connection[Any], *persons: int) -> Keys:
    rows = conn.execute(
        "select source_schema || '.' || source_table, record_key"
        " from intermediate.int_record_cases where subject_id = any(%s)",
        ([f"crm.person:{person}" for person in persons],),
    ).fetchall()
    conn.commit()
    return set(rows)


def rows_in_landing(conn: psycopg.Connection[Any]) -> set[str]:
    found: set[str] = set()
    for table in TABLES:
        name = f"{table.schema}.{table.name}"
        rows = conn.execute(f"select '{name}' || landed::text from {name} as landed".encode())
        found |= {row[0] for row in rows.fetchall()}
    conn.commit()
    return found


@pytest.fixture(scope="module")
def house(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("restored")
    name = server.create()
    settings = sample_settings(server, name, folder)
    approver = dataclasses.replace(settings, database_url=server.approver_url(name))
    make_keys(settings)
    as_of = classify.today()
    with connect(settings) as conn:
        land_sample(conn, people=0, seed=SAMPLE_SEED, as_of=as_of)
        conn.commit()
        classify_today(settings, conn, as_of)
        made = plan.create(settings)
        plan.approve(approver, made.plan_id, made.digest)
        publish(settings)
        backup = dump(server, name, folder / "backup")
        for kind, person in (("hold", HELD), ("restriction", RESTRICTED)):
            holds.place(
                settings,
                kind=kind,  # type: ignore[arg-type]
                scope="subject",
                target=f"crm.person:{person}",
                reason="a complaint",
                authority="the court",
            )
        before = set(conn.execute(RECORDS).fetchall())
        execute(settings, made.plan_id)
        purged = before - set(conn.execute(RECORDS).fetchall())
        blocked = keys_of(conn, HELD, RESTRICTED)
    server.drop(name)

    name = restore(server, backup)
    settings = dataclasses.replace(settings, database_url=server.url(name))
    approver = dataclasses.replace(settings, database_url=server.approver_url(name))
    with connect(settings) as conn:
        conn.execute(
            "insert into crm.contact_event (id, person_id, occurred_at, channel, direction, outcome,"
            " automated, purpose) values (900000000, %s, now() - interval '5 days', 'email', 'inbound',"
            " 'received', false, 'inquiry')",
            (RETURNING,),
        )
        conn.commit()
        with pytest.raises(Refused) as refusal:
            execute(settings, made.plan_id)
        found = bring_back(settings)
        # Ten days ago, so that something can have happened since.
        conn.execute("update ledger.tombstones set purged_at = purged_at - interval '10 days'")
        conn.commit()
        classify_today(settings, conn, as_of)
        yield House(
            settings, approver, conn, as_of, made, purged, blocked, str(refusal.value), found,
            what_came_back(settings),
        )  # fmt: skip
    server.drop(name)


def test_before_the_replay_nothing_could_be_purged(house: House) -> None:
    assert "behind its latest checkpoint" in house.refusal
    assert len(house.purged) > 50
    assert house.blocked


def test_it_is_reported_how_much_came_back(house: House) -> None:
    assert house.found.rows["tombstones"] == len(house.purged)
    assert house.found.rows["blockers"] == 2
    assert sum(house.judged.values()) == len(house.purged)
    assert house.judged["due again"] > 50
    assert house.judged["a person who came back: a new record"] >= 1


def test_what_was_held_since_is_held(house: House) -> None:
    status = dict(
        house.conn.execute(
            "select record_key::int, status from retention.records"
            " where source_table = 'person' and record_key in (%s, %s)",
            (str(HELD), str(RESTRICTED)),
        ).fetchall()
    )
    house.conn.commit()
    assert status == {HELD: "held", RESTRICTED: "restricted"}


def test_in_the_end_no_purged_record_is_alive_and_no_held_one_gone(house: House) -> None:
    """The restore story: 0 purged records alive, 0 held records gone."""
    untouched = rows_in_landing(house.conn)
    new = set(
        house.conn.execute(
            "select source_schema || '.' || source_table, record_key"
            " from intermediate.int_returns_judged where verdict <> 'resurrection'"
        ).fetchall()
    )
    planned = plan.preview(house.settings)
    again = carry_out(house.settings, house.approver)
    left = set(house.conn.execute(RECORDS).fetchall())
    house.conn.commit()
    assert ("crm.person", str(RETURNING)) in left
    assert {key for table, key in left & house.purged if table == "crm.person"} == {str(RETURNING)}
    assert left & house.purged == new & house.purged
    assert house.blocked <= left
    gone = untouched - rows_in_landing(house.conn)
    outcome = plan.show(house.settings, again.plan_id).outcome
    assert len(gone) == outcome["purged"] + outcome.get("minimised", 0) <= planned.items
    assert verify.read_back(house.settings, again.plan_id).findings == ()
