"""Who carries a plan out: the executor's fence number and its sign of life.

Belongs here: taking a plan over, and asking whether somebody is at work. Does not belong here: batches.

An executor may live on after whoever started it was killed, or be cut off and come back. Each start
takes the plan's next number, and the gate before each batch lets the latest number through alone: an
orphan can finish the batch that it has begun, with its evidence, and nothing after it.
"""

from typing import Any
from uuid import UUID

import psycopg
from psycopg import IsolationLevel

from retention.errors import Refused
from retention.purge import guards
from retention.warehouse.advisory import is_held

Connection = psycopg.Connection[Any]

# A killed client's batch goes on in the server until it next speaks to that client.
_TAKEOVER_WAIT = 30_000


def begin(conn: Connection, plan_id: UUID, code_hash: str, key_id: str) -> int:
    """Start an execution of the plan and return its number; committed when it returns.

    Waits for the batch that is going, also another executor's. Raises Refused where nothing may be
    purged from the plan now, or a batch takes too long.
    """
    conn.isolation_level = IsolationLevel.READ_COMMITTED
    with conn.transaction():
        # For the session, and shared: it tells that somebody is at work and keeps nobody out.
        conn.execute("select pg_advisory_lock_shared(ledger.executor_lock())")
        guards.only_purge(conn, _TAKEOVER_WAIT)
        row = conn.execute(
            "select fence, refusal from ledger.begin_execution(%s, %s, %s)",
            (plan_id, code_hash, key_id),
        ).fetchone()
        assert row is not None
        fence, refusal = row
        if refusal:
            raise Refused(refusal)
    return int(fence)


def is_going(conn: Connection) -> bool:
    """True while some executor's session lives, whoever started it."""
    row = conn.execute("select ledger.executor_lock()").fetchone()
    assert row is not None
    return is_held(conn, row[0])
