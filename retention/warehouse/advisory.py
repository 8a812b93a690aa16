"""Advisory locks, asked about without taking them.

Belongs here: whether some session of this database holds one. Does not belong here: what a lock means.
"""

from typing import Any

import psycopg


def is_held(conn: psycopg.Connection[Any], lock: int) -> bool:
    """True while some session holds the advisory lock of that 64-bit number, shared or not.

    Taking it to find out would turn away, for that instant, whoever tries to take it.
    """
    row = conn.execute(
        """
        select exists (
            select from pg_catalog.pg_locks as locks
            where locks.locktype = 'advisory' and locks.granted and locks.objsubid = 1
            and locks.database = (select oid from pg_database where datname = current_database())
            and (locks.classid::bigint << 32 | locks.objid::bigint) = %s
        )
        """,
        (lock,),
    ).fetchone()
    return bool(row and row[0])
