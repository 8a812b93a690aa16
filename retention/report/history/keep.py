"""Keeping the report of a classification in force: its hashes in the evidence, its counts beside them.

Belongs here: what of a report is kept, and who may. Does not belong here: writing the report, which a
reader does in a read-only transaction, and what is compared later (compare.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from retention.declarations import load_declarations
from retention.errors import Refused
from retention.ledger.failures import safe_errors
from retention.report.history.comparable import (
    content_hash,
    counted,
    figure_hashes,
    part_hashes,
)
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER

# A figure that would take what is kept of one report past this is kept as a hash alone.
MOST_BYTES = 5_000_000

_KEEP = "select ledger.keep_report(%s, %s, %s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True)
class Kept:
    """Whether a report is kept, and why not. `is_new` is False where the same document was kept before."""

    document_sha256: str
    is_kept: bool
    is_new: bool
    because: str | None = None


def keep(settings: Settings, document: Mapping[str, Any], path: Path) -> Kept:
    """Keep the report that was written to `path`, so that one made again can be held against it.

    A replay is not kept, nor what a login without the classifier's rights writes, nor a report of a
    classification that another one has followed meanwhile: the answer says so.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    made_from = document["made_from"]
    if made_from["is_replay"] or made_from["classification_id"] is None:
        return Kept(digest, False, False, "it is of no classification that was in force")
    landed = {row["table"] for row in document["figures"]["landed"]["rows"]}
    governed = [
        table
        for table in load_declarations(settings.declarations_dir).governed
        if table.qualified in landed
    ]
    values = (
        made_from["classification_id"],
        digest,
        content_hash(document),
        Jsonb(
            {
                "figures": figure_hashes(document),
                "others": part_hashes(document),
                "set_aside": document["coverage"]["set_aside"],
            }
        ),
        Jsonb(_figures(document)),
        Jsonb({name: n for name, n in document["headline"].items() if isinstance(n, int)}),
        [table.schema_ for table in governed],
        [table.name for table in governed],
    )
    try:
        with (
            connect(settings, role=CLASSIFIER) as conn,
            safe_errors("keeping the report"),
        ):
            row = conn.execute(_KEEP, values).fetchone()
    except Refused as refusal:
        return Kept(digest, False, False, str(refusal))
    return Kept(digest, True, bool(row and row[0]))


def _figures(document: Mapping[str, Any]) -> dict[str, Any]:
    """The counts of every figure, the smallest first, as far as they fit."""
    sized = []
    for name, figure in document["figures"].items():
        found = counted(figure)
        sized.append((len(json.dumps(found)), name, found))
    kept: dict[str, Any] = {}
    room = MOST_BYTES
    for size, name, found in sorted(sized, key=lambda one: one[:2]):
        room -= size
        if room < 0:
            break
        kept[name] = found
    return kept
