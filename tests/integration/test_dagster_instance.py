"""Dagster's instance: a database of its own on the warehouse's server, telemetry off."""

import dataclasses
from collections.abc import Iterator

import psycopg
import pytest
import yaml
from psycopg import sql

from orchestration.instance import (
    STORAGE_VARIABLE,
    dagster_environment,
    database_name,
    ensure_instance,
    reading_environment,
    storage_url,
)
from retention.errors import UsageError
from retention.settings import Settings
from retention.warehouse.session import open_session
from tests.conftest import Server


@pytest.fixture
def storage(settings: Settings, server: Server) -> Iterator[str]:
    """The name of Dagster's database beside the fresh one; dropped afterwards."""
    name = database_name(storage_url(settings))
    yield name
    server.drop(name)


def test_storage_lies_beside_the_warehouse_and_is_made_once(
    settings: Settings, database: str, storage: str
) -> None:
    assert storage == f"{database}_dagster"
    assert ensure_instance(settings) == ensure_instance(settings)
    with open_session(storage_url(settings)) as conn:
        assert conn.execute("select current_database()").fetchone() == (storage,)


def test_the_instance_keeps_nothing_in_sqlite_and_reports_to_nobody(
    settings: Settings, storage: str
) -> None:
    home = ensure_instance(settings)
    config = yaml.safe_load((home / "dagster.yaml").read_text())
    environment = dagster_environment(settings)
    assert config["storage"] == {"postgres": {"postgres_url": {"env": STORAGE_VARIABLE}}}
    assert config["telemetry"] == {"enabled": False}
    assert config["nux"] == {"enabled": False}
    assert config["run_retries"] == {"enabled": False}
    assert config["run_monitoring"]["max_resume_run_attempts"] == 0
    assert environment["DAGSTER_HOME"] == str(home)
    assert environment[STORAGE_VARIABLE].startswith("postgresql+psycopg2://")
    assert environment[STORAGE_VARIABLE].endswith(f"/{storage}")
    assert environment["GX_ANALYTICS_ENABLED"] == "false"
    # The secret travels in the environment alone.
    assert "password" not in (home / "dagster.yaml").read_text()


def test_a_process_that_only_shows_the_instance_cannot_write_to_it(
    settings: Settings, storage: str
) -> None:
    ensure_instance(settings)
    others = {"PATH": "/bin", "RETENTION_HMAC_KEY": "key", "RETENTION_DATABASE_URL": "url"}
    environment = reading_environment(settings, others)
    assert {name for name in environment if name.startswith("RETENTION_")} == {STORAGE_VARIABLE}
    assert environment["PATH"] == "/bin"
    url = environment[STORAGE_VARIABLE].replace("+psycopg2", "")
    with psycopg.connect(url) as conn, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        conn.execute("create table anything ()")
    elsewhere = dataclasses.replace(
        settings,
        dagster_database_url="postgresql://u@h/d?sslmode=require&options=-c%20work_mem%3D9",
    )
    assert reading_environment(elsewhere, {})[STORAGE_VARIABLE].endswith(
        "?sslmode=require&options=-c%20work_mem%3D9%20-c%20default_transaction_read_only%3Don"
    )


def test_dagster_accepts_the_instance(
    settings: Settings, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster import DagsterInstance

    ensure_instance(settings)
    for name, value in dagster_environment(settings).items():
        monkeypatch.setenv(name, value)
    with DagsterInstance.get() as instance:
        assert "Postgres" in type(instance.event_log_storage).__name__
        assert not instance.telemetry_enabled
        assert not instance.run_retries_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == 24 * 60 * 60
        assert instance.get_runs() == []


def test_another_database_can_be_named(settings: Settings, server: Server) -> None:
    name = server.create(template=None)
    named = dataclasses.replace(settings, dagster_database_url=server.url(name))
    try:
        ensure_instance(named)
        assert database_name(storage_url(named)) == name
    finally:
        server.drop(name)
    wrong = dataclasses.replace(settings, dagster_database_url="sqlite:///x")
    with pytest.raises(UsageError, match="RETENTION_DAGSTER_DATABASE_URL"):
        storage_url(wrong)


def test_a_socket_folder_in_the_url_is_kept(settings: Settings) -> None:
    url = "postgresql://who@/warehouse?host=%2Frun%2Fpostgresql&sslmode=disable"
    found = storage_url(dataclasses.replace(settings, database_url=url))
    assert psycopg.conninfo.conninfo_to_dict(found) == {
        "user": "who",
        "dbname": "warehouse_dagster",
        "host": "/run/postgresql",
        "sslmode": "disable",
    }


def test_a_login_that_may_not_create_databases_is_told(server: Server, settings: Settings) -> None:
    login = "no_createdb"
    with server.admin() as admin:
        admin.execute(sql.SQL("create role {} login password 'x'").format(sql.Identifier(login)))
    try:
        assert settings.database_url is not None
        parts = psycopg.conninfo.conninfo_to_dict(settings.database_url)
        url = f"postgresql://{login}:x@{parts['host']}:{parts['port']}/{parts['dbname']}"
        with pytest.raises(UsageError, match="have an administrator create"):
            ensure_instance(dataclasses.replace(settings, database_url=url))
    finally:
        with server.admin() as admin:
            admin.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))
