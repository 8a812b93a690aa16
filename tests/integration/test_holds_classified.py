"""What the models make of holds: the same records are held there as a purge would leave alone.

Belongs here: statuses and days after a whole classification of the sample with holds of every kind on
it. Does not belong here: what a purge does about them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from expectations.standing import integrity_findings
from retention import classify, holds
from retention.code_hash import code_hash
from retention.explain import explain
from retention.explanation import Explanation
from retention.ledger import classifications
from retention.plan import preview
from retention.settings import Settings
from retention.status import read_status
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import ClassifiedSample, sample_settings

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LAW = "foreldelsesloven § 14"
HELD, PARTNER_OF_HELD = 990001, 990002

# Two persons of one address, each a copy of one of the sample's; a mail from it, and a customer with it
# whose charge finds its person through the customer.
COUPLE: tuple[LiteralString, ...] = (
    """
    insert into crm.person
    select (jsonb_populate_record(p, jsonb_build_object(
        'id', n, 'email', 'Delt@familie.example', 'phone', null
    ))).*
    from crm.person as p, generate_series(990001, 990002) as n where p.id = 10
    """,
    """
    insert into crm.inbound_email
    select (jsonb_populate_record(m, jsonb_build_object(
        'id', 990009, 'from_address', 'delt@FAMILIE.example '
    ))).*
    from crm.inbound_email as m order by id limit 1
    """,
    """
    insert into stripe.customer
    select (jsonb_populate_record(c, '{"id": "cus_990009", "email": "delt@familie.example"}')).*
    from stripe.customer as c order by id limit 1
    """,
    """
    insert into stripe.charge
    select (jsonb_populate_record(c, '{"id": "ch_990009", "customer_id": "cus_990009"}')).*
    from stripe.charge as c order by id limit 1
    """,
    "insert into ledger.subject_tokens values ('crm.person:990001'), ('crm.person:990002')",
)


@dataclass(frozen=True)
class Held:
    """The classified sample; `restarted` is the assignment whose claim was acknowledged today."""

    settings: Settings
    conn: psycopg.Connection[Any]
    restarted: str

    def rows(self, query: LiteralString, *values: Any) -> Sequence[tuple[Any, ...]]:
        return self.conn.execute(query, values or None).fetchall()


@pytest.fixture(scope="module")
def held(
    server: Server,
    told_stories: ClassifiedSample,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Held]:
    database = str(told_stories.settings.database_url).rpartition("/")[2]
    name = server.create(template=database)
    settings = sample_settings(server, name, Path(tmp_path_factory.mktemp("held")))
    as_of = told_stories.as_of

    def hold(scope: holds.Scope, target: str, **options: Any) -> Any:
        given = {"kind": "hold", "reason": "a claim", "authority": "the court", **options}
        return holds.place(settings, scope=scope, target=target, **given)

    with connect(settings, autocommit=True) as conn:
        for statement in COUPLE:
            conn.execute(statement)
        overdue = conn.execute(
            "select distinct cases.assignment_id from retention.records as records"
            " join intermediate.int_record_cases as cases"
            " using (source_schema, source_table, record_key)"
            " where records.status = 'overdue' and records.rule_id = 'R4'"
            " and records.source_table = 'assignment' order by 1"
        ).fetchall()
        restarted, assignment = overdue[0][0], overdue[-1][0]
        assert restarted != assignment
        holds.release(settings, hold("assignment", restarted), restart=holds.Restart(LAW, as_of))
        hold("assignment", assignment, kind="restriction")
        hold("subject", f"crm.person:{HELD}", from_on=as_of.replace(year=as_of.year + 1))
        hold("table", "scrive.document", until_on=as_of)
        (first_lead,) = conn.execute(
            "select min(record_key) from retention.records where source_table = 'lead'"
            " and status = 'overdue'"
        ).fetchall()
        hold("record", f"crm.lead:{first_lead[0]}", kind="lock", until_on=as_of)
        conn.execute(
            "update ledger.blockers set from_on = from_on - 9, until_on = until_on - 2"
            " where scope = 'table'"
        )
        number = classifications.begin(conn, as_of, code_hash(settings))
        classify.build(settings, as_of)
        classifications.finish(conn, number)
        yield Held(settings, conn, restarted)
    server.drop(name)


def test_what_the_models_hold_is_what_a_purge_would_leave_alone(held: Held) -> None:
    """A record is never due in the one and held in the other, whatever day a hold begins or ends on."""
    disagreeing = held.rows(
        """
        with guarded as (
            select guard_key from ledger.guards where blockers > 0
            union
            select guard_key || ':' || unnest(records) from ledger.guards
        ),
        judged as (
            select
                records.source_table,
                records.record_key,
                records.status in ('held', 'restricted', 'locked') as is_blocked,
                coalesce('subject:' || cases.subject_token::text in (select guard_key from guarded), false)
                or coalesce('assignment:' || cases.assignment_id in (select guard_key from guarded), false)
                or 'table:' || records.source_schema || '.' || records.source_table
                in (select guard_key from guarded)
                or 'table:' || records.source_schema || '.' || records.source_table || ':'
                || records.record_key in (select guard_key from guarded)
                or exists (
                    select from intermediate.int_record_candidates as candidates
                    join ledger.subject_tokens as tokens using (subject_id)
                    where candidates.row_id = cases.row_id
                    and 'subject:' || tokens.subject_token::text in (select guard_key from guarded)
                ) as is_guarded,
                array_to_string(records.blocked_by, ',') like '%request:%' as is_requested
            from retention.records as records
            join intermediate.int_record_cases as cases
            using (source_schema, source_table, record_key)
        )
        select source_table, record_key, is_blocked, is_guarded from judged
        where is_blocked <> (is_guarded or is_requested)
        """
    )
    assert disagreeing == []
    blocked = dict(held.rows("select status, count(*) from retention.records group by status"))
    assert min(blocked[status] for status in ("held", "restricted", "locked")) > 0


def test_what_may_be_a_held_persons_is_held(held: Held) -> None:
    found = held.rows(
        "select source_table, status, disposition, blocked_by, subject_token from retention.records"
        " where record_key in ('990009', 'cus_990009', 'ch_990009') order by source_table"
    )
    assert [(table, status) for table, status, *_ in found] == [
        ("charge", "held"),
        ("customer", "held"),
        ("inbound_email", "held"),
    ]
    assert all(blockers == ["hold:subject"] and token is None for *_, blockers, token in found)
    # It waits for somebody's decision all the same.
    assert found[2][2] == "review"


def test_the_other_person_it_may_be_of_is_not_purged_meanwhile(held: Held) -> None:
    candidates = held.rows(
        "select distinct subject_id from intermediate.int_record_candidates order by 1"
    )
    assert {f"crm.person:{n}" for n in (HELD, PARTNER_OF_HELD)} <= {row[0] for row in candidates}
    (status,) = held.rows(
        "select status from retention.records where source_table = 'person' and record_key = '990002'"
    )
    assert status == ("overdue",)
    waiting = preview(held.settings).waiting
    assert waiting["a record that may be this person's is under review or held"] >= 1


def test_an_acknowledged_claim_runs_from_its_day_and_says_so(held: Held) -> None:
    kept = held.rows(
        "select records.source_table, records.status, records.anchor_on = records.as_of, records.reason"
        " from retention.records as records join intermediate.int_record_cases as cases"
        " using (source_schema, source_table, record_key) where cases.assignment_id = %s",
        held.restarted,
    )
    assert {table for table, *_ in kept} >= {"assignment"}
    for table, status, from_today, reason in kept:
        assert (status, from_today) == ("retained", True), table
        assert reason == f"its clock was restarted on {classify.today()} by {LAW}"
    key = held.rows(
        "select record_key from intermediate.int_record_cases"
        " where assignment_id = %s and source_table = 'assignment' limit 1",
        held.restarted,
    )[0][0]
    told = explain(held.conn, held.settings, "crm.assignment", key)
    assert isinstance(told, Explanation)
    assert told.record.reason is not None
    assert LAW in told.record.reason
    assert told.period is not None


def test_what_was_restarted_is_not_found_to_be_overdue_unflagged(held: Held) -> None:
    unflagged = held.rows(
        "select count(*) from retention.checked_records as checks"
        " join intermediate.int_record_cases as cases using (source_schema, source_table, record_key)"
        " where not checks.is_flagged_when_overdue"
        " and (cases.assignment_id = %s or cases.subject_id in"
        " (select subject_id from intermediate.int_assignments_decided where assignment_id = %s))",
        held.restarted,
        held.restarted,
    )
    assert unflagged == [(0,)]


def test_a_hold_past_its_day_is_a_finding_of_the_status(held: Held) -> None:
    found = read_status(held.conn, held.settings, integrity_findings)
    late = [one for one in found.findings if one.kind == "hold_past_its_day"]
    assert len(late) == 1
    assert "on a table" in late[0].message
