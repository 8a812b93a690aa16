"""A scanner that finds nothing may be blind: one leak put in on purpose for each channel, and found.

Belongs here: that each channel is read, and that what is allowed somewhere is allowed there alone. Does
not belong here: the product, which test_nothing_leaks.py runs.
"""

import base64
import gzip
import json
import logging
import os
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dagster import DagsterInstance, MaterializeResult, asset, materialize
from psycopg.types.json import Jsonb

from orchestration.instance import dagster_environment, ensure_instance
from retention.report.render.html import render
from retention.settings import Settings
from retention.warehouse import embedded
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.leaks.canaries import Canaries
from tests.leaks.channels import Leak, Scanner, kinds
from tests.leaks.patterns import Kind, Patterns
from tests.leaks.sampling import processes, sampling, statements, temporary_files
from tests.leaks.secrets import needles_for, secrets_of
from tests.report_document import document

pytestmark = pytest.mark.integration

KEY = bytes(range(32))
PASSWORD = "a-password-that-is-long"
COLUMN = "shop.person.name"


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def canary(canaries: Canaries) -> str:
    return canaries.text_of(COLUMN)


@pytest.fixture
def scanner(canaries: Canaries, canary: str, tmp_path: Path) -> Scanner:
    named = secrets_of(
        {
            "RETENTION_HMAC_KEY": KEY.hex(),
            "RETENTION_DATABASE_URL": f"postgresql://u:{PASSWORD}@h/d",
        },
        tmp_path / "state",
    )
    return Scanner(
        Patterns([*canaries.needles("2999-01-01"), *needles_for(named)]),
        frozenset({"password in RETENTION_DATABASE_URL"}),
    )


def found(leaks: set[Leak]) -> set[tuple[str, str]]:
    return {(leak.channel, leak.hit.what) for leak in leaks}


def test_what_a_command_prints(scanner: Scanner, canary: str) -> None:
    for stream in ("stdout", "stderr"):
        done = subprocess.run(
            [sys.executable, "-c", f"import sys; print({canary!r}, file=sys.{stream})"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert found(scanner.output(["status"], done.stdout, done.stderr)) == {("output", COLUMN)}


def test_a_line_in_a_log(scanner: Scanner, canary: str, tmp_path: Path) -> None:
    logger = logging.getLogger("a.library")
    handler = logging.FileHandler(tmp_path / "a.log")
    logger.addHandler(handler)
    try:
        raise ValueError(f"cannot use {(17, canary)}")
    except ValueError:
        logger.exception("failed")
    finally:
        logger.removeHandler(handler)
        handler.close()
    assert found(scanner.files(tmp_path)) == {("file", COLUMN)}


def test_the_name_of_a_file(scanner: Scanner, canary: str, tmp_path: Path) -> None:
    (tmp_path / f"{canary}.csv").write_text("id\n")
    assert found(scanner.files(tmp_path)) == {("file name", COLUMN)}


def test_a_dbt_model_that_raises_with_a_value(
    scanner: Scanner, canary: str, settings: Settings, conn: psycopg.Connection[Any], tmp_path: Path
) -> None:
    """dbt as it comes, without what `orchestration.dbt_command` changes in it."""
    conn.execute("create table public.person as select %s::text as name", (canary,))
    conn.commit()
    project = tmp_path / "project"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: bare\nversion: '1.0'\nprofile: bare\n")
    (project / "models" / "bad.sql").write_text(
        "{{ config(materialized='table') }} select name::int from public.person"
    )
    target = psycopg.conninfo.conninfo_to_dict(settings.database_url or "")
    profile = {
        "type": "postgres",
        "host": target["host"],
        "port": int(target["port"]),
        "user": target["user"],
        "password": target["password"],
        "dbname": target["dbname"],
        "schema": "public",
    }
    (tmp_path / "profiles.yml").write_text(
        json.dumps({"bare": {"target": "here", "outputs": {"here": profile}}})
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "dbt.cli.main",
            "run",
            "--profiles-dir",
            tmp_path,
            "--no-use-colors",
        ],
        cwd=project,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert found(scanner.output(["run"], done.stdout)) == {("output", COLUMN)}
    places = {leak.place for leak in scanner.files(project)}
    assert {"project/target/run_results.json", "project/logs/dbt.log"} <= places


def test_metadata_and_an_error_in_dagsters_storage(
    scanner: Scanner,
    canary: str,
    settings: Settings,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ensure_instance(settings)
    for name, value in dagster_environment(settings).items():
        monkeypatch.setenv(name, value)

    @asset
    def person() -> MaterializeResult[None]:
        return MaterializeResult(metadata={"name": canary})

    @asset
    def other() -> None:
        raise ValueError(canary)

    url = f"{settings.database_url}_dagster"
    with DagsterInstance.get() as instance, psycopg.connect(url, autocommit=True) as dagster:
        assert materialize([person], instance=instance, run_config=QUIET).success
        places = {leak.place for leak in scanner.database(dagster)}
        assert "public.event_logs.event" in places
        dagster.execute("truncate event_logs, asset_keys")
        assert not scanner.database(dagster)
        materialize([other], instance=instance, raise_on_error=False, run_config=QUIET)
        assert found(scanner.database(dagster)) == {("database", COLUMN)}
    server.drop(url.rpartition("/")[2])


QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def test_a_report(scanner: Scanner, canary: str, tmp_path: Path) -> None:
    """A figure that names a person instead of a table."""
    row = {"table": canary, "landed": 1, "records": 0, "reconciled": False}
    told = document(landed=[row])
    (tmp_path / "report.html").write_text(render(told))
    (tmp_path / "report.json").write_text(json.dumps(told))
    places = {leak.place.rpartition("/")[2] for leak in scanner.files(tmp_path)}
    assert places == {"report.html", "report.json"}


def append(conn: psycopg.Connection[Any], body: dict[str, str]) -> None:
    conn.execute("select ledger.append('plan', %s)", (Jsonb(body),))


def test_an_entry_of_the_ledger(
    scanner: Scanner, canary: str, conn: psycopg.Connection[Any]
) -> None:
    assert not scanner.database(conn, ["ledger"])
    append(conn, {"said": canary})
    leaks = scanner.database(conn, ["ledger"])
    assert "ledger.entries.body" in {leak.place for leak in leaks}
    assert {leak.hit.what for leak in leaks} == {COLUMN}


def test_a_key_is_allowed_where_records_are_named_and_nowhere_else(
    scanner: Scanner, canaries: Canaries, conn: psycopg.Connection[Any]
) -> None:
    key, salt = f"{canaries.key_number}00000017", f"{canaries.key_word}17"
    conn.execute(
        "insert into ledger.subject_tokens (subject_id) values (%s)", (f"shop.person:{key}",)
    )
    conn.execute("insert into ledger.guards (guard_key) values (%s)", (f"record:{salt}",))
    assert not scanner.database(conn, ["ledger"])
    append(conn, {"record": key})
    assert kinds(scanner.database(conn, ["ledger"])) == {Kind.KEY}


def test_a_temporary_file_that_is_gone_again(scanner: Scanner, canary: str, tmp_path: Path) -> None:
    with sampling(temporary_files(scanner, tmp_path)) as seen:
        (tmp_path / "passing").write_text(canary)
        time.sleep(0.3)
        (tmp_path / "passing").unlink()
    assert found(seen.leaks) == {("temporary file", COLUMN)}


def test_an_argument_and_an_environment_of_a_process(scanner: Scanner, canary: str) -> None:
    with sampling(processes(scanner)) as seen:
        subprocess.run(["sleep", "0.4", "0.0"], env={"NAME": canary}, check=True)
    assert found(seen.leaks) == {("environment", COLUMN)}
    with sampling(processes(scanner)) as seen:
        subprocess.run(["/bin/sh", "-c", "sleep 0.4; :", canary], check=True)
    assert found(seen.leaks) == {("arguments", COLUMN)}


def test_a_secret_in_a_process_that_need_not_have_it(scanner: Scanner) -> None:
    both = {
        "RETENTION_HMAC_KEY": KEY.hex(),
        "RETENTION_DATABASE_URL": f"postgresql://u:{PASSWORD}@h",
    }
    with sampling(processes(scanner)) as seen:
        subprocess.run(["sleep", "0.3"], env=both, check=True)
        # The engine's own processes are given both.
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.4)"], env=both, check=True)
    assert {leak.channel for leak in seen.leaks} == {"environment"}
    assert {leak.place for leak in seen.leaks} == {"sleep 0.3"}
    assert {leak.hit.what for leak in seen.leaks} == {
        "RETENTION_HMAC_KEY",
        "RETENTION_HMAC_KEY as written",
        "password in RETENTION_DATABASE_URL",
    }


def test_the_statement_of_a_session(scanner: Scanner, canary: str, settings: Settings) -> None:
    with (
        connect(settings, autocommit=True) as watching,
        connect(settings, autocommit=True) as working,
        sampling(statements(scanner, watching)) as seen,
    ):
        working.execute("select %s::text, pg_sleep(0.2)", (canary,))
        assert not seen.leaks
        working.execute(f"select '{canary}', pg_sleep(0.3)".encode())
    assert found(seen.leaks) == {("statements", COLUMN)}


def test_the_servers_log(scanner: Scanner, canary: str, settings: Settings, server: Server) -> None:
    home = embedded.files(server.settings)
    assert home is not None
    log = home / "log" / "server.log"
    before = log.stat().st_size
    with connect(settings, autocommit=True) as conn:
        conn.execute("create table public.person (email text primary key)")
        conn.execute("insert into public.person values (%s)", (canary,))
        conn.execute("set log_min_messages = 'error'")
        conn.execute("set log_error_verbosity = 'default'")
        with pytest.raises(psycopg.errors.UniqueViolation):
            conn.execute("insert into public.person values (%s)", (canary,))
    said = log.read_bytes()[before:]
    assert found(scanner.look_at("server log", log.name, said)) == {("server log", COLUMN)}


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda data: data.upper(), id="in capitals"),
        pytest.param(lambda data: b"...." + data.hex().encode(), id="as hexadecimal"),
        *(
            pytest.param(
                lambda data, ahead=ahead: base64.b64encode(b"." * ahead + data + b"..."),
                id=f"as base64 after {ahead}",
            )
            for ahead in range(3)
        ),
        pytest.param(zlib.compress, id="compressed"),
        pytest.param(gzip.compress, id="as gzip"),
        pytest.param(lambda data: json.dumps({"ø": data.decode()}).encode(), id="as JSON"),
    ],
)
def test_however_it_is_written(scanner: Scanner, canary: str, written: Any) -> None:
    assert kinds(scanner.look_at("file", "x", written(canary.encode()))) == {Kind.VALUE}
    if written not in (bytes.upper,):
        assert Kind.SECRET in kinds(scanner.look_at("file", "x", written(PASSWORD.encode())))


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY.hex().encode(),
        KEY.hex().upper().encode(),
        base64.b64encode(KEY),
        base64.urlsafe_b64encode(KEY),
        repr(KEY.hex()).encode(),
    ],
)
def test_a_key_however_it_is_written(scanner: Scanner, written: bytes) -> None:
    leaks = scanner.look_at("file", "x", b"(" + written + b")")
    assert {leak.hit.kind for leak in leaks} == {Kind.SECRET}
    assert not scanner.look_at("file", "x", b"(" + written[1:-8] + b")")


def test_a_new_key_file_is_a_secret_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "keys"
    folder.mkdir(parents=True)
    (folder / "another.key").write_text(KEY.hex() + "\n")
    scanner = Scanner(Patterns(needles_for(secrets_of({}, tmp_path / "state"))))
    (tmp_path / "state" / "notes.txt").write_text(base64.b64encode(KEY).decode())
    assert {leak.place for leak in scanner.files(tmp_path / "state")} == {"state/notes.txt"}


def test_numbers_and_moments(scanner: Scanner, canaries: Canaries) -> None:
    def kinds_in(text: str) -> set[Kind]:
        return kinds(scanner.look_at("file", "x", text.encode()))

    assert kinds_in(f"({canaries.number}00010001)") == {Kind.VALUE}
    assert kinds_in(f"person:{canaries.key_number}00000017,") == {Kind.KEY}
    assert kinds_in(f"2020-01-02T03:04:05.{canaries.moment}Z") == {Kind.MOMENT}
    assert kinds_in(f"2999-01-01 03:04:05.{canaries.moment}") == set()
    assert kinds_in(f"ab{canaries.number}00010001cd") == set(), "a hash that looks like it"
