"""`retention status` against a database: what is counted, what is a finding, and the exit code.

Belongs here: the status of a warehouse. Does not belong here: the schema's own completeness, which a
unit test has.
"""

import dataclasses
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest

import retention.status
from expectations.standing import integrity_findings
from retention.errors import UsageError
from retention.findings import Finding
from retention.settings import Settings
from retention.status import Status, read_status
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import ClassifiedSample

pytestmark = [pytest.mark.integration, pytest.mark.slow]

#: Processor seconds. About one is what is measured; more would be a library that it does not need.
QUICK = 1.5

SCHEMA = json.loads(
    Path(retention.status.__file__).with_name("status.schema.json").read_text(encoding="utf-8")
)


def read(conn: psycopg.Connection[Any], settings: Settings) -> Status:
    return read_status(conn, settings, integrity_findings)


@contextmanager
def changed(sample: ClassifiedSample, *statements: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection in whose transaction `statements` hold; undone afterwards."""
    with connect(sample.settings) as conn:
        for statement in statements:
            conn.execute(statement)
        yield conn
        conn.rollback()


def kinds(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.kind for finding in findings}


def test_every_row_of_landing_is_counted_once(told_stories: ClassifiedSample) -> None:
    with connect(told_stories.settings) as conn:
        found = read(conn, told_stories.settings)
    told = found.as_dict()["records"]
    assert told["total"] == sum(told["by_status"].values()) > 0
    assert told["total"] == sum(count["records"] for count in told["by_category"])
    assert min(told["by_status"][status] for status in ("held", "restricted", "locked")) > 0


def test_its_json_is_as_published(
    told_stories: ClassifiedSample, clean_environment: Mapping[str, str]
) -> None:
    done = command(told_stories, clean_environment, "status", "--json")
    told = json.loads(done.stdout)
    jsonschema.Draft202012Validator(
        SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(told)
    assert done.returncode == 1
    assert told["ok"] is False


def test_it_answers_while_somebody_waits(
    told_stories: ClassifiedSample, clean_environment: Mapping[str, str]
) -> None:
    assert best_of(lambda: command(told_stories, clean_environment, "status")) < QUICK


def test_overdue_inside_the_days_of_grace_is_no_finding(told_stories: ClassifiedSample) -> None:
    """The last day of grace is the policy's number of days after the due date."""
    with connect(told_stories.settings) as conn:
        grace = read(conn, told_stories.settings).classification.grace_days
    for days, expected in ((grace, 0), (grace + 1, 1)):
        due = told_stories.as_of - timedelta(days=days)
        with changed(
            told_stories,
            "delete from retention.records where status = 'overdue' and record_key <> '10'",
            "delete from retention.records where status = 'overdue' and source_table <> 'person'",
            f"update retention.records set due_on = '{due}' where status = 'overdue'",
        ) as conn:
            found = read(conn, told_stories.settings)
        assert found.beyond_grace == expected
        assert ("overdue_beyond_grace" in kinds(found.findings)) == bool(expected)


def test_a_review_past_its_deadline_is_a_finding(told_stories: ClassifiedSample) -> None:
    with changed(
        told_stories,
        "update retention.review_queue set is_in_time = false where source_table = 'person'",
    ) as conn:
        found = read(conn, told_stories.settings)
    late = [one for one in found.findings if one.kind == "review_past_deadline"]
    assert [one.table for one in late] == ["crm.person"]
    assert found.past_review == late[0].records


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("alter table crm.lead drop column received_at", "table_set_aside"),
        ("drop table crm.handover", "table_set_aside"),
        ("alter table crm.lead add column mood text", "undeclared_column"),
        ("create table crm.diary (id int)", "undeclared_table"),
        ("alter table crm.lead drop column campaign", "missing_column"),
        (
            "insert into ledger.classifications (as_of, code_hash) values (current_date, 'x')",
            "classification_unfinished",
        ),
        ("update intermediate.int_clock set as_of = as_of - 3", "classification_stale"),
        ("insert into ledger.halts (reason) values ('a bad feeling')", "halted"),
        (
            "update ledger.blockers set from_on = from_on - 9, until_on = from_on - 1"
            " where kind = 'hold'",
            "hold_past_its_day",
        ),
        (
            "update retention.record_checks set is_due_after_anchor = false",
            "check_failed",
        ),
    ],
)
def test_what_somebody_must_look_at_is_a_finding(
    told_stories: ClassifiedSample, statement: str, kind: str
) -> None:
    with connect(told_stories.settings) as conn:
        assert kind not in kinds(read(conn, told_stories.settings).findings)
    with changed(told_stories, statement) as conn:
        assert kind in kinds(read(conn, told_stories.settings).findings)


def empty_plans(days: int, *, planned: str = "false") -> str:
    """Statements that make a plan a day, empty but where the condition `planned` holds."""
    return (
        "insert into ledger.plans (as_of, classification_id, policy_version, policy_hash, code_hash,"
        " key_id, key_epoch, state, planned_by, expires_on)"
        " select as_of - day, classification_id, 'v', 'h', 'c', 'k', 1,"
        f" case when {planned} then 'superseded' else 'empty' end, 'planner', as_of"
        f" from ledger.classifications cross join generate_series(1, {days}) as day"
    )


@pytest.mark.parametrize(
    ("statement", "is_finding"),
    [
        (empty_plans(13), False),
        (empty_plans(14), True),
        (empty_plans(20), True),
        (empty_plans(20, planned="day = 14"), False),
        (empty_plans(20, planned="day = 15"), True),
    ],
)
def test_nights_on_which_nothing_was_due_are_a_finding(
    told_stories: ClassifiedSample, statement: str, is_finding: bool
) -> None:
    with changed(told_stories, statement) as conn:
        found = kinds(read(conn, told_stories.settings).findings)
    assert ("nothing_planned" in found) == is_finding


def test_a_rule_that_matched_nothing_says_so(told_stories: ClassifiedSample) -> None:
    with connect(told_stories.settings) as conn:
        assert "rule_matched_nothing" not in kinds(read(conn, told_stories.settings).findings)
    nobody = "update retention.summary set records = 0 where category = 'lead_partner'"
    with changed(told_stories, nobody) as conn:
        found = read(conn, told_stories.settings).findings
    assert [one.rule_id for one in found if one.kind == "rule_matched_nothing"] == ["R1"]


_CONTROLS = (
    "insert into ledger.control_runs (as_of, code_hash, policy_hash, passed, outcomes)"
    " select as_of - {days}, {code}, policy_hash, {passed}, '[]' from ledger.classifications"
)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("select 1", "controls_missing"),
        (_CONTROLS.format(days=0, code="code_hash", passed=True), None),
        (_CONTROLS.format(days=1, code="code_hash", passed=True), None),
        (_CONTROLS.format(days=2, code="code_hash", passed=True), "controls_missing"),
        (_CONTROLS.format(days=0, code="'other'", passed=True), "controls_missing"),
        (_CONTROLS.format(days=0, code="code_hash", passed=False), "controls_failed"),
    ],
)
def test_controls_that_failed_or_did_not_run_are_a_finding(
    told_stories: ClassifiedSample, statement: str, kind: str | None
) -> None:
    with changed(told_stories, statement) as conn:
        found = kinds(read(conn, told_stories.settings).findings)
    assert found & {"controls_missing", "controls_failed"} == ({kind} if kind else set())


def test_a_halt_is_shown_with_who_when_and_why(told_stories: ClassifiedSample) -> None:
    statement = "insert into ledger.halts (reason, halted_by) values ('a bad feeling', 'kari')"
    with connect(told_stories.settings) as conn:
        assert read(conn, told_stories.settings).as_dict()["halt"] is None
    with changed(told_stories, statement) as conn:
        found = read(conn, told_stories.settings)
    (finding,) = [one for one in found.findings if one.kind == "halted"]
    assert "halted by kari at 2" in finding.message
    assert "a bad feeling" in finding.message
    told = found.as_dict()["halt"]
    assert (told["halted_by"], told["reason"]) == ("kari", "a bad feeling")
    jsonschema.Draft202012Validator(
        SCHEMA["properties"]["halt"], format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(told)


def test_the_samples_lost_sync_end_is_a_finding(told_stories: ClassifiedSample) -> None:
    """Nine days ago, of a system that no longer lands here; every other connector synced last night."""
    with connect(told_stories.settings) as conn:
        found = read(conn, told_stories.settings)
    lost = [one.message for one in found.findings if one.kind == "sync_not_ended"]
    assert len(lost) == 1
    assert "helpdesk_legacy" in lost[0]


def test_a_check_that_cannot_be_counted_is_a_finding_and_not_a_pass(
    told_stories: ClassifiedSample, server: Server
) -> None:
    database = str(told_stories.settings.database_url).rpartition("/")[2]
    name = server.create(template=database)
    settings = dataclasses.replace(told_stories.settings, database_url=server.url(name))
    try:
        with connect(settings, autocommit=True) as conn:
            conn.execute("drop table retention.record_checks cascade")
            found = read(conn, settings)
    finally:
        server.drop(name)
    assert "check_not_evaluated" in kinds(found.findings)


def test_yesterdays_classification_is_fresh_enough(told_stories: ClassifiedSample) -> None:
    with changed(told_stories, "update intermediate.int_clock set as_of = as_of - 1") as conn:
        found = read(conn, told_stories.settings)
    assert "classification_stale" not in kinds(found.findings)


@pytest.mark.parametrize(
    ("state", "is_finding"),
    [("proposed", False), ("approved", True), ("executing", True), ("executed", False)],
)
def test_a_plan_that_nobody_finished_is_a_finding(
    told_stories: ClassifiedSample, state: str, is_finding: bool
) -> None:
    with changed(
        told_stories,
        "insert into ledger.plans (as_of, classification_id, policy_version, policy_hash, code_hash,"
        " key_id, key_epoch, state, planned_by, expires_on, approved_by)"
        " select as_of, classification_id, 'v', 'h', 'c', 'k', 1, "
        f"'{state}', 'planner', as_of + 7, 'approver' from ledger.classifications",
    ) as conn:
        found = read(conn, told_stories.settings)
    assert ("unfinished_plan" in kinds(found.findings)) == is_finding
    assert bool(found.plans) == (state != "executed")


def test_an_unclassified_warehouse_says_what_to_do(settings: Settings) -> None:
    with connect(settings) as conn, pytest.raises(UsageError, match="run `retention run` first"):
        read(conn, settings)


def test_it_reads_as_a_role_that_cannot_write(told_stories: ClassifiedSample) -> None:
    with connect(told_stories.settings, role="retention_reader", read_only=True) as conn:
        assert read(conn, told_stories.settings).records > 0


def test_a_database_that_is_not_there_ends_with_four_and_one_line(
    told_stories: ClassifiedSample, clean_environment: Mapping[str, str]
) -> None:
    gone = dataclasses.replace(
        told_stories,
        settings=dataclasses.replace(
            told_stories.settings, database_url="postgresql://nobody:secret@127.0.0.1:1/warehouse"
        ),
    )
    for arguments in (("status",), ("explain", "crm.person", "10"), ("report",)):
        done = command(gone, clean_environment, *arguments)
        assert done.returncode == 4
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        assert "secret" not in done.stderr


def best_of(run: Callable[[], object], *, attempts: int = 5) -> float:
    """The least processor time in seconds that the command took, of as many attempts as it takes to
    stay under that: what else runs on the machine is not the command's."""
    best = float("inf")
    for _ in range(attempts):
        began = _children()
        run()
        best = min(best, _children() - began)
        if best < QUICK:
            break
    return best


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def command(
    sample: ClassifiedSample, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env={
            **environment,
            "RETENTION_DATABASE_URL": str(sample.settings.database_url),
            "RETENTION_STATE_DIR": str(sample.settings.state),
            "NO_COLOR": "1",
        },
        cwd=sample.settings.project,
        capture_output=True,
        text=True,
        check=False,
    )
