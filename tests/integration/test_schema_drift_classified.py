"""The classification after the connectors changed landing: what it sets aside, and what it says.

Belongs here: Fivetran's own DDL between two builds of the models by dbt, and the daily job. Does not
belong here: a plan that was approved before (test_schema_drift.py).

The base is classified once; each test works on a copy of its database, and changes many tables at once,
since the models take seconds to build.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from landing.sample import land_sample
from orchestration.run import run_job
from retention import classify, plan
from retention.code_hash import code_hash
from retention.coverage.examine import remember_today
from retention.declarations import load_declarations
from retention.findings import Finding
from retention.ledger import classifications
from retention.settings import Settings
from retention.status import read_status
from retention.warehouse.connection import connect
from tests import fivetran_ddl as fivetran
from tests.conftest import Server
from tests.fivetran_ddl import Statements
from tests.integration.conftest import sample_settings
from tests.integration.test_purge_races import in_background
from tests.keys import make_keys

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PEOPLE = 60
SEED = 7

#: Longer than one staging table takes to make, much shorter than a classification.
CONNECTORS_PATIENCE_MS = 2_000


@dataclass
class Drifting:
    """A copy of the base, to be changed and classified again."""

    settings: Settings
    conn: psycopg.Connection[Any]

    def connector(self, *statements: Statements) -> float:
        """Run each list of statements as a connector does; the seconds of the one that took longest."""
        longest = 0.0
        with connect(self.settings, autocommit=True) as session:
            session.execute(f"set lock_timeout = {CONNECTORS_PATIENCE_MS}")
            for transaction in statements:
                begun = time.monotonic()
                with session.transaction():
                    for statement in transaction:
                        session.execute(statement)
                longest = max(longest, time.monotonic() - begun)
        return longest

    def classify(self) -> None:
        with connect(self.settings, autocommit=True) as session:
            begun = classifications.begin(session, classify.today(), code_hash(self.settings))
        classify.build(self.settings, classify.today())
        with connect(self.settings, autocommit=True) as session:
            classifications.finish(session, begun)

    def records(self, *, leave_out: Sequence[str] = ()) -> set[str]:
        """Every record, all its columns, but those of the tables left out."""
        rows = self.conn.execute(
            "select r::text from retention.records as r"
            " where source_schema || '.' || source_table <> all(%s)",
            (list(leave_out),),
        ).fetchall()
        return {row[0] for row in rows}

    def tables(self) -> set[str]:
        """The tables that have records."""
        rows = self.conn.execute(
            "select distinct source_schema || '.' || source_table from retention.records"
        ).fetchall()
        return {row[0] for row in rows}

    def one(self, query: str, *values: Any) -> Any:
        row = self.conn.execute(query, values).fetchone()
        assert row is not None
        return row[0]

    def column(self, query: str) -> list[Any]:
        return [row[0] for row in self.conn.execute(query).fetchall()]

    def findings(self) -> tuple[Finding, ...]:
        """What `retention status` says."""
        return read_status(self.conn, self.settings, lambda conn, classification: ()).findings

    def our_relations(self) -> int:
        return int(
            self.one(
                "select count(*) from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
                " where nspname in ('policy', 'staging', 'intermediate', 'retention', 'ledger')"
            )
        )


@pytest.fixture(scope="module")
def base(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with a classified sample, small but with a row in every table; what its
    catalogue held is known."""
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("before-the-drift"))
    with connect(settings) as conn:
        land_sample(conn, people=PEOPLE, seed=SEED, as_of=classify.today())
    remember_today(settings, load_declarations(settings.declarations_dir))
    classify.build(settings, classify.today())
    yield name
    server.drop(name)


@pytest.fixture
def copy(base: str, server: Server, tmp_path: Path) -> Iterator[Drifting]:
    name = server.create(template=base)
    settings = sample_settings(server, name, tmp_path)
    with connect(settings, autocommit=True) as conn:
        yield Drifting(settings, conn)
    server.drop(name)


#: What reads the same afterwards: nothing of it changes a record.
HARMLESS: dict[str, Statements] = {
    "added": fivetran.add_column("crm.lead", "mood"),
    "added by the connector itself": fivetran.add_column("crm.lead", "_fivetran_index", "integer"),
    "unread and dropped": fivetran.drop_column("crm.person", "housing_type", cascade=True),
    "unread and renamed": fivetran.rename_column("crm.person", "address", "street_address"),
    "unread, of another type": fivetran.change_type("crm.contact_event", "notes", "varchar(10000)"),
    "a larger number": fivetran.change_type("crm.lead", "person_id", "numeric(38,0)"),
    "a number as text": fivetran.promote("crm.contact_event", "person_id", "text"),
    "a key as text": fivetran.change_type("crm.handover", "id", "text"),
}
RELOADED: dict[str, Callable[[str, list[str]], Statements]] = {
    "crm.inbound_email": lambda source, key: fivetran.drop_and_reload(
        "crm.inbound_email", source, key, cascade=True
    ),
    "crm.assignment": lambda source, key: fivetran.swap("crm.assignment", source, key),
    "crm.recording": lambda source, _: fivetran.truncate_and_reload("crm.recording", source),
    "crm.product_order": lambda source, key: fivetran.drop_and_reload(
        "crm.product_order", source, key, cascade=False
    ),
}

#: What cannot be read as declared, each by the table that is set aside for it.
UNREADABLE: dict[str, Statements] = {
    "crm.assignment_document": fivetran.rename_table("crm.assignment_document", "document"),
    "crm.business_contact": fivetran.drop_table("crm.business_contact", cascade=True),
    "crm.consent": fivetran.drop_column("crm.consent", "person_id", cascade=True),
    "scrive.signatory": fivetran.rename_column("scrive.signatory", "id", "signatory_id"),
    "google_analytics.event": fivetran.drop_schema("google_analytics"),
    "new_relic.page_view": fivetran.rename_schema("new_relic", "newrelic"),
    "aws_agreements.contract_party": fivetran.drop_table("aws_agreements.contract_party"),
    "twilio.message": fivetran.promote("twilio.message", "created_at", "text"),
    "stripe.refund": fivetran.change_type("stripe.refund", "created", "date"),
    "scrive.authentication": fivetran.change_type(
        "scrive.authentication", "authenticated_at", "jsonb", using="to_jsonb(authenticated_at)"
    ),
}

#: What is said of some of them.
SAID = {
    "crm.assignment_document": "was it renamed to crm.document?",
    "scrive.signatory": "write `signatory_id` for `id`",
    "new_relic.page_view": "was it renamed to newrelic.page_view?",
    "crm.business_contact": "is declared and missing",
    "twilio.message": "text, at first timestamp with time zone. Next: see that keys and dates",
}


def reload(drifting: Drifting) -> list[Statements]:
    """Reloads, from a copy of what is landed now, which is what the source has."""
    drifting.conn.execute("create schema source")
    acts = []
    for number, (table, act) in enumerate(RELOADED.items()):
        drifting.conn.execute(f"create table source.t{number} as table {table}")
        key = ["id", "_fivetran_start"] if table == "crm.assignment" else ["id"]
        acts.append(act(f"source.t{number}", key))
    return acts


def test_no_ddl_waits_for_our_models_or_takes_them_along(copy: Drifting) -> None:
    """Behind a classification nothing of ours depends on a landing table and no lock is held."""
    relations = copy.our_relations()
    for statements in [*HARMLESS.values(), *reload(copy), *UNREADABLE.values()]:
        assert copy.connector(statements) < 1
    assert copy.our_relations() == relations


def test_what_reads_the_same_changes_no_record(copy: Drifting) -> None:
    before = copy.records()
    copy.connector(*HARMLESS.values(), *reload(copy))
    copy.conn.execute("drop schema source cascade")
    copy.classify()
    assert copy.records() == before


def test_what_cannot_be_read_is_set_aside_and_the_rest_is_as_before(copy: Drifting) -> None:
    kept = copy.records(leave_out=list(UNREADABLE))
    before = copy.tables()
    assert set(UNREADABLE) < before, before
    copy.connector(*UNREADABLE.values())
    copy.classify()
    assert copy.records() == kept
    assert copy.tables() == before - set(UNREADABLE)
    found = copy.findings()
    told = {f.table: f.message for f in found if f.kind == "table_set_aside"}
    assert set(told) == set(UNREADABLE)
    for table, words in SAID.items():
        assert words in told[table]
    assert all("Next: " in message and "__sources.yml" in message for message in told.values())


def test_a_connector_never_waits_for_a_whole_classification(copy: Drifting) -> None:
    """A model reads a landing table in a transaction of its own: whoever changes one waits for that model
    at most, and the models are built all the same."""
    before = copy.records()
    stop = threading.Event()
    waits: list[float] = []

    def change_all_the_time() -> None:
        tables = sorted(copy.tables())
        while not stop.is_set():
            for table in tables:
                name = f"x_{len(waits)}"
                acts = fivetran.add_column(table, name), fivetran.drop_column(table, name)
                waits.append(copy.connector(*acts))
                time.sleep(0.02)

    with in_background(change_all_the_time) as changing:
        try:
            copy.classify()
        finally:
            stop.set()
        changing.result(timeout=60)
    assert len(waits) > 50
    assert max(waits) < CONNECTORS_PATIENCE_MS / 1000
    assert copy.records() == before


def test_the_daily_job_plans_what_drift_does_not_reach(copy: Drifting) -> None:
    """A whole night after all of it: the job ends well, and says in its plan what waits for what. Without
    consents nobody would be planned at all (the test after this one)."""
    make_keys(copy.settings)
    unreadable = {name: acts for name, acts in UNREADABLE.items() if name != "crm.consent"}
    copy.connector(*HARMLESS.values(), *reload(copy), *unreadable.values())
    copy.conn.execute("drop schema source cascade")
    assert run_job(copy.settings, "apply_retention").success
    planned = set(
        copy.column("select distinct source_schema || '.' || source_table from ledger.plan_items")
    )
    assert planned
    assert not planned & set(unreadable)


@pytest.mark.parametrize(
    ("facts", "gone"), [("twilio.call", "start_time"), ("crm.consent", "person_id")]
)
def test_without_a_table_of_facts_nobody_it_knows_of_is_planned(
    copy: Drifting, facts: str, gone: str
) -> None:
    """Twilio's calls make a lead a customer, and a consent that was given anew ends its withdrawal: while
    they cannot be read, no lead of the CRM may go."""
    make_keys(copy.settings)
    copy.connector(fivetran.drop_column(facts, gone, cascade=True))
    copy.classify()
    assert "crm.lead" in copy.tables(), "its records are classified all the same"
    found = plan.preview(copy.settings)
    assert found.waiting[f"it depends on {facts}, which is set aside"] > 0
    assert not {"crm.person", "crm.lead"} & {count.table for count in found.counts}


def test_versions_under_a_key_that_tells_none_apart_are_reviewed(copy: Drifting) -> None:
    """A table switched to history mode, declared as before: a row that has two versions has no key of its
    own, and is never purged; every other row is as it was."""
    others = copy.records(leave_out=["crm.lead"])
    statuses = "select record_key, status from retention.records where source_table = 'lead'"
    before = dict(copy.conn.execute(statuses).fetchall())
    overdue = next(key for key, status in before.items() if status == "overdue")
    copy.connector(
        fivetran.to_history_mode("crm.lead", ["id"]),
        fivetran.new_version(
            "crm.lead", ["id", "person_id", "partner_id", "received_at"], f"id = {overdue}"
        ),
    )
    copy.classify()
    after = copy.conn.execute(statuses).fetchall()
    assert sorted(status for key, status in after if key == overdue) == ["review", "review"]
    assert {key: status for key, status in after if key != overdue} == {
        key: status for key, status in before.items() if key != overdue
    }
    assert copy.records(leave_out=["crm.lead"]) <= others
