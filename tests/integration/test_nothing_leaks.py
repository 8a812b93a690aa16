"""Everything is run over canaries, with failures provoked wherever a value is near, and every channel is
read: nothing personal and no secret is anywhere but where it must be (promise 8).

Belongs here: the one story. Does not belong here: the scanner and the stage (tests/leaks), and showing
that the scanner is not blind (test_leak_channels.py).
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from retention.warehouse import embedded
from retention.warehouse.session import open_session
from tests.conftest import Server
from tests.leaks.sampling import processes, sampling, statements, temporary_files
from tests.leaks.stage import FAULTS, MENDED, MORE_TYPES, Stage, set_stage

pytestmark = [pytest.mark.integration, pytest.mark.slow]

#: An error as a library raises it, with a row in its words and in those of what led to it.
BOOM = """
import psycopg
from retention.settings import load_settings

def boom(*_, **__):
    with psycopg.connect(load_settings().database_url) as conn:
        row = conn.execute("select * from crm.person limit 1").fetchone()
        try:
            raise KeyError(row)
        except KeyError:
            raise ValueError(f"cannot use {row}")
"""


@pytest.fixture
def stage(server: Server, clean_environment: Mapping[str, str], tmp_path: Path) -> Iterator[Stage]:
    name = server.create()
    url, approver_url = server.url(name), server.approver_url(name)
    with open_session(url, autocommit=True) as conn:
        made = set_stage(conn, tmp_path, clean_environment, url, approver_url)
        yield made
    subprocess.run(
        [sys.executable, "-m", "cli.main", "down"], env=made.environment, cwd=tmp_path, check=True
    )
    for database in (name, f"{name}_dagster"):
        server.drop(database)


def test_no_canary_and_no_secret_leaves_its_place(stage: Stage, server: Server) -> None:
    home = embedded.files(server.settings)
    assert home is not None
    log = home / "log" / "server.log"
    logged_before = log.stat().st_size

    # With people beside the stories, so that no table is empty.
    stage.command("sample", "--people", "200", "--seed", "3")
    stage.plant()
    landing = assert_that_landing_is_full_of_canaries(stage)

    url = stage.environment["RETENTION_DATABASE_URL"]
    with (
        open_session(url, autocommit=True) as watching,
        sampling(
            temporary_files(stage.scanner, stage.folder / "tmp"),
            processes(stage.scanner),
            statements(stage.scanner, watching),
        ) as seen,
    ):
        land_files(stage)
        classify_with_faults(stage)
        plan_id = plan_and_look_around(stage)
        purge_with_faults(stage, plan_id)
        check_with_faults(stage)
        stage.command("replay")
        open_the_page(stage)
    assert seen.looks > 20
    stage.leaks |= seen.leaks

    own = stage.all_(
        "select nspname from pg_catalog.pg_namespace where nspname !~ '^pg_'"
        " and nspname <> 'information_schema' and nspname <> all(%s)",
        [*landing, "exported"],
    )
    assert {"ledger", "retention", "intermediate", "staging", "policy"} <= set(own)
    stage.leaks |= stage.scanner.database(stage.conn, own)
    with open_session(f"{url}_dagster", autocommit=True) as dagster:
        assert dagster.execute("select count(*) > 100 from event_logs").fetchone() == (True,)
        stage.leaks |= stage.scanner.database(dagster)
    stage.leaks |= stage.scanner.files(stage.folder / "state")
    stage.leaks |= stage.scanner.files(stage.folder / "dbt_project")
    with log.open("rb") as lines:
        lines.seek(logged_before)
        stage.leaks |= stage.scanner.look_at("server log", log.name, lines.read())
    assert not stage.leaks, "\n".join(sorted(map(str, stage.leaks)))


def assert_that_landing_is_full_of_canaries(stage: Stage) -> set[str]:
    """Every personal column holds one, and the scanner that is to find none elsewhere finds them there.
    Returns the landing schemas."""
    planted = stage.canaries.planted(stage.conn, stage.declarations)
    personal = {
        f"{table.qualified}.{column}"
        for table in stage.declarations.governed
        for column in table.personal
    }
    empty = {column for column in personal & planted.keys() if planted[column] == 0}
    # A truth value, and a word that the declaration knows.
    assert empty == {"stripe.customer.delinquent", "crm.consent.purpose"}
    landing = {column.partition(".")[0] for column in planted}
    seen = {leak.place for leak in stage.scanner.database(stage.conn, landing)}
    # The sample was synced today, and moments of today are not looked for.
    synced = {column for column in planted if column.endswith("._fivetran_synced")}
    assert {column for column, count in planted.items() if count} - synced <= seen
    assert {f"crm.person.{column}" for column in MORE_TYPES} <= seen
    return landing


def land_files(stage: Stage) -> None:
    """A file that lands, and files that are kept out for what stands in them."""
    canary = stage.canaries.text_of("a landed file")
    folder = stage.folder / "exported"
    (folder / "people.csv").write_text(f"id,name,born\n1,{canary},2001-02-03\n2,x,{canary}\n")
    (folder / "ragged.csv").write_text(f"id,name\n1,{canary},{canary}\n")
    (folder / "quoted.csv").write_text(f'id,name\n1,"{canary}\n')
    stage.command("land", str(folder), code=2)


def classify_with_faults(stage: Stage) -> None:
    """A run that fails in dbt, in models of a data team and in ours; then one that completes."""
    definition = stage.one(
        "select pg_get_functiondef('sletteplikt.key_text(bigint)'::regprocedure)"
    )
    stage.let_models(FAULTS)
    stage.run(
        "create or replace function sletteplikt.key_text(value bigint) returns text language sql"
        " immutable return (('x' || value)::int)::text"
    )
    stage.command("run", code=4)
    results = json.loads((stage.folder / "state/dbt/target/run_results.json").read_text())
    failed = {r["unique_id"].split(".")[-1] for r in results["results"] if r["status"] == "error"}
    assert {"team_cast", "team_unique", "team_check", "stg_crm__person"} <= failed
    # What dbt leaves of this run is written over by the next one.
    stage.leaks |= stage.scanner.files(stage.folder / "state")
    stage.run(definition)
    stage.let_models(dict.fromkeys(FAULTS, MENDED))
    stage.command("run")


def plan_and_look_around(stage: Stage) -> str:
    """What somebody does between a plan and its purge."""
    (plan_id,) = stage.all_(
        "select plan_id::text from ledger.plans where state = 'proposed' and scope = 'ordinary'"
    )
    digest = stage.one("select digest from ledger.plans where plan_id = %s", plan_id)
    record = (
        "select record_key from retention.records where source_table = %s"
        " order by status = 'retained' desc limit 1"
    )
    person = stage.one(record, "person")
    objection = stage.one(record, "marketing_objection")
    in_review, under = stage.conn.execute(
        "select source_schema || '.' || source_table, record_key from retention.review_queue"
        " where source_table <> 'marketing_objection' limit 1"
    ).fetchall()[0]
    stage.command("status", code=1)
    stage.command("report")
    stage.command("explain", "crm.person", person)
    stage.command("explain", "crm.marketing_objection", objection, "--json")
    stage.command("plan", "--dry-run")
    stage.command("plan", "show", plan_id, "--sample", "20")
    stage.command("review", "list")
    stage.command(
        *("review", "decide", in_review, under, "keep", "--until", "2999-01-01"),
        *("--reason", "it is asked for"),
    )
    stage.command(
        *("hold", "add", "subject", f"crm.person:{person}"),
        *("--reason", "a dispute", "--authority", "the court"),
    )
    stage.command("hold", "list")
    stage.command("approve", plan_id, digest, approver=True)
    stage.command("halt", "--reason", "a try")
    stage.command("purge", plan_id, code=3)
    stage.command("resume", "--reason", "go on", approver=True)
    return str(plan_id)


def purge_with_faults(stage: Stage, plan_id: str) -> None:
    """A purge that the database ends with a person's values in its words, from the command and from the
    job; then one that completes. Landing itself has no triggers: where it has one, nothing is purged."""
    stage.run(
        "create function sletteplikt.object() returns trigger language plpgsql security definer as"
        " $$ declare person text := (select p::text from crm.person as p limit 1); begin"
        " raise unique_violation using message = 'row ' || person, detail = 'Key ' || person; end $$",
        "create trigger object before update on ledger.plan_items for each row"
        " execute function sletteplikt.object()",
    )
    stage.command("purge", plan_id, code=4)
    stage.job("execute_purge", code=4)
    stage.run("drop trigger object on ledger.plan_items")
    stage.command("purge", plan_id)
    assert stage.one("select count(*) from ledger.tombstones where plan_id = %s", plan_id) > 0
    stage.command("verify", plan_id)
    stage.command("compact")
    stage.job("verify_purge")
    stage.command("evidence", "checkpoint")
    stage.command("evidence", "report", plan_id)
    stage.command("evidence", "export", str(stage.folder / "state" / "ledger.txt"))
    stage.command("keys", "list")
    # The environment gives them: it says what to change there, and not from what.
    stage.command("keys", "rotate", "hmac", code=2)
    stage.command("keys", "rotate", "signing", code=2)
    stage.command("housekeep")
    stage.command("orders", "list")
    stage.command("orders", "list", "--open", "--pointers", "--json")


def check_with_faults(stage: Stage) -> None:
    """A check whose column raises for Great Expectations, though not for our own count; and errors of
    Python that hold a row, in a command and in a step."""
    shown = ", ".join(
        "case when current_query() like '%oldest_due_on%' then is_due_after_anchor else (select"
        " first_name::boolean from crm.person where first_name is not null limit 1) end"
        " as is_due_after_anchor"
        if name == "is_due_after_anchor"
        else name
        for name in stage.all_(
            "select attname from pg_catalog.pg_attribute where attnum > 0 and not attisdropped"
            " and attrelid = 'retention.record_checks'::regclass order by attnum"
        )
    )
    stage.run(
        "alter table retention.record_checks rename to record_checks_kept",
        f"create view retention.record_checks as select {shown} from retention.record_checks_kept",
        "grant select on retention.record_checks to retention_reader",
    )
    stage.command("plan", code=3)
    stage.job("check_records", code=1)
    stage.run(
        "drop view retention.record_checks",
        "alter table retention.record_checks_kept rename to record_checks",
    )
    stage.program(
        f"{BOOM}\nimport sys, cli.status, cli.main\n"
        "cli.status.read_status = boom\n"
        "sys.exit(cli.main.run(['status']))\n",
        code=4,
    )
    stage.job(
        "check_records",
        code=4,
        before=f"{BOOM}\nimport orchestration.assets.findings\n"
        "orchestration.assets.findings.run_checks = boom\n",
    )


def open_the_page(stage: Stage) -> None:
    """The servers, until their sensors have looked; meanwhile the controls."""
    stage.command("up")
    stage.command("controls")
    url = f"{stage.environment['RETENTION_DATABASE_URL']}_dagster"
    deadline = time.monotonic() + 60
    with open_session(url, autocommit=True) as conn:
        while conn.execute("select count(*) from job_ticks").fetchone() == (0,):
            assert time.monotonic() < deadline, "no sensor has looked"
            time.sleep(0.2)
    stage.command("down")
