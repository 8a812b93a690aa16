"""`retention demo` as a process: the whole way in an embedded warehouse, and nowhere else.

Belongs here: the command, first and second time, and where it refuses. Does not belong here: the steps,
which each have tests of their own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from retention.classified import CATEGORIES
from retention.settings import Settings
from retention.warehouse.connection import connect

pytestmark = pytest.mark.integration


def demo(
    environment: Mapping[str, str], settings: Settings, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "demo", "--json"],
        env={
            **environment,
            "RETENTION_STATE_DIR": str(settings.state),
            "NO_COLOR": "1",
            **variables,
        },
        cwd=settings.project,
        capture_output=True,
        text=True,
        check=False,
    )


def total(status: dict[str, Any], category: str) -> int:
    return sum(
        count["records"]
        for count in status["records"]["by_category"]
        if count["category"] == category
    )


def left_to_minimise(settings: Settings) -> tuple[int, int]:
    """Rows that are still to be minimised; and those that were, which still show under which rule their
    columns were due, although the person who was under it is gone."""
    with connect(settings, read_only=True) as conn:
        row = conn.execute(
            """
            select
                (select count(*) from retention.records where disposition = 'minimise'),
                (
                    select count(*) from ledger.column_grounds as kept
                    join retention.grounds as shown
                        using (source_schema, source_table, record_key, column_group, rule_id, due_on)
                    where kept.minimised_at is not null and shown.wins
                )
            """
        ).fetchone()
    assert row is not None
    return row


@pytest.mark.slow
def test_it_shows_the_whole_way_and_a_second_time_keeps_what_is_there(
    embedded_settings: Settings, clean_environment: Mapping[str, str]
) -> None:
    done = demo(clean_environment, embedded_settings)
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)
    before, after = first["before"], first["after"]
    assert not first["sample"]["kept"]
    assert first["blockers_placed"] == 3
    for status in (before, after):
        assert [name for name in CATEGORIES if not total(status, name)] == []
        assert min(status["records"]["by_status"][name] for name in ("held", "restricted")) > 0
        assert status["records"]["by_status"]["locked"] > 0
    planned = sum(plan["items"] for plan in first["plans"])
    purged = sum(plan["outcome"].get("purged", 0) for plan in first["plans"])
    # Charges of persons who are purged stay for the accounts, without what those do not need.
    minimised = sum(plan["outcome"].get("minimised", 0) for plan in first["plans"])
    assert minimised > 0
    assert purged + minimised == planned
    assert {plan["scope"] for plan in first["plans"]} == {"ordinary", "unattended", "decided"}
    # A due row whose consent was withdrawn gives its columns first, and goes with the next plan.
    (decided,) = [plan for plan in first["plans"] if plan["scope"] == "decided"]
    columns_first = before["overdue"]["records"] - purged - sum(first["waiting"].values())
    assert 0 <= columns_first <= decided["outcome"]["minimised"]
    for plan in first["plans"]:
        assert sum(plan["outcome"].values()) == plan["items"]
        assert plan["outcome"].keys() <= {"purged", "minimised"}
        if plan["scope"] == "decided":
            # Consents that were withdrawn: the policy decided, and nobody is asked again.
            assert plan["approval_kind"] == "decision"
            assert plan["approved_by"].startswith("the decisions of policy ")
        else:
            assert (plan["approved_by"], plan["approval_kind"]) == ("approver", "demonstration")
        # The sample's leads have been overdue for years: nothing of a job without a person.
        refused = [reason for reason in plan["refusals"] if "a person decides" in reason]
        assert bool(refused) == (plan["scope"] == "unattended")
    assert after["records"]["total"] == before["records"]["total"] - purged
    assert (after["purged"], after["minimised"]) == (purged, minimised)
    assert first["left"] == 0
    left, shown = left_to_minimise(embedded_settings)
    assert left == 0
    assert shown >= minimised - decided["outcome"]["minimised"]
    # What still is overdue waits for records that stand on it or for what was decided on its case, or was
    # uncovered by the purge.
    assert after["overdue"]["records"] < before["overdue"]["records"] / 50
    assert Path(first["report"]["page"]).is_file()

    used = os.times()
    done = demo(clean_environment, embedded_settings)
    spent = os.times()
    assert done.returncode == 0, done.stderr
    second = json.loads(done.stdout)
    assert second["sample"]["kept"]
    assert second["blockers_placed"] == 0
    assert second["before"]["overdue"]["records"] > 0
    assert (
        second["after"]["records"]["total"] + second["after"]["purged"]
        == (before["records"]["total"])
    )
    # Seconds of work, not of waiting for other work on the machine: a minute of two cores.
    worked = spent.children_user - used.children_user + spent.children_system - used.children_system
    assert worked < 120


def test_on_an_outside_database_it_is_refused_and_touches_nothing(
    settings: Settings, clean_environment: Mapping[str, str]
) -> None:
    done = demo(clean_environment, settings, RETENTION_DATABASE_URL=str(settings.database_url))
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith(
        "retention: the demonstration runs in the embedded warehouse alone"
    )
    assert done.stderr.count("\n") == 1
    with connect(settings) as conn:
        made = conn.execute(
            "select count(*) from pg_namespace where nspname in ('crm', 'retention', 'staging')"
        ).fetchone()
    assert made == (0,)
    assert not settings.state.exists()


def test_beside_a_schema_without_the_marker_it_is_refused(
    embedded_settings: Settings, clean_environment: Mapping[str, str]
) -> None:
    with connect(embedded_settings) as conn:
        conn.execute("create schema billing")
        conn.execute("create table billing.invoice (id bigint primary key)")
    done = demo(clean_environment, embedded_settings)
    assert done.returncode == 3
    last = done.stderr.splitlines()[-1]
    assert last.startswith("retention: landing schema 'billing' does not bear the sample's marker")
    with connect(embedded_settings) as conn:
        rows = conn.execute(
            "select (select count(*) from ledger.classifications), (select count(*) from ledger.plans),"
            " to_regnamespace('crm') is null"
        ).fetchone()
    assert rows == (0, 0, True)
