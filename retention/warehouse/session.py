"""One session with a PostgreSQL server: its fixed settings, and the one line if there is none.

Belongs here: opening a given URL so that dates, time zone and rights are what the engine relies
on. Does not belong here: which URL that is (connection.py).
"""

from typing import Any

import psycopg
from psycopg import conninfo

from retention.errors import Refused, UsageError, WarehouseError

CONNECT_TIMEOUT_SECONDS = 10
MINIMUM_SERVER_VERSION = 150000


def open_session(
    url: str,
    *,
    role: str | None = None,
    read_only: bool = False,
    autocommit: bool = False,
) -> psycopg.Connection[Any]:
    """Open a connection to `url` with the session settings that the engine relies on. Raises as
    `connection.connect` does."""
    try:
        connection = psycopg.connect(
            url,
            autocommit=True,
            application_name="retention",
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
        )
    except psycopg.OperationalError as error:
        raise WarehouseError(_unreachable(url, error)) from None
    try:
        _prepare_session(connection, role, read_only)
        connection.autocommit = autocommit
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare_session(
    connection: psycopg.Connection[Any], role: str | None, read_only: bool
) -> None:
    if connection.info.server_version < MINIMUM_SERVER_VERSION:
        raise UsageError("the warehouse runs a PostgreSQL older than 15: use 15 or newer")
    # One round trip, before any transaction of the caller's: a rollback cannot undo it.
    connection.execute(
        "select set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, MDY', false),"
        " set_config('IntervalStyle', 'postgres', false),"
        " set_config('default_transaction_read_only', %s, false)",
        ("on" if read_only else "off",),
    )
    if role is None:
        return
    try:
        connection.execute("select set_config('role', %s, false)", (role,))
    except psycopg.errors.InvalidParameterValue:
        raise UsageError(
            f"the database has no role {role}: apply the migrations first (retention run does)"
        ) from None
    except psycopg.errors.InsufficientPrivilege:
        raise Refused(
            f"the login may not act as {role}: have an administrator grant {role} to it"
        ) from None


def _unreachable(url: str, error: psycopg.OperationalError) -> str:
    parts = conninfo.conninfo_to_dict(url)
    where = f"{parts.get('host') or 'local socket'}:{parts.get('port') or 5432}"
    return (
        f"cannot reach database {parts.get('dbname')} at {where} ({_cause(error)}):"
        " check that the server runs and that the URL is right"
    )


def _cause(error: psycopg.OperationalError) -> str:
    """Name the cause without the server's own words: they may repeat parts of the URL."""
    said = str(error).lower()
    causes = {
        "password authentication failed": "password refused",
        "does not exist": "no such database or login",
        "no password supplied": "no password given",
        "connection refused": "connection refused",
        "timeout": "no answer in time",
        "timed out": "no answer in time",
        "could not translate host": "unknown host",
        "failed to resolve": "unknown host",
        "name or service not known": "unknown host",
        "starting up": "still starting",
        "shutting down": "shutting down",
        "too many clients": "no free connection slot",
        "remaining connection slots": "no free connection slot",
        "pg_hba": "not admitted by the server's access list",
    }
    return next((cause for sign, cause in causes.items() if sign in said), "connection failed")
