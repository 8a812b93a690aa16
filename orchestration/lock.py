"""One run at a time.

Belongs here: the lock that a run holds from its first step to its last, whoever started it. Does not
belong here: the purge's own lock, which it takes batch by batch whoever calls it.

It is an advisory lock of the warehouse: it ends with the session, so a killed run leaves none behind.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from retention.errors import Refused
from retention.settings import Settings
from retention.warehouse.advisory import is_held
from retention.warehouse.connection import connect

# Any constant that nobody else uses.
_LOCK = 0x51E77E0A


@contextmanager
def only_run(settings: Settings) -> Iterator[None]:
    """Hold the run lock for the block. Raises Refused while another run is going."""
    with connect(settings, autocommit=True) as conn:
        row = conn.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if row is None or not row[0]:
            raise Refused("a run is already going: wait until it has ended, then try again")
        yield


def run_is_going(conn: psycopg.Connection[Any]) -> bool:
    """True while some run holds the lock, whatever an orchestrator believes of it."""
    return is_held(conn, _LOCK)
