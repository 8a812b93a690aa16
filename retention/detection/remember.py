"""The last scan's outcome in the ledger: writing it, and reading it.

Belongs here: kinds and counts by column. Does not belong here: scanning (`scan`), and what follows where a
declaration says otherwise (`retention.coverage`).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from retention.detection.model import ColumnName, Detected, Detection

Connection = psycopg.Connection[Any]

_NAMES = ("source_schema", "source_table", "column_name")


def remember(conn: Connection, detections: Iterable[Detection]) -> None:
    """Put the outcome in the place of the columns' former one, as the classifier, in one statement."""
    scanned = list(detections)
    conn.execute(
        "select ledger.record_detections(%s, %s)",
        (
            Jsonb([{**_named(d), "sampled": d.sampled, "unread": d.unread} for d in scanned]),
            Jsonb(
                [
                    {**_named(d), "place": place, **asdict(found)}
                    for d in scanned
                    for place, found in enumerate(d.found, start=1)
                ]
            ),
        ),
    )


def recall(conn: Connection) -> dict[ColumnName, Detection]:
    """What the last scan said of each column that was scanned."""
    found: dict[ColumnName, list[Detected]] = defaultdict(list)
    for schema, table, column, *rest in conn.execute(
        "select source_schema, source_table, column_name, kind, pattern, confidence, basis, matched"
        " from ledger.detections order by source_schema, source_table, column_name, place"
    ):
        found[schema, table, column].append(Detected(*rest))
    return {
        (schema, table, column): Detection(
            (schema, table, column), sampled, tuple(found[schema, table, column]), unread
        )
        for schema, table, column, sampled, unread in conn.execute(
            "select source_schema, source_table, column_name, sampled, unread"
            " from ledger.scanned_columns"
        )
    }


def _named(detection: Detection) -> dict[str, str]:
    return dict(zip(_NAMES, detection.column, strict=True))
