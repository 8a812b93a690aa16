"""The roles that the engine's sessions take, each with the rights of one kind of work.

Belongs here: their names, and what a database that migrations made must still allow them. Does not belong
here: their rights on the ledger (migrations and functions), and who holds them, which an administrator
decides.
"""

from typing import Any

import psycopg
from psycopg import errors, sql

from retention.errors import Refused

OWNER = "retention_owner"
READER = "retention_reader"
CLASSIFIER = "retention_classifier"
PLANNER = "retention_planner"
PURGER = "retention_purger"
#: Reads landing, and writes nothing: read-backs and scans.
EXAMINER = "retention_examiner"

Connection = psycopg.Connection[Any]


def let_classifier_build(conn: Connection) -> None:
    """Let the classifier make schemas in this database. Rights on a database are not its template's, nor
    in its dump, so they are asked for each time. Raises Refused where this login may not grant them."""
    if _may_build(conn):
        return
    database = sql.Identifier(conn.info.dbname)
    grant = sql.SQL("grant create on database {} to {}").format(
        database, sql.Identifier(CLASSIFIER)
    )
    try:
        with conn.transaction():
            conn.execute(grant)
    except errors.InsufficientPrivilege:
        pass
    # A login that may not grant is told so by an error or, holding the right itself, by a warning.
    if not _may_build(conn):
        raise Refused(
            f"the models cannot be built: have the database's owner run: {grant.as_string(conn)}"
        )


def _may_build(conn: Connection) -> bool:
    row = conn.execute(
        "select has_database_privilege(%s, current_database(), 'create')", (CLASSIFIER,)
    ).fetchone()
    return bool(row and row[0])
