"""The whole ledger as one file, for whoever wants to check all of it.

Belongs here: writing it. Does not belong here: checking it (`verifier`), and one plan's report.
"""

import json
from pathlib import Path

from psycopg import IsolationLevel

from retention.errors import UsageError
from retention.evidence.publish import publish
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect


def export(settings: Settings, path: Path) -> int:
    """Export a checkpoint, then write every entry that it covers to `path`; returns how many.

    First a line of JSON with the checkpoint, then a line for each entry: its number, its leaf hash in
    hexadecimal digits, its text. Raises UsageError where nothing was ever written down, or the file
    cannot be made.
    """
    head = publish(settings)
    if head is None:
        raise UsageError("the ledger is empty: `retention run` writes the first entries")
    candidate = path.with_name(f".{path.name}.part")
    try:
        with (
            connect(settings, read_only=True) as conn,
            safe_errors("exporting the ledger"),
            candidate.open("w", encoding="utf-8", newline="\n") as file,
        ):
            conn.isolation_level = IsolationLevel.REPEATABLE_READ
            header = {"file": "ledger", "version": 1, "checkpoint": head.note}
            file.write(json.dumps(header, ensure_ascii=False) + "\n")
            with conn.cursor("ledger") as cursor:
                cursor.itersize = 10_000
                cursor.execute(
                    "select leaf_index, encode(leaf_hash, 'hex'), body"
                    " from ledger.leaves join ledger.entries using (entry_id)"
                    " where leaf_index < %s order by leaf_index",
                    (head.size,),
                )
                for index, leaf_hash, body in cursor:
                    file.write(f"{index} {leaf_hash} {body}\n")
        candidate.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {path} ({error.strerror}): name another file") from None
    return head.size
