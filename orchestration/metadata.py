"""The counts that Dagster shows.

Belongs here: numbers, dates, ids and versions, as Dagster's metadata. Does not belong here: a value of a
record, a name, a secret; nothing here reads a column that could hold one.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from dagster import MetadataValue, TableColumn, TableRecord, TableSchema

from retention.classified import STATUSES, find_classification
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER

Metadata = dict[str, Any]

# How far ahead an operator looks; no retention period.
_AHEAD_DAYS = (7, 30, 90)


def record_counts(settings: Settings, as_of: date) -> Metadata:
    """The population by category and status, what is due, and what is coming due."""
    with (
        connect(settings, role=READER, read_only=True) as conn,
        safe_errors("counting the records"),
    ):
        classification = find_classification(conn, as_of)
        rows = conn.execute(
            classification.query(
                # Not from {summary}: it is built from the records, and may be an older one still.
                "select coalesce(category, ''), status, count(*) from {records}"
                " group by 1, 2 order by 1, 2"
            )
        ).fetchall()
        ahead = conn.execute(
            classification.query(
                "select days, count(*) filter (where due_on - %(as_of)s between 1 and days)"
                " from {records} cross join unnest(%(ahead)s::int[]) as days"
                " where due_on between %(as_of)s and %(as_of)s + 90 and status in"
                " ('due_soon', 'retained') group by days"
            ),
            {"as_of": as_of, "ahead": list(_AHEAD_DAYS)},
        ).fetchall()
        came_back = conn.execute(
            classification.query(
                "select count(*) from {int_returns_judged} where verdict = 'resurrection'"
            )
        ).fetchone()
    by_status = {status: sum(row[2] for row in rows if row[1] == status) for status in STATUSES}
    coming = dict(ahead)
    return {
        "as_of": as_of.isoformat(),
        "policy_version": classification.policy_version,
        "records": sum(by_status.values()),
        **by_status,
        "resurrections": came_back[0] if came_back else 0,
        **{f"due_within_{days}_days": coming.get(days, 0) for days in _AHEAD_DAYS},
        "by_category_and_status": table(
            ("category", "status", "records"), [(row[0] or "(locked)", *row[1:]) for row in rows]
        ),
    }


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> MetadataValue:
    """A small table of counts. The last column is a number, the others are words."""
    *words, number = columns
    schema = TableSchema(
        columns=[
            *(TableColumn(name, "string") for name in words),
            TableColumn(number, "int"),
        ]
    )
    records = [TableRecord(dict(zip(columns, row, strict=True))) for row in rows]
    return MetadataValue.table(records=records, schema=schema)


def counts_table(counts: Mapping[tuple[str, str], int]) -> MetadataValue:
    """Records per table and rule."""
    return table(
        ("table", "rule", "records"), [(*key, number) for key, number in sorted(counts.items())]
    )
