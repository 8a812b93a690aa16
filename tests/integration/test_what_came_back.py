"""After a purge, a re-sync of every table: each row ends as requirements § 7 says.

One warehouse goes through the whole story: the sample's cases are classified, planned, approved and
purged; the source sends everything again, with some persons who really came back; what is a
resurrection is planned and purged again. The tests stand in that order.
"""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import jsonschema
import psycopg
import pytest

from expectations.standing import integrity_findings
from landing.sample import land_sample
from landing.sample.tables import TABLES
from orchestration.standing import read_standing
from retention import classify, holds, plan, verify
from retention.code_hash import code_hash
from retention.explain import explain
from retention.explanation import Explanation
from retention.ledger import classifications
from retention.plan import Plan
from retention.purge import execute
from retention.purge.external import UNCONFIRMED
from retention.purge.reclassified import STANDS_FOR_OTHERS
from retention.settings import Settings
from retention.status import read_status
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import SAMPLE_SEED, sample_settings
from tests.integration.test_status import SCHEMA
from tests.keys import make_keys

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# Persons of the sample's stories, by what happens to them after the purge.
AS_BEFORE = 10  # R1, everything comes back as it was
LEAD_BEFORE_ITS_CONTACT = 30  # R1, and a contact in time lands after the purge
RETURNING = 50  # R2, with a contact after the purge
HELD = 500
OURS = (AS_BEFORE, LEAD_BEFORE_ITS_CONTACT, RETURNING, HELD)


@dataclass
class House:
    """The warehouse, what its source holds, and the two plans."""

    settings: Settings
    approver: Settings
    conn: psycopg.Connection[Any]
    as_of: date
    first: Plan
    purged: set[tuple[str, str]]
    alone: int
    late: int

    def rows(self, query: str, *values: Any) -> list[Any]:
        found = self.conn.execute(query.encode(), values).fetchall()
        self.conn.commit()
        return found

    def one(self, query: str, *values: Any) -> Any:
        return self.rows(query, *values)[0][0]

    def run(self, statement: str, *values: Any) -> None:
        self.conn.execute(statement.encode(), values)
        self.conn.commit()

    def line(self, table: str, key: object) -> Any:
        """Status, rule and reason of a record of crm."""
        (found,) = self.rows(
            "select status, rule_id, reason from retention.records"
            " where source_schema = 'crm' and source_table = %s and record_key = %s",
            table,
            str(key),
        )
        return found


def classify_today(settings: Settings, conn: psycopg.Connection[Any], as_of: date) -> None:
    number = classifications.begin(conn, as_of, code_hash(settings))
    classify.build(settings, as_of)
    classifications.finish(conn, number)


def carry_out(settings: Settings, approver: Settings) -> Plan:
    made = plan.create(settings)
    plan.approve(approver, made.plan_id, made.digest)
    execute(settings, made.plan_id)
    return made


@pytest.fixture(scope="module")
def house(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("came-back"))
    approver = dataclasses.replace(settings, database_url=server.approver_url(name))
    make_keys(settings)
    as_of = classify.today()
    with connect(settings) as conn:
        land_sample(conn, people=0, seed=SAMPLE_SEED, as_of=as_of)
        conn.commit()
        for table in TABLES:
            conn.execute(
                f"create temporary table {table.schema}__{table.name}"
                f" as table {table.schema}.{table.name}".encode()
            )
        conn.commit()
        classify_today(settings, conn, as_of)
        before = set(conn.execute(RECORDS).fetchall())
        late = conn.execute(
            "select record_key::int from retention.records where source_table = 'person'"
            " and rule_id in ('R1', 'R2') and status = 'overdue' and due_on < as_of - 20"
            " and record_key::int <> all(%s) order by 1",
            (list(OURS),),
        ).fetchone()
        assert late is not None
        conn.commit()
        made = carry_out(settings, approver)
        purged = before - set(conn.execute(RECORDS).fetchall())
        # Ten days ago, so that something can have happened since.
        conn.execute("update ledger.tombstones set purged_at = purged_at - interval '10 days'")
        alone = _send_again(conn, purged, late[0])
        classify_today(settings, conn, as_of)
        yield House(settings, approver, conn, as_of, made, purged, alone, late[0])
    server.drop(name)


RECORDS = "select source_schema || '.' || source_table, record_key from retention.records"


def _send_again(conn: psycopg.Connection[Any], purged: set[tuple[str, str]], late: int) -> int:
    """The source sends every table again, and what it learned since; `late` wrote after the period had
    ended and before the purge. Returns a person whose own row comes back without any evidence."""
    ours = {*OURS, late}
    assert {("crm.person", str(person)) for person in ours} <= purged
    contacts = conn.execute(
        "select person_id, max(id) from crm__contact_event group by 1 order by 1"
    ).fetchall()
    alone = next(
        person
        for person, contact in contacts
        if person not in ours
        and {("crm.person", str(person)), ("crm.contact_event", str(contact))} <= purged
    )
    for table in TABLES:
        keys = ", ".join(f'"{column}"' for column in table.key)
        own = "true"
        if "person_id" in table.column_names:
            own = f"person_id is distinct from {alone}"
        name = f"{table.schema}.{table.name}"
        conn.execute(
            f"insert into {name} select * from {table.schema}__{table.name} where {own}"
            f" and ({keys}) not in (select {keys} from {name})".encode()
        )
    conn.execute("update crm.person set _fivetran_synced = now()")
    for number, (person, day) in enumerate(
        [
            (
                LEAD_BEFORE_ITS_CONTACT,
                "(select min(received_at) + interval '1 day' from crm.lead"
                " where person_id = %(person)s)",
            ),
            (RETURNING, "now() - interval '5 days'"),
            (late, "now() - interval '11 days'"),
        ]
    ):
        conn.execute(
            "insert into crm.contact_event (id, person_id, occurred_at, channel, direction, outcome,"
            f" automated, purpose) values (%(id)s, %(person)s, {day}, 'email', 'inbound', 'received',"
            " false, 'inquiry')".encode(),
            {"id": 900_000_000 + number, "person": person},
        )
    conn.commit()
    return int(alone)


def purged(house: House, made: Plan) -> int:
    """How many rows of a plan went: all but what is minimised, points to an object that no store has
    confirmed deleted, or shows why such a row stays."""
    outcome = dict(plan.show(house.settings, made.plan_id).outcome)
    went = outcome.pop("purged")
    waiting = {f"skipped: {reason}" for reason in (UNCONFIRMED, STANDS_FOR_OTHERS)}
    assert outcome.keys() <= {"minimised", *waiting}
    return went


def test_the_first_purge_left_no_row_and_no_key(house: House) -> None:
    assert purged(house, house.first) == len(house.purged) > 50


def test_nothing_that_came_back_as_it_was_is_taken_for_new(house: House) -> None:
    """Every row of the re-sync is due again, or waits for a person; the few that may live are those of
    the persons who came back."""
    alive = (
        set(house.rows(RECORDS + " where status in ('active', 'retained', 'due_soon')"))
        & house.purged
    )
    persons = (LEAD_BEFORE_ITS_CONTACT, RETURNING)
    assert {key for table, key in alive if table == "crm.person"} == {str(p) for p in persons}
    subjects = house.rows(
        "select distinct subject_id from intermediate.int_record_cases"
        " join unnest(%s::text[], %s::text[]) as alive (name, key)"
        " on source_schema || '.' || source_table = name and record_key = key",
        [table for table, _ in alive],
        [key for _, key in alive],
    )
    assert {subject for (subject,) in subjects} == {f"crm.person:{p}" for p in persons}
    assert len(house.purged & set(house.rows(RECORDS + " where status = 'overdue'"))) > 50


def test_what_came_back_as_it_was_is_due_again(house: House) -> None:
    assert house.line("person", AS_BEFORE) == (
        "overdue",
        "R1",
        "it was purged before and landed again",
    )
    assert (
        house.one(
            "select due_on from retention.records where source_table = 'person' and record_key = %s",
            str(AS_BEFORE),
        )
        == house.as_of
    )


def test_a_person_without_the_evidence_does_not_live_longer(house: House) -> None:
    assert house.line("person", house.alone)[::2] == (
        "overdue",
        "it was purged before and landed again",
    )


def test_a_lead_purged_before_its_contact_landed_is_a_customer(house: House) -> None:
    """The contact came in time: the lead moves to R3 with its person (§ 6), a normal clock runs."""
    assert house.line("person", LEAD_BEFORE_ITS_CONTACT)[:2] == ("retained", "R3")
    (lead,) = house.rows("select id from crm.lead where person_id = %s", LEAD_BEFORE_ITS_CONTACT)
    assert house.line("lead", lead[0])[:2] == ("retained", "R3")


def test_a_person_who_came_back_is_a_new_record(house: House) -> None:
    assert house.line("person", RETURNING)[:2] == ("retained", "R3")
    leads = house.rows("select id from crm.lead where person_id = %s", RETURNING)
    assert leads
    for (lead,) in leads:
        assert house.line("lead", lead)[0] == "overdue", "the old hand-over is none of the new"


def test_contact_after_the_period_but_before_the_purge_waits_for_a_person(house: House) -> None:
    assert house.line("person", house.late)[0] == "review"


def test_rows_that_were_never_purged_are_not_touched_by_it(house: House) -> None:
    known = set(
        house.rows(
            "select source_schema || '.' || source_table, record_key from ledger.returned_records"
        )
    )
    assert known <= house.purged
    assert len(known) > 50


def test_it_is_shown_everywhere(house: House) -> None:
    counted = house.one(
        "select count(*) from intermediate.int_returns_judged where verdict = 'resurrection'"
    )
    assert counted > 50
    with connect(house.settings, role="retention_reader", read_only=True, autocommit=True) as conn:
        found = read_status(conn, house.settings, integrity_findings)
        told = explain(conn, house.settings, "crm.person", str(AS_BEFORE))
        new = explain(conn, house.settings, "crm.person", str(RETURNING))
    assert found.resurrections == counted
    listed = [one for one in found.findings if one.kind == "resurrection"]
    assert sum(one.records or 0 for one in listed) == counted
    assert "check_failed" not in {one.kind for one in found.findings}
    assert read_standing(house.settings, house.as_of).whole()["resurrections"] == counted
    assert isinstance(told, Explanation)
    assert isinstance(new, Explanation)
    assert str(house.first.plan_id) in str(told.notes[0])
    assert "purged again" in str(told.notes[0])
    assert "new record" in str(new.notes[0])
    jsonschema.validate(json.loads(json.dumps(found.as_dict(), default=str)), SCHEMA)


def test_the_read_back_finds_what_came_back_and_no_one_who_did(house: House) -> None:
    result = verify.read_back(house.settings, house.first.plan_id)
    assert {"crm.person", "ledger.returned_records"} <= {one.where for one in result.findings}
    assert result.returned > 0


def test_it_is_planned_and_purged_again_but_for_what_is_held(house: House) -> None:
    holds.place(
        house.settings,
        kind="hold",
        scope="subject",
        target=f"crm.person:{HELD}",
        reason="a complaint",
        authority="the court",
    )
    new = house.rows(
        "select source_schema || '.' || source_table, record_key"
        " from intermediate.int_returns_judged where verdict <> 'resurrection'"
    )
    again = carry_out(house.settings, house.approver)
    assert again.items > 50
    left = set(house.rows(RECORDS))
    assert ("crm.person", str(AS_BEFORE)) not in left
    assert ("crm.person", str(house.alone)) not in left
    assert ("crm.person", str(HELD)) in left
    assert set(new) <= left, "what is newer, or waits for a person, stays"
    buried = house.one("select count(*) from ledger.tombstones where plan_id = %s", again.plan_id)
    assert buried == purged(house, again)
    assert not house.rows(
        "select 1 from ledger.returned_records as returned where not exists ("
        " select from retention.records as records where records.record_key = returned.record_key"
        " and records.source_table = returned.source_table)"
    ), "no key is left in the ledger"
