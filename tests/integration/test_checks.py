"""Each check finds the one thing it is there for, and nothing else does.

Each test damages a copy of the classified sample in one place. Where the damage lies before a mart that
is built as a table, the mart is built again with dbt's own compiled SQL.
"""

import dataclasses
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString, cast
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from expectations import CheckResult, Outcome, Severity, require_integrity, run_checks
from expectations.context import warehouse_source
from orchestration.assets.findings import FINDINGS
from orchestration.checks import asset_check_result, said
from retention import classify, holds, plan
from retention.code_hash import code_hash
from retention.errors import Refused, UsageError
from retention.ledger import classifications
from retention.settings import Settings
from retention.warehouse.connection import connect, warehouse_url
from tests.conftest import Server
from tests.integration.conftest import ClassifiedSample, sample_settings
from tests.keys import make_keys

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# The sample's own findings: it is made to have them.
FOUND_IN_THE_SAMPLE = {"nothing_overdue", "nothing_left_to_minimise", "everything_classified"}


@dataclasses.dataclass
class Warehouse:
    """A copy of the classified sample that a test may damage."""

    settings: Settings
    conn: psycopg.Connection[Any]
    original: ClassifiedSample

    def run(self, statement: LiteralString, *values: Any) -> int:
        """Run one statement; returns how many rows it changed."""
        return self.conn.execute(statement, values).rowcount

    def rebuild(self, mart: str) -> None:
        """Build an audit mart again from what lies before it now."""
        compiled = classify.target_path(self.original.settings) / "compiled"
        (path,) = compiled.rglob(f"marts/audit/{mart}.sql")
        text = path.read_text(encoding="utf-8").replace(f'"{database(self.original)}".', "")
        with self.conn.transaction():
            self.conn.execute(
                sql.SQL("create temporary table built on commit drop as {}").format(
                    sql.SQL(cast(LiteralString, text))
                )
            )
            table = sql.Identifier("retention", mart)
            self.conn.execute(sql.SQL("delete from {}").format(table))
            self.conn.execute(sql.SQL("insert into {} select * from built").format(table))

    def results(self) -> dict[str, CheckResult]:
        return {result.name: result for result in run_checks(self.settings)}

    def failing(self) -> set[str]:
        """The checks that fail beyond those that fail on the sample as it is."""
        results = self.results()
        return {name for name, r in results.items() if not r.passed} - FOUND_IN_THE_SAMPLE

    def classified(self) -> None:
        """Say that the classification that is there was made today by this code."""
        make_keys(self.settings)
        # Copies are found by the manifest that a classification leaves.
        left = classify.target_path(self.original.settings) / "manifest.json"
        target = classify.target_path(self.settings)
        target.mkdir(parents=True)
        (target / left.name).write_bytes(left.read_bytes())
        number = classifications.begin(self.conn, classify.today(), code_hash(self.settings))
        classifications.finish(self.conn, number)


@pytest.fixture
def warehouse(
    server: Server, classified_sample: ClassifiedSample, tmp_path: Path
) -> Iterator[Warehouse]:
    name = server.create(template=database(classified_sample))
    settings = sample_settings(server, name, tmp_path)
    with connect(settings, autocommit=True) as conn:
        yield Warehouse(settings, conn, classified_sample)
    server.drop(name)


def database(sample: ClassifiedSample) -> str:
    assert sample.settings.database_url is not None
    return urlsplit(sample.settings.database_url).path.strip("/")


def test_the_sample_fails_only_the_checks_that_it_is_made_to_fail(warehouse: Warehouse) -> None:
    results = warehouse.results()
    assert {name for name, result in results.items() if not result.passed} == FOUND_IN_THE_SAMPLE
    assert all(result.outcome is not Outcome.NOT_EVALUATED for result in results.values())
    records = warehouse.conn.execute("select count(*) from retention.records").fetchone()
    assert records is not None
    for name in ("nothing_overdue_unflagged", "population_reconciles"):
        assert results[name].evaluated == records[0]


@pytest.mark.parametrize(
    ("check", "damage", "mart"),
    [
        pytest.param(
            "nothing_overdue_unflagged",
            "update retention.records set status = 'retained' where record_key ="
            " (select min(record_key) from retention.records where status = 'overdue'"
            " and source_table = 'person') and source_table = 'person'",
            "record_checks",
            id="an overdue record shown as retained",
        ),
        pytest.param(
            "nothing_overdue_unflagged",
            "update retention.records set status = 'active', due_on = null, last_day = null"
            " where record_key = (select min(record_key) from retention.records"
            " where status = 'overdue' and source_table = 'charge') and source_table = 'charge'",
            "record_checks",
            id="an overdue document shown as one without a clock",
        ),
        pytest.param(
            "one_category_and_status",
            "update retention.records set category = 'invented' where record_key ="
            " (select min(record_key) from retention.records where source_table = 'lead')"
            " and source_table = 'lead'",
            "record_checks",
            id="a category that the policy does not know",
        ),
        pytest.param(
            "one_category_and_status",
            "update retention.records set record_key = (select max(record_key) from"
            " retention.records where source_table = 'lead') where source_table = 'lead'"
            " and record_key = (select min(record_key) from retention.records"
            " where source_table = 'lead')",
            "record_checks",
            id="one record twice and another not at all",
        ),
        pytest.param(
            "due_after_anchor",
            "update retention.records set anchor_on = due_on where source_table = 'lead'"
            " and record_key = (select min(record_key) from retention.records"
            " where source_table = 'lead' and status = 'overdue')",
            "record_checks",
            id="due on the day of the event",
        ),
        pytest.param(
            "due_after_anchor",
            "update retention.records set last_day = last_day + 30 where source_table = 'lead'"
            " and record_key = (select min(record_key) from retention.records"
            " where source_table = 'lead' and status = 'retained')",
            "record_checks",
            id="due before the last day",
        ),
        pytest.param(
            "anchors_possible",
            "update retention.records set anchor_on = null where source_table = 'lead'"
            " and record_key = (select min(record_key) from retention.records"
            " where source_table = 'lead' and status = 'overdue')",
            "record_checks",
            id="a deadline without an anchor",
        ),
        pytest.param(
            "anchors_possible",
            "update intermediate.int_records_unioned set anchor_on = '2990-01-01'"
            " where source_table = 'charge' and record_key = (select min(record_key)"
            " from retention.records where source_table = 'charge' and status = 'overdue')",
            "record_checks",
            id="a future date, with nobody looking at it",
        ),
        pytest.param(
            "population_reconciles",
            "delete from retention.records where source_table = 'lead'"
            " and record_key = (select min(record_key) from retention.records"
            " where source_table = 'lead')",
            "population_checks",
            id="a landing row without a record",
        ),
        pytest.param(
            "population_reconciles",
            "delete from crm.lead where id = (select min(id) from crm.lead)",
            "population_checks",
            id="a record without a landing row",
        ),
        pytest.param(
            "population_reconciles",
            "update retention.summary set records = records + 1 where ctid ="
            " (select min(ctid) from retention.summary)",
            "population_checks",
            id="a sum that is no sum",
        ),
        pytest.param(
            "review_within_deadline",
            "update retention.review_queue set is_in_time = false,"
            " review_by = as_of - 1 where ctid = (select min(ctid) from retention.review_queue)",
            None,
            id="a decision that is late",
        ),
        pytest.param(
            "everything_declared",
            "create table crm.brand_new (id bigint)",
            None,
            id="a table that nobody declared",
        ),
        pytest.param(
            "everything_declared",
            "alter table crm.person add shoe_size text",
            None,
            id="a column that nobody declared",
        ),
        pytest.param(
            "everything_declared",
            "alter table crm.person drop column housing_type",
            None,
            id="a declared column that is gone",
        ),
        pytest.param(
            "everything_declared",
            "drop table crm.business_contact",
            None,
            id="a declared table that is gone",
        ),
        pytest.param(
            "everything_declared",
            "create table public.leftover (id bigint)",
            None,
            id="a table in a schema of nobody",
        ),
    ],
)
def test_a_check_finds_what_it_is_there_for(
    warehouse: Warehouse, check: str, damage: LiteralString, mart: str | None
) -> None:
    warehouse.run(damage)
    if mart:
        warehouse.rebuild(mart)
    results = warehouse.results()
    assert results[check].outcome is Outcome.FAILED
    assert results[check].failing >= 1
    # A record that is not there at all fails everything that is asked of a record.
    others = (
        {"anchors_possible", "nothing_overdue_unflagged"} if "max(record_key)" in damage else set()
    )
    assert warehouse.failing() - others == {check}


def test_the_failing_count_is_of_records_and_names_table_and_rule(warehouse: Warehouse) -> None:
    changed = warehouse.run(
        "update retention.records set status = 'retained' where status = 'overdue'"
        " and source_table = 'lead' and rule_id = 'R1'"
    )
    assert changed > 1
    warehouse.rebuild("record_checks")
    result = warehouse.results()["nothing_overdue_unflagged"]
    assert result.failing == changed
    assert [(c.table, c.rule_id, c.records) for c in result.counts] == [("crm.lead", "R1", changed)]


def test_what_a_load_writes_meanwhile_is_told_apart_from_what_was_lost(
    warehouse: Warehouse,
) -> None:
    """New and changed rows come from later transactions than the one that read the table; a row that
    has gone, or a record that was never made, is still found among them."""
    warehouse.run("insert into crm.lead (id) select -n from generate_series(1, 3) as n")
    warehouse.run("update crm.lead set campaign = 'another' where id > 0 and mod(id, 2) = 0")
    warehouse.rebuild("population_checks")
    result = warehouse.results()["population_reconciles"]
    assert result.passed
    assert result.details["landed_since"] > 3
    warehouse.run("delete from crm.lead where id <= (select max(id) from crm.lead where id < 0)")
    warehouse.run("delete from crm.lead where id = (select min(id) from crm.lead)")
    warehouse.rebuild("population_checks")
    assert warehouse.failing() == {"population_reconciles"}


def test_a_table_that_is_set_aside_breaks_no_balance(warehouse: Warehouse) -> None:
    """It has no records, and its rows are counted as set aside; everything else still reconciles."""
    warehouse.run("delete from retention.records where source_table = 'business_contact'")
    warehouse.run("delete from retention.summary where source_table = 'business_contact'")
    warehouse.run("update retention.population_checks set is_set_aside = true where false")
    warehouse.rebuild("population_checks")
    assert warehouse.failing() == {"population_reconciles"}
    warehouse.run("drop table crm.business_contact")
    result = warehouse.results()["everything_declared"]
    assert (result.details["missing_table"], result.details["set_aside"]) == (1, 1)
    assert not result.stops_plan


def test_a_difference_is_as_bad_as_the_policy_says(warehouse: Warehouse) -> None:
    """One error makes the check an error; it never stops a plan, which leaves out what is withheld."""
    good = warehouse.results()["everything_declared"]
    assert good.passed
    assert good.details["columns_finding"] == 0
    warehouse.run("create view crm.shown as select 1 as one")
    warned = warehouse.results()["everything_declared"]
    assert (warned.outcome, warned.severity) == (Outcome.FAILED, Severity.WARN)
    assert (warned.details["undeclared_view"], warned.details["warn"]) == (1, 1)
    warehouse.run("alter table crm.person add column shoe_size text")
    failed = warehouse.results()["everything_declared"]
    assert (failed.outcome, failed.severity) == (Outcome.FAILED, Severity.ERROR)
    assert (failed.details["error"], failed.details["withheld"]) == (1, 1)
    assert {count.table: count.records for count in failed.counts} == {
        "crm.person": 1,
        "crm.shown": 1,
    }
    assert not failed.stops_plan
    for what, added in (("tables", 1), ("columns", 2)):
        before = sum(good.details[f"{what}_{state}"] for state in ("declared", "exempt"))
        after = sum(failed.details[f"{what}_{s}"] for s in ("declared", "exempt", "finding"))
        assert after == before + added


@pytest.mark.parametrize(
    ("days_over", "severity"),
    [(0, Severity.WARN), (1, Severity.ERROR)],
    ids=["last day of grace", "first day after it"],
)
def test_overdue_is_a_warning_until_the_days_of_grace_are_over(
    warehouse: Warehouse, days_over: int, severity: Severity
) -> None:
    row = warehouse.conn.execute("select grace_days, as_of from intermediate.int_clock").fetchone()
    assert row is not None
    oldest = row[1] - timedelta(days=row[0] + days_over)
    warehouse.run(
        "update retention.record_checks set oldest_due_on = %s where not is_not_overdue", oldest
    )
    result = warehouse.results()["nothing_overdue"]
    assert result.outcome is Outcome.FAILED
    assert result.severity is severity
    assert result.oldest_on == oldest
    assert not result.stops_plan


def test_a_plan_may_not_hold_what_was_blocked_when_it_was_frozen(warehouse: Warehouse) -> None:
    """Record by record: the hold is on one assignment, and the person's other records stay planned."""
    warehouse.classified()
    made = plan.create(warehouse.settings)
    row = warehouse.conn.execute(
        "select cases.assignment_id, cases.subject_token from ledger.plan_items as items"
        " join intermediate.int_record_cases as cases using (source_schema, source_table, record_key)"
        " where cases.assignment_id is not null and exists (select from ledger.plan_items as other"
        " where other.subject_token = cases.subject_token and other.source_table = 'person')"
        " order by 1 limit 1"
    ).fetchone()
    assert row is not None
    assignment, subject = row
    of_assignment = warehouse.conn.execute(
        "select count(*) from ledger.plan_items join intermediate.int_record_cases"
        " using (source_schema, source_table, record_key) where assignment_id = %s",
        (assignment,),
    ).fetchone()
    of_subject = warehouse.conn.execute(
        "select count(*) from ledger.plan_items where subject_token = %s", (subject,)
    ).fetchone()
    assert of_assignment is not None
    assert of_subject is not None
    assert of_subject[0] > of_assignment[0]

    holds.place(
        warehouse.settings,
        kind="hold",
        scope="assignment",
        target=assignment,
        reason="a claim was made",
        authority="counsel",
    )
    since = warehouse.results()["no_blocked_record_in_plan"]
    assert since.passed
    assert since.details == {"blocked_since": of_assignment[0]}
    assert since.evaluated == made.items

    warehouse.run(
        "update ledger.blockers set placed_at = %s", made.planned_at - timedelta(seconds=1)
    )
    known = warehouse.results()["no_blocked_record_in_plan"]
    assert known.outcome is Outcome.FAILED
    assert known.failing == of_assignment[0]
    with pytest.raises(Refused, match="no_blocked_record_in_plan"):
        require_integrity(warehouse.settings)


def test_a_rights_request_that_was_known_when_the_plan_was_frozen_is_found(
    warehouse: Warehouse,
) -> None:
    """The plan's case has not changed since, so the request was a part of it."""
    warehouse.classified()
    plan.create(warehouse.settings)
    changed = warehouse.run(
        "update intermediate.int_records_unioned as landed set request_is_pending = true"
        " from intermediate.int_record_cases as cases where cases.row_id = landed.row_id"
        " and cases.case_id = (select case_id from ledger.plan_items"
        " where subject_token is not null order by item_no limit 1)"
    )
    assert changed
    known = warehouse.results()["no_blocked_record_in_plan"]
    assert known.outcome is Outcome.FAILED
    warehouse.run("update intermediate.int_case_fingerprints set fingerprint = 'another'")
    since = warehouse.results()["no_blocked_record_in_plan"]
    assert since.passed
    assert since.details["blocked_since"] == known.failing


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        pytest.param(
            "alter table retention.record_checks drop column is_due_after_anchor",
            {"due_after_anchor"},
            id="a column is missing",
        ),
        pytest.param(
            "drop view retention.plan_checks",
            {"no_blocked_record_in_plan"},
            id="a view is missing",
        ),
        pytest.param(
            "alter table retention.population_checks alter is_reconciled type text",
            {"population_reconciles"},
            id="a column of another type",
        ),
        pytest.param(
            "update retention.population_checks set as_of = as_of - 1",
            {"population_reconciles"},
            id="a mart of another day",
        ),
    ],
)
def test_what_cannot_be_evaluated_fails_as_its_own_state_and_stops_the_plan(
    warehouse: Warehouse, damage: LiteralString, lost: set[str]
) -> None:
    warehouse.run(damage)
    results = warehouse.results()
    unknown = {name for name, r in results.items() if r.outcome is Outcome.NOT_EVALUATED}
    assert unknown == lost
    with pytest.raises(Refused, match="not_evaluated"):
        require_integrity(warehouse.settings)


def test_a_classification_that_was_cut_short_is_not_evaluated(warehouse: Warehouse) -> None:
    classifications.begin(warehouse.conn, classify.today(), code_hash(warehouse.settings))
    results = warehouse.results()
    judged = {name for name, r in results.items() if r.outcome is not Outcome.NOT_EVALUATED}
    assert judged == {"everything_declared"}


def test_a_day_that_was_never_classified_is_wrong_usage(warehouse: Warehouse) -> None:
    with pytest.raises(UsageError, match="nothing is classified as of"):
        run_checks(warehouse.settings, classify.today() - timedelta(days=400))


def test_integrity_stands_on_the_sample(warehouse: Warehouse) -> None:
    assert all(result.passed for result in require_integrity(warehouse.settings))


def test_the_checks_cannot_write(warehouse: Warehouse) -> None:
    with (
        warehouse_source(warehouse_url(warehouse.settings)) as source,
        source.get_engine().connect() as connection,
    ):
        role = connection.exec_driver_sql("select current_user").scalar_one()
        assert role == "retention_reader"
        with pytest.raises(Exception, match="read-only transaction"):
            connection.exec_driver_sql("create table retention.written (id int)")


def test_no_value_of_a_person_is_in_what_the_checks_say(warehouse: Warehouse) -> None:
    """Every key of a failing record is a canary, and so is what an error would quote."""
    warehouse.run(
        "update retention.records set status = 'retained', record_key = 'canary-' || record_key"
        " where status = 'overdue'"
    )
    warehouse.rebuild("record_checks")
    warehouse.run("alter table retention.population_checks alter is_reconciled type text")
    warehouse.run("update retention.population_checks set is_reconciled = 'canary-text'")
    results = warehouse.results()
    assert results["one_category_and_status"].failing > 0
    for result in results.values():
        shown = asset_check_result(FINDINGS, result)
        told = [json.dumps(result.as_dict()), str(shown.metadata), str(shown.description)]
        assert "canary" not in " ".join([*told, said(result)])
