"""Sessions are what the engine relies on, and a database out of reach is one line."""

import dataclasses

import psycopg
import pytest

from retention.errors import Refused, UsageError, WarehouseError
from retention.settings import Settings
from retention.warehouse.connection import (
    checked_url,
    connect,
    connect_as_approver,
    is_embedded,
    warehouse_url,
)
from retention.warehouse.session import open_session


def test_every_session_is_utc_and_iso(settings: Settings) -> None:
    with connect(settings) as conn:
        conn.rollback()
        shown = conn.execute(
            "select current_setting('timezone'), current_setting('datestyle'),"
            " current_setting('application_name')"
        ).fetchone()
    assert shown == ("UTC", "ISO, MDY", "retention")


def test_a_role_is_kept_through_a_rollback(settings: Settings) -> None:
    with connect(settings, role="retention_reader", read_only=True) as conn:
        conn.rollback()
        assert conn.execute("select current_user").fetchone() == ("retention_reader",)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            conn.execute("create table public.made (id int)")


def test_the_examiner_alone_reads_a_landing_table_made_later_and_writes_none(
    settings: Settings,
) -> None:
    with connect(settings) as conn:
        conn.execute("create schema crm")
        conn.execute("create table crm.person as select 17 as id")
    with (
        connect(settings, role="retention_reader") as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute("select id from crm.person")
    with connect(settings, role="retention_examiner") as conn:
        assert conn.execute("select id from crm.person").fetchall() == [(17,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("delete from crm.person")


def test_a_role_that_is_missing_or_denied_says_what_to_do(
    settings: Settings, approver_url: str
) -> None:
    with pytest.raises(UsageError, match="migrations"), connect(settings, role="retention_nobody"):
        pass
    with (
        pytest.raises(Refused, match="grant retention_purger"),
        open_session(approver_url, role="retention_purger"),
    ):
        pass


def test_an_unreachable_database_is_one_line_without_its_password(settings: Settings) -> None:
    lost = dataclasses.replace(
        settings, database_url="postgresql://retention:hemmelig@127.0.0.1:1/lost?application_name=x"
    )
    with pytest.raises(WarehouseError) as raised, connect(lost):
        pass
    assert raised.value.exit_code == 4
    assert "127.0.0.1:1" in str(raised.value)
    assert "connection refused" in str(raised.value)
    assert "hemmelig" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_wrong_password_is_named_as_such(settings: Settings) -> None:
    assert settings.database_url is not None
    password = psycopg.conninfo.conninfo_to_dict(settings.database_url)["password"]
    wrong = dataclasses.replace(
        settings, database_url=settings.database_url.replace(str(password), "hemmelig")
    )
    with pytest.raises(WarehouseError, match="password refused") as raised, connect(wrong):
        pass
    assert "hemmelig" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://hemmelig@host/db",
        "host=localhost password=hemmelig",
        "postgresql://user:hemmelig@host",
        "postgresql://user:hemmelig@host/db?no_such_option=1",
    ],
)
def test_a_url_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UsageError, match="RETENTION_DATABASE_URL") as raised:
        checked_url("RETENTION_DATABASE_URL", url)
    assert "hemmelig" not in str(raised.value)


def test_both_spellings_of_the_scheme_become_one(settings: Settings) -> None:
    assert settings.database_url is not None
    other = settings.database_url.replace("postgresql://", "postgres://")
    assert warehouse_url(dataclasses.replace(settings, database_url=other)) == settings.database_url


def test_the_second_login_is_the_embedded_warehouses_alone(
    settings: Settings, embedded_settings: Settings
) -> None:
    assert not is_embedded(settings)
    with pytest.raises(UsageError, match="embedded warehouse only"):
        connect_as_approver(settings)
    assert is_embedded(embedded_settings)
    with connect_as_approver(embedded_settings) as conn:
        rights = conn.execute(
            "select session_user, rolsuper, rolcreaterole, rolcreatedb,"
            " pg_has_role('retention_approver', 'member'), pg_has_role('retention_owner', 'member')"
            " from pg_roles where rolname = session_user"
        ).fetchone()
    assert rights == ("approver", False, False, False, True, False)
