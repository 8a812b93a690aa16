"""Records that need a person, and what the person decides.

Belongs here: listing records under review and recording a decision, as the login that is connected.
Does not belong here: why a record is under review, and what a decision does to it (the models).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, LiteralString, Required, TypedDict, Unpack
from uuid import UUID

from psycopg.rows import class_row

from retention.errors import UsageError
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect

Decision = Literal["keep", "purge", "anchor"]


@dataclass(frozen=True)
class ReviewRecord:
    """A record under review: where it lies, its key as `retention.records` shows it, and why."""

    source_schema: str
    source_table: str
    record_key: str
    category: str | None
    rule_id: str | None
    anchor_on: date | None
    due_on: date | None
    reason: str | None


def list_(
    settings: Settings, *, table: str | None = None, limit: int | None = 100
) -> list[ReviewRecord]:
    """Records under review, those due longest first; `table` is `schema.table`, no `limit` is all.

    Raises UsageError where nothing was classified yet.
    """
    schema, _, name = (table or "").partition(".")
    with (
        connect(settings, read_only=True) as conn,
        safe_errors("listing what is under review"),
        conn.cursor(row_factory=class_row(ReviewRecord)) as cursor,
    ):
        cursor.execute(
            "select source_schema, source_table, record_key, category, rule_id, anchor_on, due_on,"
            " reason from retention.records where status = 'review'"
            " and (%(table)s::text is null or (source_schema = %(schema)s and source_table = %(name)s))"
            " order by due_on nulls last, source_schema, source_table, record_key limit %(limit)s",
            {"table": table, "schema": schema, "name": name, "limit": limit},
        )
        return cursor.fetchall()


class Decided(TypedDict, total=False):
    """A decision and its record; `rule_id` and `anchor_on` with `anchor`, `keep_until` with `keep`."""

    table: Required[str]
    record_key: Required[str]
    decision: Required[Decision]
    reason: Required[str]
    rule_id: str | None
    anchor_on: date | None
    keep_until: date | None


def decide(settings: Settings, **decided: Unpack[Decided]) -> UUID:
    """Record what a person decided on a record under review; the next classification applies it.

    `anchor` takes a rule and the day its clock starts, `keep` a last day, `purge` nothing more. Raises
    UsageError for a record that is not under review and for a decision that lacks what it needs.
    """
    made: UUID = _call(
        settings, "select ledger.decide_review(%s, %s, %s, %s, %s, %s, %s, %s)", decided
    )
    return made


def decide_case(settings: Settings, **decided: Unpack[Decided]) -> int:
    """Record the decision on every record under review of the record's assignment, or where it has none,
    of its person. Returns how many were decided. Raises UsageError as `decide` does."""
    return int(
        _call(settings, "select ledger.decide_review_case(%s, %s, %s, %s, %s, %s, %s, %s)", decided)
    )


def _call(settings: Settings, statement: LiteralString, decided: Decided) -> Any:
    schema, dot, name = decided["table"].partition(".")
    if not dot or not schema or not name:
        raise UsageError("name the table as schema.table")
    with connect(settings) as conn, safe_errors("recording a decision"):
        row = conn.execute(
            statement,
            (
                schema,
                name,
                decided["record_key"],
                decided["decision"],
                decided["reason"],
                decided.get("rule_id"),
                decided.get("anchor_on"),
                decided.get("keep_until"),
            ),
        ).fetchone()
    assert row is not None
    return row[0]
