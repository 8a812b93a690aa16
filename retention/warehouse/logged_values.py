"""Which settings of the server let it write personal values into its own log.

Belongs here: the settings, as they are for this session, and what each should be. Does not belong here:
refusing to bind a key (`retention.keys`), and the embedded server's settings (server_settings.py), which
need no change.

Our statements bind their values, so a statement's text holds none. What holds some: the words of an error
(`invalid input syntax for type date: "…"`) and its DETAIL (`Key (email)=(…) already exists`, `Failing row
contains (…)`), which no setting takes out of an error that is logged; the values that were bound; and a
plan that `auto_explain` writes down, in which they have become constants.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

# log_min_messages from which on no error is written, only what the server says of itself.
_WITHOUT_ERRORS = ("log", "fatal", "panic")

_ASKED = (
    "auto_explain.log_min_duration",
    "log_min_duration_sample",
    "log_min_duration_statement",
    "log_min_messages",
    "log_parameter_max_length",
    "log_statement",
    "log_transaction_sample_rate",
    "pgaudit.log",
    "pgaudit.log_parameter",
)


def settings_that_log_values(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """The settings of this session that would write personal values into the server's log, each with the
    value that ends it; empty where none does."""
    rows = conn.execute(
        "select name, setting from pg_catalog.pg_settings where name = any(%s)", (list(_ASKED),)
    ).fetchall()
    return wanted(dict(rows))


def remedy(conn: psycopg.Connection[Any], settings: Mapping[str, str]) -> str:
    """The statements, for a superuser, that set this database so for every login's next session."""
    return "; ".join(
        sql.SQL("alter database {} set {} = {}")
        .format(
            sql.Identifier(conn.info.dbname),
            sql.SQL(".").join(sql.Identifier(part) for part in name.split(".")),
            sql.Literal(value),
        )
        .as_string(conn)
        for name, value in settings.items()
    )


def wanted(found: Mapping[str, str]) -> dict[str, str]:
    """The same from settings by name. Those of an extension that is not loaded are missing."""
    change: dict[str, str] = {}
    if found["log_min_messages"] not in _WITHOUT_ERRORS:
        change["log_min_messages"] = "log"
    if _logs_statements(found) and found["log_parameter_max_length"] != "0":
        change["log_parameter_max_length"] = "0"
    if found.get("auto_explain.log_min_duration", "-1") != "-1":
        change["auto_explain.log_min_duration"] = "-1"
    if (
        found.get("pgaudit.log", "none") != "none"
        and found.get("pgaudit.log_parameter", "off") == "on"
    ):
        change["pgaudit.log_parameter"] = "off"
    return change


def _logs_statements(found: Mapping[str, str]) -> bool:
    return (
        found["log_statement"] in ("mod", "all")
        or found["log_min_duration_statement"] != "-1"
        or found["log_min_duration_sample"] != "-1"
        or float(found["log_transaction_sample_rate"]) > 0
    )
