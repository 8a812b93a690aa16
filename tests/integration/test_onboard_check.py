"""The trial of a proposal beside the sample's classification: what it says, and that it leaves nothing.

Belongs here: `retention onboard SCHEMA --check` on a connector that nobody knows, made up beside the
sample's persons. Does not belong here: what is proposed (test_onboarding.py).
"""

import dataclasses
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from orchestration.lock import only_run
from retention import scratch
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import ClassifiedSample
from tests.onboarding import in_force, leave, retention, take

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# Every person of the sample that has an address wrote once, three days after the first day of the year.
HELPDESK = """
create schema helpdesk;
create table helpdesk.ticket (id bigint primary key, requester_email text, channel text, body text,
    created_at timestamptz, _fivetran_synced timestamptz);
insert into helpdesk.ticket
    select row_number() over (order by id), upper(email), 'email', 'a question', '2024-03-04'
    from crm.person where email is not null;
insert into helpdesk.ticket values (1000001, 'nobody@example.net', 'email', 'another', '2024-03-04');
create table helpdesk.caller (id bigint primary key, born_year int, _fivetran_synced timestamptz);
insert into helpdesk.caller values (1, 1970);
"""


@pytest.fixture
def warehouse(server: Server, told_stories: ClassifiedSample, tmp_path: Path) -> Iterator[Settings]:
    """The classified sample with a helpdesk that nobody declared, and a project of its own."""
    name = server.create(template=str(told_stories.settings.database_url).rpartition("/")[2])
    shipped = told_stories.settings
    shutil.copytree(
        shipped.dbt_dir,
        tmp_path / "dbt_project",
        ignore=shutil.ignore_patterns("generated", "target", "logs"),
    )
    settings = dataclasses.replace(
        shipped,
        project=tmp_path,
        state=tmp_path / "state",
        database_url=server.url(name),
        dbt_dir=tmp_path / "dbt_project",
        declarations_dir=tmp_path / "dbt_project" / "models" / "staging",
    )
    with connect(settings) as conn:
        conn.execute(HELPDESK)
    yield settings
    server.drop(name)


def owned(head: str) -> str:
    return head.replace("owner: TODO", "owner: data@example.org")


def content(conn: psycopg.Connection[Any]) -> Mapping[str, str]:
    """One value for what each table and sequence of the database holds, by name."""
    names = conn.execute(
        "select n.nspname, c.relname from pg_catalog.pg_class as c"
        " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'm', 'S') and n.nspname !~ '^(pg_|information_schema)'"
    ).fetchall()
    found = {}
    for schema, name in names:
        statement = sql.SQL(
            "select md5(string_agg(row(t.*)::text, ',' order by row(t.*)::text)) from {} as t"
        ).format(sql.Identifier(schema, name))
        row = conn.execute(statement).fetchone()
        found[f"{schema}.{name}"] = str(row)
    return found


def files(settings: Settings) -> Mapping[str, bytes]:
    return {str(path): path.read_bytes() for path in settings.dbt_dir.rglob("*") if path.is_file()}


def test_a_trial_says_what_would_be_and_leaves_nothing(warehouse: Settings) -> None:
    assert retention(warehouse, "onboard", "helpdesk", "--check").returncode == 2
    assert retention(warehouse, "onboard", "helpdesk").returncode == 0
    with connect(warehouse) as conn:
        # Fivetran adds a table: its proposal goes into a second file, which dbt reads as the same source.
        conn.execute("create table helpdesk.size (id bigint primary key, centimetres int)")
        conn.execute("insert into helpdesk.size values (1, 20), (2, 30)")
    assert retention(warehouse, "onboard", "helpdesk").returncode == 0
    path = warehouse.declarations_dir / "helpdesk" / "_helpdesk__sources.yml"
    second = path.with_name("_helpdesk__2__sources.yml")
    head, size = second.read_text(encoding="utf-8").split("      - name: ")
    second.write_text(owned(head) + leave("      - name: " + size), encoding="utf-8")
    head, caller, ticket = path.read_text(encoding="utf-8").split("      - name: ")
    assert "subject: {email: [requester_email], to: crm.person}  # medium" in ticket or (
        "subject: {email: [requester_email], to: crm.person}  # high" in ticket
    )
    path.write_text(
        owned(head)
        # Persons known to nothing else, who would get a token each.
        + leave("      - name: " + caller).replace(
            "follows: review", "subject: {self: true}\n              follows: review"
        )
        # The runbook's words for `counts_when` that is TODO: the source's own.
        + take("      - name: " + ticket).replace("{TODO: TODO}", "{channel: [email]}"),
        encoding="utf-8",
    )
    with connect(warehouse) as conn:
        persons = conn.execute("select count(*) from crm.person where email is not null").fetchone()
        before = content(conn)
    assert persons is not None
    written = files(warehouse)

    done = retention(warehouse, "onboard", "helpdesk", "--check", "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    trial = json.loads(done.stdout)
    tables = {one["table"]: one for one in trial["tables"]}
    assert tables["ticket"]["records"] == persons[0] + 1
    # Addresses that several persons share find nobody, and so does a stranger's.
    assert 0 < tables["ticket"]["of_a_person"] <= persons[0]
    for name, rows in (("caller", 1), ("size", 2)):
        groups = [group for group in trial["groups"] if group["table"] == name]
        assert [(group["status"], group["records"]) for group in groups] == [("review", rows)]
    # Who wrote is a customer: leads of the sample would move.
    assert any(
        moved["from_"].startswith(("R1", "R2")) and moved["to"].startswith("R3")
        for moved in trial["moved"]
    )
    assert (trial["todos"], trial["undeclared"]) == (0, [])
    with connect(warehouse) as conn:
        assert content(conn) == before
        left = conn.execute(
            "select count(*) from pg_namespace where nspname ~ '_as_of_'"
        ).fetchone()
    assert left == (0,)
    assert files(warehouse) == written
    assert not list(warehouse.state.glob("trial-*"))


def test_a_trial_waits_for_nobody(warehouse: Settings) -> None:
    assert retention(warehouse, "onboard", "helpdesk").returncode == 0
    with only_run(warehouse):
        during_a_run = retention(warehouse, "onboard", "helpdesk", "--check")
    assert during_a_run.returncode == 3
    assert "a run is going" in during_a_run.stderr
    with connect(warehouse, autocommit=True) as conn:
        conn.execute("select pg_advisory_lock(%s)", (scratch.LOCK,))
        during_a_check = retention(warehouse, "onboard", "helpdesk", "--check")
    assert during_a_check.returncode == 3
    assert "another check or what-if is going" in during_a_check.stderr


def test_a_trial_that_fails_leaves_nothing(warehouse: Settings) -> None:
    assert retention(warehouse, "onboard", "helpdesk").returncode == 0
    broken = warehouse.dbt_dir / "models" / "marts" / "retention" / "records.sql"
    broken.write_text("select 1 / 0 as nothing")
    with connect(warehouse) as conn:
        before = content(conn)
    done = retention(warehouse, "onboard", "helpdesk", "--check")
    assert done.returncode == 4
    assert "the check failed in records" in done.stderr
    with connect(warehouse) as conn:
        assert content(conn) == before


def test_what_is_open_is_said_and_in_force_text_needs_no_proposal(warehouse: Settings) -> None:
    assert retention(warehouse, "onboard", "helpdesk").returncode == 0
    path = warehouse.declarations_dir / "helpdesk" / "_helpdesk__sources.yml"
    path.write_text(in_force(path.read_text(encoding="utf-8")), encoding="utf-8")
    done = retention(warehouse, "onboard", "helpdesk", "--check")
    assert done.returncode == 2
    assert "_helpdesk__sources.yml" in done.stderr
    assert "TODO is no value" in done.stderr


def test_a_table_of_which_nothing_was_read_is_said(warehouse: Settings) -> None:
    assert retention(warehouse, "onboard", "helpdesk").returncode == 0
    path = warehouse.declarations_dir / "helpdesk" / "_helpdesk__sources.yml"
    head, caller, ticket = path.read_text(encoding="utf-8").split("      - name: ")
    # A key of another type may read otherwise, so that the whole table is set aside.
    other_type = "types: {id: text}\n              follows: review"
    path.write_text(
        owned(head)
        + leave("      - name: " + caller).replace("follows: review", other_type)
        + leave("      - name: " + ticket),
        encoding="utf-8",
    )
    done = retention(warehouse, "onboard", "helpdesk", "--check", "--json")
    assert done.returncode == 1, done.stderr
    tables = {one["table"]: one for one in json.loads(done.stdout)["tables"]}
    assert (tables["caller"]["state"], tables["caller"]["records"]) == ("not read", 0)
    assert tables["ticket"]["state"] == "governed"
