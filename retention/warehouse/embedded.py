"""The embedded PostgreSQL: the warehouse when no outside database is named.

Belongs here: starting it when needed, its two logins, its URL, stopping it. Does not belong here:
one data folder's mechanics (cluster.py), and what migrations and dbt build inside.
"""

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from retention import state
from retention.errors import UsageError
from retention.ports import LOOPBACK
from retention.settings import Settings
from retention.warehouse.account import server_account
from retention.warehouse.binaries import find_binaries, runnable_copy
from retention.warehouse.cluster import SUPERUSER, Cluster, Postmaster
from retention.warehouse.home import choose_home, known_home, record_path
from retention.warehouse.session import open_session

DATABASE = "warehouse"
APPROVER = "approver"
# Made here too, and not by the migrations alone, so that the second login belongs to them from its
# first moment; the migrations find them and go on. It answers requests as well: who decides that a
# person's records go is then never the login that plans the purge.
_APPROVER_GROUPS = (
    "retention_approver",
    "retention_reader",
    "retention_rights_officer",
    "retention_custodian",
)

_LOCK_SECONDS = 320.0

logger = logging.getLogger(__name__)


def url(settings: Settings) -> str:
    """Return the URL of the embedded warehouse, starting its server when it does not run.

    Raises UsageError when no server can be had here, WarehouseError when it does not start.
    """
    return _url(settings, SUPERUSER, start(settings).port)


def approver_url(settings: Settings) -> str:
    """Return the URL for the second login, which may approve plans, answer requests and read.

    Raises UsageError where an outside database is named: its logins are its administrator's.
    """
    if settings.database_url is not None:
        raise UsageError(
            "the second login exists in the embedded warehouse only:"
            " set RETENTION_DATABASE_URL to the approver's own login"
        )
    return _url(settings, APPROVER, start(settings).port)


def running(settings: Settings) -> Postmaster | None:
    """Return the embedded server if it runs and accepts connections; starts nothing."""
    cluster = _known_cluster(settings)
    postmaster = cluster.running() if cluster else None
    return postmaster if postmaster and postmaster.ready else None


def start(settings: Settings, *, extra: Mapping[str, str] | None = None) -> Postmaster:
    """Start the embedded server unless it runs, and return it. Any number of processes may ask at
    once. `extra` overrides server settings of this start. Raises as `url` does."""
    postmaster = running(settings)
    if postmaster is not None:
        return postmaster
    state.make_folder(settings.state, state.STATE_MODE)
    with _lock(settings):
        # Someone else may have started it while we waited.
        return running(settings) or _start(settings, extra or {})


def stop(settings: Settings) -> bool:
    """Stop the embedded server; return whether it ran. Raises WarehouseError if it stays."""
    if _known_cluster(settings) is None:
        return False
    with _lock(settings):
        cluster = _known_cluster(settings)
        return cluster.stop() if cluster else False


def files(settings: Settings) -> Path | None:
    """Return the folder with the embedded server's files, None when there is none yet."""
    return known_home(settings)


def _lock(settings: Settings) -> AbstractContextManager[None]:
    return state.file_lock(
        settings.state / "postgres.lock",
        wait_seconds=_LOCK_SECONDS,
        busy="another process has been starting the embedded PostgreSQL for minutes: end it first",
    )


def _known_cluster(settings: Settings) -> Cluster | None:
    home = known_home(settings)
    if home is None or not home.exists():
        return None
    return Cluster(home, server_account(home / "data"))


def _start(settings: Settings, extra: Mapping[str, str]) -> Postmaster:
    binaries = find_binaries(settings)
    cluster = _known_cluster(settings)
    if cluster is None:
        account = server_account(settings.state / "postgres" / "data")
        cluster = Cluster(choose_home(settings, account), account)
        _remember(settings, home=str(cluster.home))
    if not cluster.home.is_relative_to(settings.state):
        logger.warning(
            "the database's files are in %s: its account cannot enter %s",
            cluster.home,
            settings.state,
        )
    binaries = runnable_copy(binaries, cluster.account, cluster.home)
    cluster.create(binaries, _password(settings, SUPERUSER))
    record = state.read_record(record_path(settings)) or {}
    postmaster = cluster.start(binaries, record.get("port"), extra)
    if record.get("port") != postmaster.port:
        _remember(settings, home=str(cluster.home), port=postmaster.port)
    _provision(settings, postmaster)
    return postmaster


def _remember(settings: Settings, **facts: str | int) -> None:
    state.write_record(record_path(settings), {"state": str(settings.state), **facts})


def _provision(settings: Settings, postmaster: Postmaster) -> None:
    """Make the warehouse database and the second login if they are missing; a start that was cut
    short here is made good by the next."""
    with open_session(
        _url(settings, SUPERUSER, postmaster.port, "postgres"), autocommit=True
    ) as conn:
        roles = {row[0] for row in conn.execute("select rolname from pg_roles").fetchall()}
        for group in _APPROVER_GROUPS:
            if group not in roles:
                conn.execute(sql.SQL("create role {} nologin").format(sql.Identifier(group)))
        if APPROVER not in roles:
            conn.execute(
                sql.SQL("create role {} login password {}").format(
                    sql.Identifier(APPROVER),
                    sql.Literal(_scram(conn, _password(settings, APPROVER))),
                )
            )
        # Also where an earlier version made it, with fewer groups.
        for group in _APPROVER_GROUPS:
            if not _is_member(conn, group):
                conn.execute(
                    sql.SQL("grant {} to {}").format(
                        sql.Identifier(group), sql.Identifier(APPROVER)
                    )
                )
        exists = conn.execute("select from pg_database where datname = %s", (DATABASE,)).fetchone()
        if exists is None:
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))


def _is_member(conn: psycopg.Connection[Any], group: str) -> bool:
    row = conn.execute("select pg_has_role(%s, %s, 'member')", (APPROVER, group)).fetchone()
    return bool(row and row[0])


def _scram(conn: psycopg.Connection[object], password: str) -> str:
    """Hash here, so that the password itself never travels in a statement."""
    hashed = conn.pgconn.encrypt_password(password.encode(), APPROVER.encode(), b"scram-sha-256")
    return hashed.decode()


def _url(settings: Settings, login: str, port: int, database: str = DATABASE) -> str:
    return f"postgresql://{login}:{_password(settings, login)}@{LOOPBACK}:{port}/{database}"


def _password(settings: Settings, login: str) -> str:
    return state.secret(settings.state / "secrets" / f"{login}.password")
