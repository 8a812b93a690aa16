"""What of the server's own files this login may look at, or have written.

Belongs here: a checkpoint, the age of the write-ahead log, files that a crash left behind; each only where
the right is there. Does not belong here: rewriting tables.
"""

from datetime import datetime
from typing import Any, LiteralString

import psycopg

Connection = psycopg.Connection[Any]


def checkpoint(conn: Connection) -> bool:
    """Have the server write what it holds in memory; False where this login may not ask for it."""
    if not _may(conn, "pg_has_role('pg_checkpoint', 'usage')"):
        return False
    conn.execute("checkpoint")
    return True


def oldest_wal(conn: Connection) -> datetime | None:
    """When the oldest file of the write-ahead log was last written; None where this login may not look."""
    if not _may(conn, "has_function_privilege('pg_catalog.pg_ls_waldir()', 'execute')"):
        return None
    row = conn.execute("select min(modification) from pg_catalog.pg_ls_waldir()").fetchone()
    oldest: datetime | None = row[0] if row else None
    return oldest


def unowned(conn: Connection) -> int | None:
    """How many files of this database no table owns: a server that crashed while it wrote a table leaves
    its file behind. None where this login may not look, or could not tell.

    A table that somebody is making just now is not in the catalogue yet. Its file is younger than the
    transaction, so only older files count; of a prepared transaction nobody knows the beginning.
    """
    if not _may(
        conn,
        "has_function_privilege('pg_catalog.pg_ls_dir(text)', 'execute')"
        " and has_function_privilege('pg_catalog.pg_stat_file(text, boolean)', 'execute')"
        " and pg_has_role('pg_read_all_stats', 'usage')"
        " and not exists (select from pg_catalog.pg_prepared_xacts)"
        " and (select spcname = 'pg_default' from pg_catalog.pg_tablespace as spaces"
        " join pg_catalog.pg_database as databases on databases.dattablespace = spaces.oid"
        " where databases.datname = current_database())",
    ):
        return None
    row = conn.execute(
        """
        with files as (
            select split_part(name, '.', 1)::oid as file,
                pg_stat_file('base/' || databases.oid || '/' || name, true) as found
            from pg_catalog.pg_database as databases
            cross join lateral pg_ls_dir('base/' || databases.oid) as name
            where databases.datname = current_database() and name ~ '^[0-9]+([.][0-9]+)?$'
        )
        select count(*) from files
        where (found).size > 0 and pg_filenode_relation(0, file) is null
        and (found).modification
            < (select date_trunc('second', min(xact_start)) from pg_catalog.pg_stat_activity)
        """
    ).fetchone()
    assert row is not None
    return int(row[0])


def _may(conn: Connection, condition: LiteralString) -> bool:
    row = conn.execute(f"select {condition}").fetchone()
    return bool(row and row[0])
