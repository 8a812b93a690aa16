"""`retention run` as a process on an outside database: what it does, what it leaves alone, how it ends.

Belongs here: the command. Does not belong here: the job's steps, which the orchestration's tests have.
"""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest
from psycopg import sql

import cli.run
from cli.main import run as run_command
from landing.sample.tables import TABLES
from orchestration import lock
from orchestration.run import JobResult
from retention.warehouse.session import open_session
from tests.conftest import Server
from tests.integration.conftest import ClassifiedSample
from tests.integration.test_status import SCHEMA

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Production:
    """An outside warehouse of its own, and the environment in which a command meets it."""

    url: str
    environment: Mapping[str, str]
    project: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env=dict(self.environment),
            cwd=self.project,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", *arguments],
            env=dict(self.environment),
            cwd=self.project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def connect(self) -> psycopg.Connection[Any]:
        return open_session(self.url, autocommit=True)


@pytest.fixture
def production(
    server: Server,
    told_stories: ClassifiedSample,
    clean_environment: Mapping[str, str],
    tmp_path: Path,
) -> Iterator[Production]:
    name = server.create(template=str(told_stories.settings.database_url).rpartition("/")[2])
    environment = {
        **clean_environment,
        "RETENTION_DATABASE_URL": server.url(name),
        "RETENTION_STATE_DIR": str(tmp_path / "state"),
        "RETENTION_HMAC_KEY": secrets.token_hex(32),
        "RETENTION_SIGNING_KEY": secrets.token_hex(32),
        "NO_COLOR": "1",
    }
    yield Production(server.url(name), environment, told_stories.settings.project)
    for database in (name, f"{name}_dagster"):
        server.drop(database)


def landing(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """A digest of every landing table's rows, whatever their order."""
    digests = {}
    for table in TABLES:
        row = conn.execute(
            sql.SQL(
                "select count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) from {} t"
            ).format(table.identifier)
        ).fetchone()
        assert row is not None
        digests[table.qualified] = row[0]
    return digests


def plans(conn: psycopg.Connection[Any]) -> dict[str, tuple[str, str | None]]:
    """Each plan's state and who approved it, by its scope."""
    found = conn.execute("select scope, state, approved_by from ledger.plans").fetchall()
    assert len({scope for scope, *_ in found}) == len(found)
    return {scope: (state, approved_by) for scope, state, approved_by in found}


@pytest.mark.slow
def test_it_classifies_checks_and_plans_and_leaves_landing_as_it_is(
    production: Production, told_stories: ClassifiedSample
) -> None:
    with production.connect() as conn:
        before = landing(conn)
    done = production.run("run", "--fail-on-findings", "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["run"]["success"] is True
    jsonschema.validate(told["status"], SCHEMA)
    assert told["plan"]["state"] == "proposed"
    assert told["unattended"]["state"] == "proposed"
    assert "a person decides" in told["unattended"]["refusals"][-1]
    assert 0 < told["plan"]["items"] <= told["status"]["overdue"]["records"]
    assert Path(told["report"]["page"]).is_file()
    with production.connect() as conn:
        assert landing(conn) == before
        made = plans(conn)
        # The sample's withdrawn consents: the policy decided, and nobody is asked again.
        assert made == {
            "ordinary": ("proposed", None),
            "unattended": ("proposed", None),
            "decided": ("approved", f"the decisions of policy {told['plan']['policy_version']}"),
        }

    # A day in the past stands beside today's records, and nothing is planned from it.
    past = told_stories.as_of - timedelta(days=90)
    done = production.run("run", "--as-of", str(past))
    assert done.returncode == 0, done.stderr
    assert f"retention_as_of_{past:%Y%m%d}: nothing is planned from it" in done.stdout
    assert (Path(told["report"]["page"]).parent.parent / str(past)).is_dir()
    with production.connect() as conn:
        assert plans(conn) == made
        days = [
            conn.execute(
                sql.SQL("select max(as_of) from {}").format(sql.Identifier(schema, "records"))
            ).fetchone()
            for schema in ("retention", f"retention_as_of_{past:%Y%m%d}")
        ]
    assert days == [(told_stories.as_of,), (past,)]


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("2999-01-01", "lies in the future"),
        ("2023-01-11", "no policy was in force on 2023-01-11"),
        ("2026-02-30", "is no day: write YYYY-MM-DD"),
        ("yesterday", "is no day: write YYYY-MM-DD"),
    ],
)
def test_a_day_that_cannot_be_asked_about_ends_with_two_before_anything_is_opened(
    clean_environment: Mapping[str, str], tmp_path: Path, day: str, says: str
) -> None:
    nowhere = Production(
        "",
        {
            **clean_environment,
            "RETENTION_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere",
            "RETENTION_STATE_DIR": str(tmp_path / "state"),
        },
        Path(__file__).parents[2],
    )
    done = nowhere.run("run", "--as-of", day)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "state").exists()


@pytest.mark.slow
def test_a_second_run_while_one_is_going_is_refused(production: Production) -> None:
    with production.connect() as conn:
        conn.execute("select pg_advisory_lock(%s)", (lock._LOCK,))
        done = production.run("run")
        begun = conn.execute("select count(*) from ledger.classifications").fetchone()
    assert done.returncode == 3
    assert done.stdout == ""
    assert (
        done.stderr
        == "retention: a run is already going: wait until it has ended, then try again\n"
    )
    assert begun == (1,)


@pytest.mark.slow
def test_a_database_that_goes_away_half_way_ends_with_four_and_one_line(
    production: Production, server: Server
) -> None:
    going = production.start("run")
    with production.connect() as conn:
        deadline = time.monotonic() + 120
        while conn.execute("select count(*) from ledger.classifications").fetchone() == (1,):
            assert going.poll() is None, going.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.2)
    server.drop(production.url.rpartition("/")[2])
    output, errors = going.communicate(timeout=180)
    assert going.returncode == 4, errors
    assert output == ""
    assert errors.count("\n") == 1, errors
    assert errors.startswith("retention: ")


@pytest.mark.slow
def test_an_integrity_check_that_stops_the_job_is_a_refusal_after_the_summary(
    told_stories: ClassifiedSample,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stopped(*_: object, **__: object) -> JobResult:
        return JobResult("apply_retention", "a-run", False, ("findings",), {})

    monkeypatch.setattr(cli.run, "run_job", stopped)
    monkeypatch.setenv("RETENTION_DATABASE_URL", str(told_stories.settings.database_url))
    monkeypatch.setenv("RETENTION_STATE_DIR", str(tmp_path / "state"))
    assert run_command(["run"]) == 3
    said = capsys.readouterr()
    assert "records as of" in said.out
    assert said.err.startswith("retention: no plan was made: findings failed")
    assert said.err.count("\n") == 1
