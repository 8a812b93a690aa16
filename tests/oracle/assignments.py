"""Assignments, orders, contracts and subscriptions as their current versions state them.

Belongs here: which version speaks, what its state means, which dates of it are usable.
Does not belong here: the ground that follows (`lifecycle`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from tests.oracle.facts import Landing, Row, key_text
from tests.oracle.lifecycle import Assignment
from tests.oracle.periods import usable_date


@dataclass(frozen=True)
class _Reading:
    """Where a table says what; `kind` is a column, or a fixed type where `kind_is_fixed`."""

    states: Mapping[str, str]
    state: str
    kind: str
    opened: str
    ended: str
    acknowledged: str | None = None
    kind_is_fixed: bool = False
    current: str | None = None
    soft_deleted: str | None = None


_READINGS: Mapping[str, _Reading] = {
    "crm.assignment": _Reading(
        states={
            "open": "open",
            "completed": "completed",
            "closed": "ended",
            "cancelled": "ended",
        },
        state="state",
        kind="type",
        opened="opened_at",
        ended="completed_at",
        acknowledged="acknowledged_at",
        current="_fivetran_active",
        soft_deleted="_fivetran_deleted",
    ),
    "crm.product_order": _Reading(
        states={"draft": "draft", "delivered": "completed", "cancelled": "ended"},
        state="state",
        kind="product_type",
        opened="ordered_at",
        ended="delivered_at",
        soft_deleted="_fivetran_deleted",
    ),
    "aws_agreements.contract": _Reading(
        states={"draft": "draft", "signed": "completed", "cancelled": "ended"},
        state="state",
        kind="product_type",
        opened="created_at",
        ended="signed_at",
    ),
    # Stripe's life of a subscription: only `canceled` and `incomplete_expired` are final; in
    # `incomplete` the first payment is missing, so nothing was agreed yet.
    "stripe.subscription_history": _Reading(
        states={
            "active": "open",
            "trialing": "open",
            "past_due": "open",
            "unpaid": "open",
            "paused": "open",
            "incomplete": "draft",
            "incomplete_expired": "draft",
            "canceled": "completed",
        },
        state="status",
        kind="subscription",
        kind_is_fixed=True,
        opened="start_date",
        ended="ended_at",
        current="_fivetran_active",
    ),
}


@dataclass(frozen=True)
class Stated:
    """An assignment with the row that states it."""

    row: Row
    assignment: Assignment


def entity_key(table: str, row: Row) -> str:
    """Return the key of the assignment a row is a version of."""
    return f"{table}:{key_text(row['id'])}"


def is_assignment_table(table: str) -> bool:
    """Return whether the rows of a table are assignments."""
    return table in _READINGS


def stated_assignments(landing: Landing, as_of: date) -> Iterator[tuple[str, Stated]]:
    """Yield every assignment as (key, what its current version states)."""
    for table, reading in _READINGS.items():
        versions: dict[str, list[Row]] = defaultdict(list)
        for row in landing.rows[table]:
            versions[entity_key(table, row)].append(row)
        for key, rows in versions.items():
            row, is_there = _speaking_version(rows, reading)
            event = f"{table}:{row.record_key}"
            yield key, Stated(row, _read(event, row, is_there, reading, as_of))


def _speaking_version(rows: list[Row], reading: _Reading) -> tuple[Row, bool]:
    """Return the version that speaks, and whether the source still has it.

    Without a current version (the source deleted it) the newest one speaks of what was.
    """
    current = [row for row in rows if reading.current is None or row[reading.current] is True]
    row = max(current or rows, key=_version_order)
    deleted = reading.soft_deleted is not None and row[reading.soft_deleted] is True
    return row, bool(current) and not deleted


def _version_order(row: Row) -> float:
    start = row.values.get("_fivetran_start")
    return start.timestamp() if isinstance(start, datetime) else 0.0


def _read(event: str, row: Row, is_there: bool, reading: _Reading, as_of: date) -> Assignment:
    stated = row[reading.state]
    state = reading.states.get(str(stated), "unknown") if stated is not None else "unknown"
    if state == "open" and not is_there:
        state = "ended"
    return Assignment(
        event=event,
        state=state,
        kind=reading.kind if reading.kind_is_fixed else _text(row[reading.kind]),
        opened=usable_date(row[reading.opened], as_of),
        ended=usable_date(row[reading.ended], as_of),
        acknowledged=(
            usable_date(row[reading.acknowledged], as_of) if reading.acknowledged else None
        ),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
