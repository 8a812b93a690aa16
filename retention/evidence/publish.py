"""Signing the head of the ledger's tree and exporting it.

Belongs here: the order in which a checkpoint and what goes with it are written. Does not belong here: the
form of a checkpoint (`checkpoint`), and what a delta holds (`delta`).

Under one name each: `checkpoint`, the latest; `checkpoints/N`, every one by its size; `consistency/M-N`,
what proves that the ledger of N entries continues the one of M; `deltas/N`, what a backup from before would
lack; `timestamps/N`, another's word on the time, where that is wanted. The latest is written after the
others, so that whoever sees it finds them; a time stamp may come later.
"""

import base64
import json
import logging
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import IsolationLevel

from retention.errors import WarehouseError
from retention.evidence import delta
from retention.evidence.behind import latest_known
from retention.evidence.checkpoint import LATEST, Checkpoint, file_name, read_checkpoint, sign
from retention.evidence.destination import Destination, open_destination
from retention.keys import (
    SigningKey,
    load_key,
    load_signing_keys,
    take_into_use,
    trusted_publics,
)
from retention.ledger import tree
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import PURGER

logger = logging.getLogger(__name__)

Connection = psycopg.Connection[Any]


def publish(settings: Settings) -> Checkpoint | None:
    """Number the entries that were committed, sign the head of the tree and export it; None where there
    is no entry at all. Nothing new is nothing done: the latest checkpoint is returned.

    Raises Refused where the ledger is not the continuation of the latest checkpoint or a key is missing,
    WarehouseError where the destination cannot be used; the evidence itself stands whatever happens here.
    """
    destination = open_destination(settings)
    with connect(settings, role=PURGER) as conn, safe_errors("exporting a checkpoint"):
        # Two that export at once would write the same names.
        conn.execute("select pg_advisory_lock(ledger.publisher_lock())")
        keys = load_signing_keys(settings, conn)
        latest = latest_known(conn, destination, trusted_publics(conn, keys))
        size = tree.grow(conn)
        if size and take_into_use(conn, keys[0]):
            size = tree.grow(conn)
        conn.commit()
        if latest and latest.size == size:
            _record(conn, latest)
            return latest
        if size == 0:
            return None
        return _export(settings, conn, destination, keys, latest, size)


def _export(
    settings: Settings,
    conn: Connection,
    destination: Destination,
    keys: Sequence[SigningKey],
    latest: Checkpoint | None,
    size: int,
) -> Checkpoint:
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    origin = tree.origin(conn)
    root = tree.root(conn, size)
    assert root is not None
    # Written by an export that was cut short: its words are kept.
    begun = destination.read(file_name("checkpoints", size))
    checkpoint = (
        read_checkpoint(begun, origin, trusted_publics(conn, keys), destination.where)
        if begun is not None
        else sign(conn, origin, size, root, keys)
    )
    first = latest.size if latest else 0
    if destination.read(file_name("deltas", size)) is None:
        sealed = delta.sealed(conn, load_key(settings, conn), origin, first, size)
        destination.add(file_name("deltas", size), sealed)
    if latest:
        destination.add(
            f"consistency/{latest.size:020}-{size:020}", _consistency(conn, latest.size, size)
        )
    destination.add(file_name("checkpoints", size), checkpoint.note.encode())
    destination.replace(LATEST, checkpoint.note.encode())
    _stamp(settings, destination, checkpoint)
    conn.commit()
    conn.isolation_level = None
    _record(conn, checkpoint)
    return checkpoint


def _stamp(settings: Settings, destination: Destination, checkpoint: Checkpoint) -> None:
    """Put another's time stamp beside the checkpoint, where one is wanted. An authority that is not there
    stops no purge: the checkpoint holds without it, and the next one has a stamp for all before it."""
    if settings.timestamp_url is None:
        return
    # Loaded by whoever wants it.
    from retention.evidence.timestamp import stamp

    try:
        answer = stamp(settings.timestamp_url, checkpoint.note.encode())
    except WarehouseError as error:
        logger.warning("%s", error)
    else:
        destination.replace(file_name("timestamps", checkpoint.size), answer)


def _record(conn: Connection, checkpoint: Checkpoint) -> None:
    conn.execute(
        "select ledger.record_checkpoint(%s, %s, %s)",
        (checkpoint.size, checkpoint.root, checkpoint.note),
    )
    conn.commit()


def _consistency(conn: Connection, first: int, second: int) -> bytes:
    """As a log answers `get-sth-consistency` (RFC 6962, section 4.4)."""
    proof = [
        base64.b64encode(node).decode() for node in tree.consistency_proof(conn, first, second)
    ]
    content = {"first": first, "second": second, "consistency": proof}
    return (json.dumps(content, indent=1) + "\n").encode()
