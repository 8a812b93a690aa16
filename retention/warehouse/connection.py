"""Connecting to the warehouse that the settings name.

Belongs here: which URL is in use, and as whom. Does not belong here: what every session is set to
(session.py), starting the embedded server (embedded.py), and SQL about retention.
"""

from typing import Any

import psycopg
from psycopg import conninfo

from retention.errors import UsageError
from retention.settings import Settings
from retention.warehouse import embedded
from retention.warehouse.session import open_session


def is_embedded(settings: Settings) -> bool:
    """True when no outside database is named, so that the warehouse is our own server."""
    return settings.database_url is None


def warehouse_url(settings: Settings) -> str:
    """Return the `postgresql://` URL of the warehouse, password included: never print it in a log.

    Starts the embedded server when no database is named. Raises UsageError for a URL that is none,
    WarehouseError when the embedded server cannot be started.
    """
    if settings.database_url is None:
        return embedded.url(settings)
    return checked_url("RETENTION_DATABASE_URL", settings.database_url)


def checked_url(name: str, url: str) -> str:
    """Return `url` if libpq can read it and it names a database. Raises UsageError, without its
    text: it may hold a password."""
    how = f"{name} is no usable PostgreSQL URL: write postgresql://user:password@host:port/database"
    if not url.startswith(("postgresql://", "postgres://")):
        raise UsageError(how)
    try:
        parts = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise UsageError(how) from None
    if not parts.get("dbname"):
        raise UsageError(how)
    return "postgresql://" + url.partition("://")[2]


def connect(
    settings: Settings,
    *,
    role: str | None = None,
    read_only: bool = False,
    autocommit: bool = False,
) -> psycopg.Connection[Any]:
    """Open a connection to the warehouse; use it as a context manager (it commits and closes).

    `role` is taken for the whole session, `read_only` makes every transaction read-only. Raises
    WarehouseError when the database cannot be reached, UsageError when it is too old or has no such
    role, Refused when the login may not take the role.
    """
    return open_session(
        warehouse_url(settings), role=role, read_only=read_only, autocommit=autocommit
    )


def connect_as_approver(settings: Settings) -> psycopg.Connection[Any]:
    """Open a connection as the embedded warehouse's second login, the one that approves.

    Raises UsageError on an outside database: there the approver is whoever's URL is in use.
    """
    return open_session(embedded.approver_url(settings))
