"""Exported deltas of the evidence: what a restored backup would lack, for as long as one can be restored.

Belongs here: which of them no backup needs any more, and removing them where they were exported to. Does
not belong here: checkpoints and consistency proofs, which hold no personal data and always stay.
"""

from datetime import date
from typing import Any

import psycopg

from retention.evidence import open_destination
from retention.evidence.checkpoint import file_name
from retention.housekeeping.plans import UNAPPROVED, backups_begin
from retention.housekeeping.rules import Swept
from retention.policy import Policy
from retention.policy.periods import parse_period
from retention.settings import Settings

Connection = psycopg.Connection[Any]


def forget(
    settings: Settings, conn: Connection, policy: Policy, today: date, *, remove: bool
) -> Swept:
    """Remove the deltas that were exported before the oldest backup that may still be restored: they name
    records and persons. Only under an approved policy."""
    first = backups_begin(conn, policy, today)
    if first is None:
        return Swept("deltas", UNAPPROVED, 0)
    horizon = parse_period(policy.own_records.backup_horizon)
    rows = conn.execute("select ledger.due_deltas(%s)", (first,)).fetchall()
    sizes = [size for (size,) in rows]
    if remove and sizes:
        destination = open_destination(settings)
        for size in sizes:
            destination.remove(file_name("deltas", size))
        # Afterwards: one that is removed twice is no harm, one that stays is.
        conn.execute("select ledger.note_deltas_gone(%s)", (sizes,))
    kept = f"{horizon.words}, for backups"
    return Swept("deltas", kept, len(sizes), len(sizes) if remove else 0)
