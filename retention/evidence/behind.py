"""Refusing to go on where the ledger is not the one whose head was exported last.

Belongs here: comparing the tree with the latest exported checkpoint. Does not belong here: exporting one
(`publish`), and bringing back what a restored backup lacks (`replay`).

A backup that was restored knows nothing of holds that were placed since, nor of what was purged. The
exported checkpoint does: where the ledger is shorter, or its past is another one, nothing destructive
begins.
"""

from collections.abc import Sequence
from typing import Any

import psycopg

from retention.errors import Refused
from retention.evidence.checkpoint import LATEST, Checkpoint, read_checkpoint
from retention.evidence.destination import Destination
from retention.ledger import tree

Connection = psycopg.Connection[Any]


def latest_known(
    conn: Connection, destination: Destination, trusted: Sequence[bytes]
) -> Checkpoint | None:
    """The latest exported checkpoint, which the ledger continues; None before the first.

    Raises Refused where it is missing, signed by none of the public keys `trusted`, of another ledger,
    ahead of this one, or of another past.
    """
    content = destination.read(LATEST)
    if content is None:
        row = conn.execute("select max(size) from ledger.checkpoints").fetchone()
        if row and row[0] is not None:
            raise Refused(
                f"a checkpoint of {row[0]} entries was exported, and {destination.where} has none: put"
                " the exported files back, or name their place in RETENTION_CHECKPOINTS"
            )
        return None
    latest = read_checkpoint(content, tree.origin(conn), trusted, destination.where)
    size = tree.size(conn)
    if latest.size > size:
        raise Refused(
            f"the ledger is behind its latest checkpoint ({size} entries, {latest.size} were exported on"
            f" {latest.time}): was a backup restored? `retention replay` brings back what was done since"
        )
    if tree.root(conn, latest.size) != latest.root:
        raise Refused(
            f"the ledger's first {latest.size} entries are not those that were exported on"
            f" {latest.time}: its past was changed; nothing is deleted until somebody has looked into it"
        )
    return latest
