"""Deletion orders to stores outside the warehouse, seen from the stores: what is to go, and what went.

Belongs here: listing orders, handing them over to a store's operator, and taking the store's answer, as
the login that is connected. Does not belong here: giving orders and what a batch makes of the answer
(`retention.purge.external`).

A pointer is personal data. It is read in one way only, `hand_over`, which leaves evidence, and which
leaves out what was held meanwhile: what a store has deleted, no hold brings back.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from retention.errors import Refused, UsageError
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect, is_embedded

DEMONSTRATION = "demonstration"


@dataclass(frozen=True)
class Order:
    """One order without what it points to. `state`: open; acknowledged, its row being there still;
    done, its row being purged; withdrawn, its row not going for now."""

    order_id: UUID
    store: str
    table: str
    state: str
    ordered_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledgement: str | None


@dataclass(frozen=True)
class Handed:
    """An open order with the object that the store is to delete."""

    order_id: UUID
    store: str
    table: str
    ordered_at: datetime
    object_pointer: str


def list_(settings: Settings, *, open_only: bool = False) -> list[Order]:
    """The orders, oldest first, without their pointers."""
    with (
        connect(settings, read_only=True) as conn,
        safe_errors("listing the deletion orders"),
        conn.cursor(row_factory=class_row(Order)) as cursor,
    ):
        cursor.execute(
            "select order_id, store, source_schema || '.' || source_table as \"table\", state,"
            " ordered_at, acknowledged_at, acknowledged_by, acknowledgement"
            " from ledger.deletion_orders_shown where state = 'open' or not %s"
            " order by ordered_at, store, order_id",
            (open_only,),
        )
        return cursor.fetchall()


def hand_over(settings: Settings, store: str | None = None) -> list[Handed]:
    """The open orders of a store, or of every store, with their pointers; left out is what is held or
    not overdue any more. Leaves evidence of how many were handed to whom.

    Raises Refused where the records were not classified today, and to a login that may not.
    """
    with (
        connect(settings) as conn,
        safe_errors("handing over the deletion orders"),
        conn.cursor(row_factory=class_row(Handed)) as cursor,
    ):
        cursor.execute(
            "select order_id, at_store as store, source_schema || '.' || source_table as \"table\","
            " ordered_at, object_pointer from ledger.hand_over_orders(%s)",
            (store,),
        )
        return cursor.fetchall()


def acknowledge(settings: Settings, answers: Mapping[UUID, str]) -> int:
    """Record that stores deleted what these orders point to, each with the store's reference; returns
    how many had not been acknowledged before.

    Who says so is the login of this connection. Raises UsageError for an order that there is none of
    and for an empty reference, Refused for one that was withdrawn; nothing is recorded then.
    """
    return _acknowledge(settings, answers, "person")


def acknowledge_demonstration(settings: Settings) -> int:
    """Acknowledge every open order of the sample, whose stores do not exist, marked as a
    demonstration's.

    Raises Refused on an outside database, and where a landing schema lacks the sample's marker.
    """
    if not is_embedded(settings):
        raise Refused(
            "the demonstration acknowledges nothing on an outside database: have the store answer"
        )
    found = list_(settings, open_only=True)
    return _acknowledge(settings, {order.order_id: DEMONSTRATION for order in found}, DEMONSTRATION)


def read_answers(lines: Iterable[str]) -> dict[UUID, str]:
    """A store's answers from JSON lines, each {"order_id", "reference"}; blank lines are passed over.

    Raises UsageError for a line that is something else, without its words.
    """
    answers: dict[UUID, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            answer = json.loads(line)
            order, reference = UUID(answer["order_id"]), answer["reference"]
        except (ValueError, KeyError, TypeError, AttributeError):
            order, reference = None, None
        if order is None or not isinstance(reference, str):
            raise UsageError(
                f'line {number} is no answer: write {{"order_id": "…", "reference": "…"}}'
            )
        answers[order] = reference
    return answers


def _acknowledge(settings: Settings, answers: Mapping[UUID, str], kind: str) -> int:
    with connect(settings) as conn, safe_errors("acknowledging deletion orders"):
        row = conn.execute(
            "select ledger.acknowledge_orders(%s, %s, %s)",
            (list(answers), list(answers.values()), kind),
        ).fetchone()
    assert row is not None
    return int(row[0])
