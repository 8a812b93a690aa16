"""When the records were classified, and by which code.

Belongs here: saying that a classification as of today begins and that it finished. Between the two
nothing can be planned or purged: half-built models would show old deadlines beside new facts. Does not
belong here: building the models (`retention.classify`).
"""

from datetime import date
from typing import Any

import psycopg

from retention.ledger.failures import safe_errors

Connection = psycopg.Connection[Any]


def begin(conn: Connection, as_of: date, code_hash: str) -> int:
    """Say that a classification begins, commit, and return its number.

    Waits for a batch that is being purged. Only for the classification that is in force, never for an
    isolated one of a day in the past.
    """
    with safe_errors("beginning a classification"), conn.transaction():
        row = conn.execute(
            "select ledger.begin_classification(%s, %s)", (as_of, code_hash)
        ).fetchone()
    assert row is not None
    return int(row[0])


def finish(conn: Connection, classification_id: int) -> None:
    """Say that every model of it was built, and commit. Raises Refused when another began since."""
    with safe_errors("finishing a classification"), conn.transaction():
        conn.execute("select ledger.finish_classification(%s)", (classification_id,))


def objection(conn: Connection, code_hash: str) -> str | None:
    """Why nothing may be planned or purged on the last classification; None where it may."""
    row = conn.execute("select ledger.classification_objection(%s)", (code_hash,)).fetchone()
    return str(row[0]) if row and row[0] is not None else None
