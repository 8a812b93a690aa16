"""Withdrawn consents and objections through the real models, from landing to the next classification.

Belongs here: one build of the sample's stories before the erasure and one after it. Does not belong here:
single cases (test_consent_withdrawn.py) and what each model decides (dbt's own unit tests).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
import pytest

from expectations import Outcome, run_checks
from landing.sample import land_sample
from retention import classify, returns, verify
from retention.code_hash import code_hash
from retention.declarations import load_declarations
from retention.ledger import classifications
from retention.plan import create_decided
from retention.purge import execute
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import SAMPLE_SEED, sample_settings
from tests.keys import make_keys

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# The stories' own numbers: persons, and the rows of each.
RETAINED, OVERDUE, COOKIES, AGAIN, SHARING, HELD = 830, 831, 840, 850, 860, 870
GIVEN = 120  # union_lead_with_consent


@dataclass(frozen=True)
class Warehouse:
    settings: Settings
    conn: psycopg.Connection[Any]

    def classify(self) -> None:
        begun = classifications.begin(self.conn, classify.today(), code_hash(self.settings))
        self.conn.commit()
        classify.build(self.settings, classify.today())
        classifications.finish(self.conn, begun)
        self.conn.commit()

    def one(self, query: str, *values: object) -> Any:
        row = self.conn.execute(query, values).fetchone()  # type: ignore[call-overload]
        self.conn.commit()
        return row[0] if row else None

    def lead(self, person: int) -> tuple[str, str, date, str]:
        row = self.conn.execute(
            "select category, rule_id, anchor_on, status from retention.records"
            " where source_table = 'lead' and record_key = %s",
            (str(person * 100),),
        ).fetchone()
        self.conn.commit()
        assert row is not None
        return row

    def partner(self, person: int) -> int | None:
        found: int | None = self.one("select partner_id from crm.lead where id = %s", person * 100)
        return found


@pytest.fixture(scope="module")
def erased(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The sample's stories, classified, with what was decided of withdrawals carried out."""
    database = server.create()
    settings = sample_settings(server, database, tmp_path_factory.mktemp("consent"))
    with connect(settings) as conn:
        land_sample(conn, people=0, seed=SAMPLE_SEED, as_of=classify.today())
        conn.commit()
        make_keys(settings)
        made = Warehouse(settings, conn)
        made.classify()
        yield made
    server.drop(database)


def failing(warehouse: Warehouse) -> set[str]:
    """The checks that do not pass: what the stories leave overdue or undecided, and nothing of ours."""
    results = run_checks(warehouse.settings, classify.today())
    return {result.name for result in results if result.outcome is not Outcome.PASSED}


def test_a_withdrawal_is_carried_out_and_the_lead_keeps_its_rule(erased: Warehouse) -> None:
    before = {person: erased.lead(person) for person in (RETAINED, OVERDUE, GIVEN, SHARING)}
    failed = failing(erased)
    assert (
        erased.one("select count(*) from ledger.erasure_decisions where basis = 'withdrawal'") >= 4
    )
    plan = create_decided(erased.settings)
    assert plan.state == "approved"
    assert {count.rule_id for count in plan.counts} == {"CONSENT"}
    execute(erased.settings, plan.plan_id)
    assert verify.read_back(erased.settings, plan.plan_id).findings == ()
    assert [erased.partner(person) for person in (RETAINED, OVERDUE)] == [None, None]
    assert [erased.partner(person) for person in (GIVEN, SHARING)] == [3, 1]
    events = erased.one("select array_agg(user_id order by user_id) from google_analytics.event")
    assert str(COOKIES) not in events
    assert {str(AGAIN), str(HELD)} <= set(events)
    assert erased.one("select count(*) from new_relic.page_view where person_id = %s", COOKIES) == 1
    assert erased.one("select count(*) from crm.consent where person_id = %s", COOKIES) == 1
    erased.classify()
    assert {person: erased.lead(person) for person in before} == before
    assert before[RETAINED][:2] == ("lead_partner", "R1")
    assert failing(erased) <= failed


def test_who_may_be_written_to_and_shared_back(erased: Warehouse) -> None:
    """Allowed are customers whose points were looked at; an objection takes its person off."""
    email = erased.one(
        "select person.email from retention.marketing_recipients as recipients"
        " join crm.person as person on recipients.record_key = person.id::text limit 1"
    )
    assert email is not None
    leads = "select count(*) from retention.marketing_recipients join retention.records"
    assert (
        erased.one(
            leads + " using (source_schema, source_table, record_key)"
            " where records.rule_id in ('R1', 'R2') or records.status in ('overdue', 'held')"
        )
        == 0
    )
    assert (
        erased.one(
            "select count(*) from retention.sharing_allowed where record_key = %s", str(SHARING)
        )
        == 0
    )
    erased.conn.execute(
        "insert into crm.marketing_objection (email, objected_at) values (upper(%s), now())",
        (email,),
    )
    erased.conn.commit()
    returns.recognise(erased.settings, load_declarations(erased.settings.declarations_dir))
    assert erased.one(
        "select suppressed from ledger.contact_points_checked"
        " where link_hash = sletteplikt.link_hash('email', %s)",
        email,
    )
    erased.classify()
    assert (
        erased.one(
            "select count(*) from retention.marketing_recipients as recipients"
            " join crm.person as person on recipients.record_key = person.id::text"
            " where lower(person.email) = lower(%s)",
            email,
        )
        == 0
    )
    assert erased.one("select count(*) from retention.marketing_recipients") > 0
