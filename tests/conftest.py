"""What every test may ask for: a throwaway PostgreSQL server and a fresh database on it.

Belongs here: fixtures about the machine (server, databases, settings, environment). Does not
belong here: data of a story; that is built in the test from a factory.

The server comes from the same programs as the product's own (RETENTION_POSTGRES_BIN, else the
wheel), on a free port, and is gone afterwards. RETENTION_DATABASE_URL is ignored: no test may
touch a database that somebody uses.
"""

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from retention import state
from retention.settings import Settings, load_settings
from retention.warehouse import embedded
from retention.warehouse.connection import connect
from retention.warehouse.migrate import migrate
from retention.warehouse.roles import let_classifier_build
from retention.warehouse.session import open_session
from tests.crash.figures import PROPERTY, Figures

TEMPLATE = "sletteplikt_template"
KINDS = ("unit", "integration", "browser", "crash")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long", action="store_true", help="run the crash and race suites in full (minutes)"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test by its folder, so that `-m integration` misses none."""
    for item in items:
        kind = item.path.relative_to(Path(__file__).parent).parts[0]
        if kind not in KINDS:
            raise pytest.UsageError(f"{item.nodeid}: put it into one of {', '.join(KINDS)}")
        item.add_marker(kind)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of the crash and race suites, in whichever process their tests ran."""
    figures = Figures()
    for reports in terminalreporter.stats.values():
        for report in reports:
            # Every report of a test has its properties from then on; the last one has them all.
            if getattr(report, "when", None) == "teardown":
                for name, value in report.user_properties:
                    if name == PROPERTY:
                        figures.include(value)
    lines = figures.table()
    if lines:
        terminalreporter.section("kills and races")
        for line in lines:
            terminalreporter.write_line(line)


@dataclasses.dataclass
class Server:
    """The throwaway server. `settings` sees it as the embedded one."""

    settings: Settings
    made: int = 0

    def url(self, database: str) -> str:
        """The superuser's URL of one database."""
        return _with_database(embedded.url(self.settings), database)

    def approver_url(self, database: str) -> str:
        """The second login's URL of one database."""
        return _with_database(embedded.approver_url(self.settings), database)

    def create(self, *, template: str | None = TEMPLATE, name: str | None = None) -> str:
        """Make a database, migrated unless `template` is None, and return its name."""
        self.made += 1
        name = name or f"test_{self.made:04}"
        with self.admin() as conn:
            conn.execute(
                sql.SQL("create database {} template {}").format(
                    sql.Identifier(name), sql.Identifier(template or "template0")
                )
            )
        if template:
            # As every migration does: a database does not take this over from its template.
            with open_session(self.url(name)) as conn:
                let_classifier_build(conn)
        return name

    def drop(self, name: str) -> None:
        with self.admin() as conn:
            conn.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )

    def admin(self) -> psycopg.Connection[Any]:
        return open_session(self.url("postgres"), autocommit=True)


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """The caller's environment without the variables that would change what is tested."""
    kept = {"RETENTION_POSTGRES_BIN"}
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or not name.startswith(("RETENTION_", "DAGSTER_", "DBT_", "PG", "COLUMNS"))
    }


@pytest.fixture(scope="session")
def server(clean_environment: Mapping[str, str]) -> Iterator[Server]:
    """A throwaway server with a migrated template database; stopped and removed at the end."""
    folder = _enterable_folder()
    settings = load_settings({**clean_environment, "RETENTION_STATE_DIR": str(folder / "state")})
    try:
        # The tests kill processes, never the machine: what fsync protects from does not happen.
        embedded.start(settings, extra={"fsync": "off", "max_wal_size": "1GB"})
        throwaway = Server(settings)
        throwaway.create(template=None, name=TEMPLATE)
        with open_session(throwaway.url(TEMPLATE)) as conn:
            migrate(conn)
        yield throwaway
    finally:
        embedded.stop(settings)
        shutil.rmtree(folder)


@pytest.fixture
def own_server(clean_environment: Mapping[str, str]) -> Iterator[Settings]:
    """Settings for an embedded server of the test's own, not started yet; stopped afterwards."""
    folder = _enterable_folder()
    settings = load_settings({**clean_environment, "RETENTION_STATE_DIR": str(folder / "state")})
    yield settings
    embedded.stop(settings)
    shutil.rmtree(folder)


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """The name of a fresh migrated database, dropped afterwards."""
    name = server.create()
    yield name
    server.drop(name)


@pytest.fixture
def settings(server: Server, database: str, tmp_path: Path) -> Settings:
    """Settings that name the fresh database as an outside one, with a state folder of their own."""
    return dataclasses.replace(
        server.settings, state=tmp_path / "state", database_url=server.url(database)
    )


@pytest.fixture
def conn(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the fresh database."""
    with connect(settings) as connection:
        yield connection


@pytest.fixture
def approver_url(server: Server, database: str) -> str:
    """The second login's URL of the fresh database."""
    return server.approver_url(database)


@pytest.fixture
def embedded_settings(server: Server, tmp_path: Path) -> Settings:
    """Settings whose embedded warehouse is the throwaway server's, fresh and migrated."""
    server.drop(embedded.DATABASE)
    server.create(name=embedded.DATABASE)
    return server.settings


@pytest.fixture
def command_environment(settings: Settings, clean_environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for `retention` as a process of its own on the fresh database."""
    assert settings.database_url is not None
    return {
        **clean_environment,
        "RETENTION_DATABASE_URL": settings.database_url,
        "RETENTION_STATE_DIR": str(settings.state),
        "NO_COLOR": "1",
    }


def _enterable_folder() -> Path:
    """Not pytest's own temporary folder: that one is closed to the account the server runs as."""
    folder = Path(tempfile.mkdtemp(prefix="retention-test-"))
    folder.chmod(state.STATE_MODE)
    return folder


def _with_database(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
