"""Migrations: applied once, all or none, by anybody who may, in several databases at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from retention.errors import UsageError
from retention.warehouse.migrate import load_migrations, migrate
from retention.warehouse.session import open_session
from tests.conftest import Server


@pytest.fixture
def empty(server: Server) -> Iterator[str]:
    """The URL of a database without migrations."""
    name = server.create(template=None)
    yield server.url(name)
    server.drop(name)


def versions(conn: psycopg.Connection[Any]) -> list[int]:
    rows = conn.execute("select version from ledger.migrations order by 1").fetchall()
    return [row[0] for row in rows]


def test_migrating_twice_applies_once(empty: str) -> None:
    with open_session(empty) as conn:
        applied = migrate(conn)
        assert len(applied) == len(load_migrations()) + 1
        assert applied[-1] == "functions"
        assert migrate(conn) == []
        assert versions(conn) == [migration.version for migration in load_migrations()]


def test_several_processes_at_once_apply_each_migration_once(empty: str) -> None:
    def one(_: int) -> int:
        with open_session(empty) as conn:
            return len(migrate(conn))

    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(one, range(4)))
    assert sorted(applied) == [0, 0, 0, len(load_migrations()) + 1]


def test_a_failing_migration_leaves_nothing_of_its_run(empty: str, tmp_path: Path) -> None:
    first = load_migrations()[0]
    (tmp_path / "0001_roles_and_schemas.sql").write_text(first.sql)
    (tmp_path / "0002_broken.sql").write_text("create table ledger.half (id int); select 1 / 0;")
    with open_session(empty) as conn:
        with pytest.raises(psycopg.errors.DivisionByZero):
            migrate(conn, folder=tmp_path)
        assert conn.execute("select to_regnamespace('ledger')").fetchone() == (None,)


def test_functions_are_replaced_when_their_text_changes(empty: str, tmp_path: Path) -> None:
    text = "create or replace function ledger.{} returns int language sql return {};"
    (tmp_path / "01_one.sql").write_text(text.format("one()", 1))
    (tmp_path / "02_next.sql").write_text(text.format("next()", "ledger.one() + 1"))
    with open_session(empty) as conn:
        migrate(conn, functions=tmp_path)
        assert conn.execute("select ledger.next()").fetchone() == (2,)
        assert migrate(conn, functions=tmp_path) == []
        (tmp_path / "01_one.sql").write_text(text.format("one()", 10))
        assert migrate(conn, functions=tmp_path) == ["functions"]
        assert conn.execute("select ledger.next()").fetchone() == (11,)


def test_nobody_may_call_a_function_of_the_ledger_without_a_grant(
    conn: psycopg.Connection[Any],
) -> None:
    open_to_all = conn.execute(
        "select proname from pg_proc where pronamespace = 'ledger'::regnamespace"
        " and has_function_privilege('public', oid, 'execute')"
    ).fetchall()
    assert open_to_all == []


def test_every_function_fixes_its_search_path(conn: psycopg.Connection[Any]) -> None:
    """Without it, one with the owner's rights can be made to write into pg_temp."""
    loose = conn.execute(
        "select proname from pg_proc where pronamespace = 'ledger'::regnamespace"
        " and not coalesce('search_path=pg_catalog, ledger, pg_temp' = any(proconfig), false)"
    ).fetchall()
    assert loose == []


def test_a_migration_changed_after_it_was_applied_is_refused(
    conn: psycopg.Connection[Any],
) -> None:
    conn.execute("update ledger.migrations set checksum = 'other' where version = 1")
    conn.commit()
    with pytest.raises(UsageError, match="0001_roles_and_schemas was changed"):
        migrate(conn)


def test_a_database_of_a_newer_version_is_refused(conn: psycopg.Connection[Any]) -> None:
    conn.execute("insert into ledger.migrations (version, name, checksum) values (9999, 'x', 'x')")
    conn.commit()
    with pytest.raises(UsageError, match="newer version"):
        migrate(conn)


def test_the_owner_of_the_ledger_is_a_role_that_nobody_logs_in_as(
    conn: psycopg.Connection[Any],
) -> None:
    owners = conn.execute(
        "select nspname, rolname, rolcanlogin from pg_namespace"
        " join pg_roles on pg_roles.oid = nspowner"
        " where nspname in ('ledger', 'sletteplikt') order by 1"
    ).fetchall()
    assert owners == [
        ("ledger", "retention_owner", False),
        ("sletteplikt", "retention_owner", False),
    ]


def test_models_that_another_login_built_are_handed_over(empty: str, tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    for migration in load_migrations():
        if migration.version < 10:
            name = f"{migration.version:04}_{migration.name}.sql"
            (before / name).write_text(migration.sql)
    with open_session(empty) as conn:
        migrate(conn, folder=before, functions=tmp_path)
        conn.execute("create schema retention; create table retention.records (id int)")
        conn.execute("create view retention.seen as select id from retention.records")
        conn.commit()
        migrate(conn)
        owners = conn.execute(
            "select distinct pg_get_userbyid(relowner) from pg_class"
            " where relnamespace = 'retention'::regnamespace"
        ).fetchall()
        assert owners == [("retention_classifier",)]
        conn.execute("set local role retention_purger")
        conn.execute("delete from retention.records")
        conn.rollback()


def test_a_login_without_superuser_can_migrate(server: Server) -> None:
    """An outside database's login often is its database's owner and no more."""
    name = server.create(template=None)
    login = "ordinary_migrator"
    with server.admin() as admin:
        admin.execute(
            sql.SQL("create role {} login createrole password 'x'").format(sql.Identifier(login))
        )
        major = admin.info.server_version // 10000
        for group in (
            "retention_owner",
            "retention_reader",
            "retention_approver",
            "retention_classifier",
        ):
            if major >= 16:
                admin.execute(
                    sql.SQL("grant {} to {} with admin option").format(
                        sql.Identifier(group), sql.Identifier(login)
                    )
                )
        admin.execute(
            sql.SQL("alter database {} owner to {}").format(
                sql.Identifier(name), sql.Identifier(login)
            )
        )
    try:
        parts = psycopg.conninfo.conninfo_to_dict(server.url(name))
        url = f"postgresql://{login}:x@{parts['host']}:{parts['port']}/{name}"
        with open_session(url) as conn:
            migrate(conn)
            assert versions(conn) == [migration.version for migration in load_migrations()]
            conn.rollback()
    finally:
        server.drop(name)
        with server.admin() as admin:
            admin.execute(sql.SQL("drop owned by {}").format(sql.Identifier(login)))
            admin.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))
