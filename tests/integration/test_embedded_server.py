"""The embedded server: started by whoever needs it, private, and gone when told."""

import os
import shutil
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from retention import state
from retention.errors import UsageError
from retention.settings import Settings
from retention.warehouse import embedded
from retention.warehouse.binaries import find_binaries
from retention.warehouse.connection import connect
from retention.warehouse.home import record_path
from tests.conftest import Server

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be denied less than others")


def test_any_number_of_starts_at_once_make_one_server(own_server: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        urls = set(pool.map(lambda _: embedded.url(own_server), range(4)))
    assert len(urls) == 1
    with connect(own_server) as conn:
        assert conn.execute("select current_database()").fetchone() == (embedded.DATABASE,)
    assert embedded.stop(own_server)
    assert embedded.running(own_server) is None
    assert not embedded.stop(own_server)


def test_data_and_port_outlive_a_stop(own_server: Settings) -> None:
    url = embedded.url(own_server)
    with connect(own_server) as conn:
        conn.execute("create table public.kept as select 1 as id")
    embedded.stop(own_server)
    with connect(own_server) as conn:
        assert conn.execute("select id from public.kept").fetchall() == [(1,)]
    assert embedded.url(own_server) == url


def test_a_port_taken_meanwhile_is_given_up(own_server: Settings) -> None:
    before = embedded.start(own_server).port
    embedded.stop(own_server)
    with socket.create_server(("127.0.0.1", before)):
        after = embedded.start(own_server).port
        assert after != before
        with connect(own_server) as conn:
            assert conn.execute("select 1").fetchone() == (1,)


def test_the_server_is_set_up_as_promised(server: Server) -> None:
    def setting(name: str) -> str:
        row = conn.execute("select current_setting(%s)", (name,)).fetchone()
        assert row is not None
        return str(row[0])

    with connect(server.settings) as conn:
        assert setting("data_checksums") == "on"
        assert setting("listen_addresses") == "127.0.0.1"
        assert setting("log_statement") == "none"
        assert setting("log_parameter_max_length") == "0"
        assert setting("log_min_error_statement") == "panic"
        assert conn.execute("show server_encoding").fetchone() == ("UTF8",)
        # The rules are the server's own: no entry lets anybody in without a password.
        methods = conn.execute("select distinct auth_method from pg_hba_file_rules").fetchall()
        assert methods == [("scram-sha-256",)]
        ordered = conn.execute("select lower('ÆØÅ'), 'Z' < 'a'").fetchone()
        assert ordered == ("æøå", True)


def test_nobody_is_let_in_without_the_password(server: Server) -> None:
    port = embedded.start(server.settings).port
    for login in ("retention", "approver"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host="127.0.0.1", port=port, user=login, dbname=embedded.DATABASE)


def test_secrets_are_readable_by_their_owner_alone(server: Server) -> None:
    secrets = server.settings.state / "secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    found = sorted(secrets.iterdir())
    assert [path.name for path in found] == ["approver.password", "retention.password"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc on this system")
def test_the_server_gets_no_key_of_ours(
    own_server: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its superuser can read its environment: a key there would be inside the database after all."""
    monkeypatch.setenv("RETENTION_HMAC_KEY", "ab" * 32)
    monkeypatch.setenv("RETENTION_SIGNING_KEY", "cd" * 32)
    server = embedded.start(own_server)
    with connect(own_server) as conn:
        path = f"/proc/{server.pid}/environ"
        row = conn.execute("select pg_read_binary_file(%s)", (path,)).fetchone()
    assert row is not None
    assert b"PATH=" in row[0]
    assert b"RETENTION_" not in row[0]


def test_no_value_of_a_failing_statement_reaches_the_log(
    server: Server, settings: Settings
) -> None:
    canary = "kanarifugl@example.no"
    with connect(settings, autocommit=True) as conn:
        conn.execute("create table public.person (email text primary key)")
        conn.execute("insert into public.person values (%s)", (canary,))
        with pytest.raises(psycopg.errors.UniqueViolation, match=canary):
            conn.execute("insert into public.person values (%s)", (canary,))
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            conn.execute("select %s::text::bigint", (canary,))
    home = embedded.files(server.settings)
    assert home is not None
    log = (home / "log" / "server.log").read_text()
    assert "ready to accept connections" in log
    assert canary not in log


def test_an_initdb_that_was_cut_short_is_begun_anew(own_server: Settings) -> None:
    home = state.make_folder(own_server.state / "postgres", state.STATE_MODE)
    (home / "data.new" / "base").mkdir(parents=True)
    (home / "password.new").write_text("left")
    with connect(own_server) as conn:
        assert conn.execute("select 1").fetchone() == (1,)
    assert not (home / "data.new").exists()
    assert not (home / "password.new").exists()


def test_data_of_another_major_version_is_told_not_touched(own_server: Settings) -> None:
    home = state.make_folder(own_server.state / "postgres", state.STATE_MODE)
    state.make_folder(home / "data")
    (home / "data" / "PG_VERSION").write_text("14\n")
    shutil.chown(home / "data", "nobody" if os.geteuid() == 0 else os.geteuid())
    with pytest.raises(UsageError, match="made by PostgreSQL 14"):
        embedded.start(own_server)
    assert [path.name for path in (home / "data").iterdir()] == ["PG_VERSION"]


@pytest.mark.parametrize("content", [None, "#!/bin/sh\necho postgres 14.9\n"], ids=["none", "old"])
def test_a_bin_folder_that_does_not_serve_is_told(
    own_server: Settings, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        for name in ("postgres", "initdb", "pg_ctl"):
            (tmp_path / name).write_text(content)
            (tmp_path / name).chmod(0o755)
    with pytest.raises(UsageError, match="RETENTION_POSTGRES_BIN"):
        embedded.start(replace(own_server, postgres_bin=tmp_path))
    assert not record_path(own_server).exists()


@AS_ROOT
def test_root_below_a_closed_folder_uses_another_and_says_which(
    own_server: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    elsewhere = own_server.state.parent / "elsewhere"
    monkeypatch.setattr("retention.warehouse.home._ELSEWHERE", (elsewhere,))
    tmp_path.chmod(0o700)
    closed = replace(own_server, state=tmp_path / "state")
    try:
        with connect(closed) as conn:
            assert conn.execute("select 1").fetchone() == (1,)
        home = embedded.files(closed)
        assert home is not None
        assert home.is_relative_to(elsewhere)
        assert str(home) in caplog.text
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
        # The state folder is removed and made again: the new one gets a database of its own.
        embedded.stop(closed)
        shutil.rmtree(closed.state)
        with connect(closed) as conn:
            assert conn.execute("select 1").fetchone() == (1,)
        assert embedded.files(closed) != home
        assert f"{home} holds an earlier database" in caplog.text
    finally:
        embedded.stop(closed)


@AS_ROOT
def test_root_with_programs_in_a_closed_folder_copies_them(
    own_server: Settings, tmp_path: Path
) -> None:
    installation = find_binaries(own_server).bin.parent
    if not (installation / "share").is_dir():
        pytest.skip("this PostgreSQL is spread over the system and lies open")
    tmp_path.chmod(0o700)
    package = tmp_path / installation.parent.name
    shutil.copytree(installation, package / installation.name, symlinks=True)
    libraries = installation.parent.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, tmp_path / libraries.name, symlinks=True)
    settings = replace(own_server, postgres_bin=package / installation.name / "bin")
    with connect(settings) as conn:
        assert conn.execute("select 1").fetchone() == (1,)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    embedded.stop(settings)
