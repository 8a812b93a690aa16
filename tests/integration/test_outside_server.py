"""Every command against a server that looks like production: nothing in landing changes without an
approved plan, and a purge changes nothing but what was approved.

Belongs here: the promise over all commands together. Does not belong here: what each command does.
"""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from cli.main import COMMANDS
from landing.sample.tables import TABLES
from tests.conftest import Server
from tests.integration.test_run_command import Production, landing, production
from tests.policies import approved_policy

__all__ = ["production"]

pytestmark = [pytest.mark.integration, pytest.mark.slow]

OPTIONS: tuple[tuple[tuple[str, ...], set[int]], ...] = (
    (("demo",), {3}),
    (("sample",), {3}),
    (("url",), {0}),
    (("run",), {0}),
    (("status",), {1}),
    (("coverage",), {0}),
    (("detect",), {0}),
    (("explain", "crm.person", "10"), {0}),
    (("onboard", "crm"), {0}),
    (("onboard", "crm", "--check"), {0}),
    (("report",), {0}),
    (("report", "--compare"), {0}),
    (("notices", "due", "--dry-run"), {0}),
    (("notices", "list"), {0}),
    (("what-if", "{folder}/policy/policy-under-test.yaml"), {0}),
    (("policy", "list"), {0}),
    (("plan", "--dry-run"), {0}),
    (("plan",), {0}),
    (("plan", "list"), {0}),
    (("review", "list"), {0}),
    (("hold", "list"), {0}),
    (("request", "intake"), {0}),
    (("request", "list"), {0}),
    (("locked", "list"), {0}),
    (("request", "find", "crm.person:10"), {0}),
    (("orders", "list"), {0}),
    (("controls",), {0}),
    (("compact",), {0}),
    (("housekeep",), {0}),
    (("keys", "list"), {0}),
    (("evidence", "checkpoint"), {0}),
    (("evidence", "export", "{folder}/ledger.txt"), {0}),
    (("replay",), {0}),
    (("halt", "--reason", "a try"), {0}),
    (("verify",), {0}),
)


#: What the test does by itself, with the plan that it approves; and what starts and stops a server.
OTHERS = {"approve", "purge", "resume", "up", "down"}
#: Refused or asked for by name; test_landing_files.py and test_plan_answers.py tell of them.
ELSEWHERE = {"land", "reject"}


def test_no_command_is_left_out() -> None:
    assert {arguments[0] for arguments, _ in OPTIONS} | OTHERS | ELSEWHERE == set(COMMANDS)


def rows(conn: psycopg.Connection[Any]) -> Counter[tuple[str, int]]:
    """Every landing row as the hash of its text, counted."""
    found: Counter[tuple[str, int]] = Counter()
    for table in TABLES:
        statement = sql.SQL("select hashtextextended(t::text, 0) from {} as t")
        for (digest,) in conn.execute(statement.format(table.identifier)):
            found[table.qualified, digest] += 1
    return found


def test_only_an_approved_plan_changes_landing(
    production: Production, server: Server, tmp_path: Path
) -> None:
    # A project of its own: what is generated from another policy must not meet other tests' builds.
    shutil.copytree(
        production.project / "dbt_project",
        tmp_path / "dbt_project",
        ignore=shutil.ignore_patterns("generated", "target"),
    )
    approved_policy(tmp_path / "policy")
    environment = {
        **production.environment,
        "RETENTION_PROJECT_DIR": str(tmp_path),
        "RETENTION_POLICY_DIR": str(tmp_path / "policy"),
    }
    outside = Production(production.url, environment, production.project)
    with outside.connect() as conn:
        for schema in sorted({table.schema for table in TABLES}):
            conn.execute(sql.SQL("comment on schema {} is null").format(sql.Identifier(schema)))
        before, every_row = landing(conn), rows(conn)

        for arguments, codes in OPTIONS:
            done = outside.run(*(word.format(folder=tmp_path) for word in arguments))
            assert done.returncode in codes, f"{arguments}: {done.stdout}{done.stderr}"
            assert "Traceback" not in done.stderr
            assert landing(conn) == before, arguments

        plan = conn.execute(
            "select plan_id, digest, items from ledger.plans"
            " where state = 'proposed' and scope = 'ordinary'"
        ).fetchone()
        assert plan is not None
        plan_id, digest, items = plan
        assert items > 0

        unapproved = outside.run("purge", str(plan_id))
        assert unapproved.returncode == 3
        same_login = outside.run("approve", str(plan_id), digest)
        assert same_login.returncode == 3
        assert landing(conn) == before

        name = production.url.rpartition("/")[2]
        approver = Production(
            production.url,
            {**environment, "RETENTION_DATABASE_URL": server.approver_url(name)},
            production.project,
        )
        wrong = approver.run("approve", str(plan_id), "0" * 64)
        assert wrong.returncode == 3
        right = approver.run("approve", str(plan_id), digest)
        assert right.returncode == 0, right.stderr
        assert landing(conn) == before

        halted = outside.run("purge", str(plan_id))
        assert halted.returncode == 3
        assert landing(conn) == before
        resumed = approver.run("resume", "--reason", "go on")
        assert resumed.returncode == 0, resumed.stderr

        purged = outside.run("purge", str(plan_id))
        assert purged.returncode == 0, purged.stderr
        left = rows(conn)
        outcome: Counter[str] = Counter(
            dict(
                conn.execute(
                    "select state, count(*) from ledger.plan_items where plan_id = %s group by state",
                    (plan_id,),
                ).fetchall()
            )
        )
        # What points outside the warehouse waits for a store, which here answers nobody.
        assert outcome.keys() <= {"purged", "minimised", "skipped"}
        assert outcome.total() == items
        assert outcome["purged"] > 0
        # A row that was minimised is left, and is another row than before.
        assert (left - every_row).total() == outcome["minimised"]
        assert (every_row - left).total() == outcome["purged"] + outcome["minimised"]
