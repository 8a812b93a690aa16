"""Whether what was to be erased physically has been.

Belongs here: the finding about tables that wait for too long. Does not belong here: rewriting them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg

from retention.erasure.pending import waiting
from retention.errors import Refused
from retention.findings import Finding
from retention.policy import Policy
from retention.warehouse.clock import today

Connection = psycopg.Connection[Any]


def findings(conn: Connection, policy: Policy) -> Iterator[Finding]:
    """A finding where tables wait to be rewritten for longer than the policy's patience."""
    try:
        tables = waiting(conn, policy)
    except Refused as refusal:
        yield Finding("copies_unknown", f"nothing can be rewritten: {refusal}")
        return
    patience = timedelta(days=policy.operations.compaction_patience_days.value)
    day = today(conn)
    late = [one for one in tables if one.since < day - patience]
    if late:
        yield Finding(
            "compaction_waiting",
            f"{len(late)} tables hold files with values of records purged since"
            f" {min(one.since for one in late)}: `retention compact` rewrites them, or says what is in"
            " the way",
        )
