"""After a restore: bringing back what the ledger knew when its last checkpoint was exported.

Belongs here: reading the exported deltas since the backup, checking them against the signed checkpoints,
and handing their rows to the database. Does not belong here: how the database takes them
(`ledger.bring_back`), and deleting anything: what was purged and is there again is recognised by its
tombstone at the next classification, planned, approved and purged like any other record (decision 0007).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from retention.errors import Refused, UsageError
from retention.evidence import publish
from retention.evidence.checkpoint import LATEST, Checkpoint, file_name, read_checkpoint
from retention.evidence.delta import Delta, opened
from retention.evidence.destination import Destination, open_destination
from retention.keys import (
    known_publics,
    load_keys,
    load_signing_keys,
    refuse_logged_values,
    trusted_publics,
)
from retention.ledger import tree
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import OWNER

Connection = psycopg.Connection[Any]

# Rows of one statement.
_BATCH = 10_000


@dataclass(frozen=True)
class BroughtBack:
    """How many entries the ledger had and has again, and the rows that came back with them, by table."""

    entries_before: int
    entries_after: int
    rows: dict[str, int]


def bring_back(settings: Settings) -> BroughtBack:
    """Bring the ledger up to the latest exported checkpoint, in one transaction, and export the next one.

    For the login that migrated the database, once its backup is restored and before anything else is
    done. A ledger that is not behind is left as it is. Raises Refused where a file is missing, changed or
    of another ledger, or where the restored ledger is not the beginning of what was exported; UsageError
    where nothing was exported.
    """
    destination = open_destination(settings)
    with connect(settings, role=OWNER) as conn, safe_errors("bringing back what was lost"):
        refuse_logged_values(conn)
        trusted = trusted_publics(conn, load_signing_keys(settings, conn))
        origin = tree.origin(conn)
        latest = _checkpoint(destination, LATEST, origin, trusted)
        if latest is None:
            raise UsageError(
                f"no checkpoint was exported to {destination.where}: there is nothing to bring back"
            )
        # No batch and no numbering meanwhile.
        conn.execute(
            "select pg_advisory_xact_lock(ledger.purge_lock()),"
            " pg_advisory_xact_lock(ledger.sequencer_lock())"
        )
        before = tree.size(conn)
        rows: dict[str, int] = {}
        for delta in _missing(settings, conn, destination, origin, before, latest.size):
            _take(conn, delta, rows)
            # On the way to the latest there may be heads of keys that were rotated away since.
            publics = [*trusted, *known_publics(conn)]
            head = _checkpoint(destination, file_name("checkpoints", delta.end), origin, publics)
            _require_same(conn, head, delta.end)
        if before < latest.size:
            conn.execute("select ledger.settle_what_came_back()")
            conn.execute(
                "select ledger.append('replay', %s)",
                (Jsonb({"size_before": before, "size_after": latest.size, "rows": rows}),),
            )
        conn.commit()
        after = tree.size(conn)
    publish(settings)
    return BroughtBack(before, after, rows)


def what_came_back(settings: Settings) -> dict[str, int]:
    """How many rows stand there again that were purged before, by what becomes of them; as the last
    classification found them."""
    with connect(settings, read_only=True) as conn, safe_errors("counting what came back"):
        rows = conn.execute(
            """
            select case
                when judged.verdict = 'new' then 'a person who came back: a new record'
                when records.status = 'overdue' then 'due again'
                else records.status
            end, count(*)
            from intermediate.int_returns_judged as judged
            join retention.records as records using (source_schema, source_table, record_key)
            group by 1 order by 2 desc, 1
            """
        ).fetchall()
    return dict(rows)


def _missing(
    settings: Settings,
    conn: Connection,
    destination: Destination,
    origin: str,
    size: int,
    latest: int,
) -> Iterator[Delta]:
    """The deltas that lead from a ledger of `size` entries to the latest checkpoint, the oldest first."""
    keys = load_keys(settings, conn).at_hand
    found: list[Delta] = []
    end = latest
    while end > size:
        content = destination.read(file_name("deltas", end))
        if content is None:
            raise Refused(
                f"the delta that leads to {end} entries is not in {destination.where}: it expired or was"
                " lost; what was held and purged before it must be entered by hand"
            )
        found.append(opened(content, keys, origin))
        end = found[-1].first
    return reversed(found)


def _take(conn: Connection, delta: Delta, rows: dict[str, int]) -> None:
    for table, lost in delta.rows.items():
        for begin in range(0, len(lost), _BATCH):
            row = conn.execute(
                "select ledger.bring_back(%s, %s)", (table, Jsonb(lost[begin : begin + _BATCH]))
            ).fetchone()
            assert row is not None
            rows[table] = rows.get(table, 0) + int(row[0])


def _require_same(conn: Connection, head: Checkpoint | None, size: int) -> None:
    """Remember the checkpoint. Raises Refused where the ledger is not the one that was signed."""
    if head is None or head.size != size or tree.root(conn, size) != head.root:
        raise Refused(
            f"with what was exported the ledger of {size} entries is not the one that was signed: the"
            " restored one is no backup of it, or files were changed; nothing was brought back"
        )
    conn.execute("select ledger.record_checkpoint(%s, %s, %s)", (head.size, head.root, head.note))


def _checkpoint(
    destination: Destination, name: str, origin: str, trusted: Sequence[bytes]
) -> Checkpoint | None:
    content = destination.read(name)
    if content is None:
        return None
    return read_checkpoint(content, origin, trusted, destination.where)
