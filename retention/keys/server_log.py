"""Refusing to bind a key where the server would write it to its log.

Belongs here: the settings by which a server logs what is bound to a statement. Does not belong here:
the keys, and anything else about a server's settings.
"""

from typing import Any

import psycopg

from retention.errors import Refused


def refuse_logged_values(conn: psycopg.Connection[Any]) -> None:
    """Raise Refused where the server would write bound values, and so a key, to its log.

    What the session may switch off by itself, it does.
    """
    conn.execute("select set_config('log_parameter_max_length_on_error', '0', false)")
    rows: dict[str, str] = dict(
        conn.execute(
            "select name, setting from pg_catalog.pg_settings where name = any(%s)",
            (
                [
                    "log_statement",
                    "log_min_duration_statement",
                    "log_min_duration_sample",
                    "log_transaction_sample_rate",
                    "log_parameter_max_length",
                    "log_parameter_max_length_on_error",
                    "pgaudit.log",
                    "pgaudit.log_parameter",
                    "auto_explain.log_min_duration",
                    "auto_explain.log_parameter_max_length",
                ],
            ),
        ).fetchall()
    )
    logs_statements = (
        rows["log_statement"] in ("mod", "all")
        or rows["log_min_duration_statement"] != "-1"
        or rows["log_min_duration_sample"] != "-1"
        or float(rows["log_transaction_sample_rate"]) > 0
    )
    culprit = None
    if logs_statements and rows["log_parameter_max_length"] != "0":
        culprit = "log_parameter_max_length = 0"
    elif rows["log_parameter_max_length_on_error"] != "0":
        culprit = "log_parameter_max_length_on_error = 0"
    elif (
        rows.get("pgaudit.log", "none") != "none"
        and rows.get("pgaudit.log_parameter", "off") == "on"
    ):
        culprit = "pgaudit.log_parameter = off"
    elif (
        rows.get("auto_explain.log_min_duration", "-1") != "-1"
        and rows.get("auto_explain.log_parameter_max_length", "-1") != "0"
    ):
        culprit = "auto_explain.log_parameter_max_length = 0"
    if culprit:
        raise Refused(
            f"the server would write the key to its log: set {culprit} for this login or server"
        )
