"""Deciding requests for erasure: what the rules say of each record, and what a person says of one.

Belongs here: asking the database, as the login that is connected, and counting what it decided. Does not
belong here: the rules; the grounds of the last classification and the policy's hindrances decide, in one
statement for all requests. No record's key leaves the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from retention.errors import UsageError
from retention.rights.model import Outcome
from retention.rights.register import as_officer
from retention.settings import Settings

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Counted:
    """Records of one table that are decided alike: under the law that hinders their erasure, if any, and
    until its last day. `waiting` have still to be carried out."""

    table: str
    category: str | None
    outcome: Outcome
    rule_id: str | None
    law: str | None
    until_on: date | None
    records: int
    waiting: int = 0


@dataclass(frozen=True)
class Decided:
    """What requests came to: how many records were decided now, and every decision that stands."""

    requests: int
    records: int
    counts: tuple[Counted, ...]

    def of(self, outcome: Outcome) -> int:
        """How many records have this outcome."""
        return sum(count.records for count in self.counts if count.outcome == outcome)


def propose(settings: Settings, request_ids: Sequence[UUID]) -> Decided:
    """What would be decided now. Writes nothing. Raises as `decide` does."""
    asked = _distinct(request_ids)
    with as_officer(settings, "looking at what would be decided") as conn:
        counts = _counts(
            conn,
            "select *, false as is_waiting from ledger.propose_erasures(%s::uuid[])",
            asked,
        )
    return Decided(len(asked), sum(count.records for count in counts), counts)


def decide(settings: Settings, request_ids: Sequence[UUID]) -> Decided:
    """Decide every record of the requests' persons, with its locks, in one transaction (art. 17(3)).

    Of a request that was decided before, what was left to a person and is certain now. Raises Refused
    where this login may not answer requests, a request is none for erasure or its person not verified,
    and where the records were not classified today.
    """
    asked = _distinct(request_ids)
    with as_officer(settings, "deciding on erasures") as conn:
        row = conn.execute("select ledger.decide_erasures(%s::uuid[])", (asked,)).fetchone()
        assert row is not None
        return Decided(len(asked), row[0], standing(conn, asked))


def decided(settings: Settings, request_ids: Sequence[UUID]) -> Decided:
    """The decisions that stand on the records of these requests."""
    asked = _distinct(request_ids)
    with as_officer(settings, "reading what was decided") as conn:
        return Decided(len(asked), 0, standing(conn, asked))


def decide_record(
    settings: Settings,
    request_id: UUID,
    record: str,
    outcome: Outcome,
    *,
    reason: str,
    law: str | None = None,
    until_on: date | None = None,
) -> None:
    """Decide one record (`schema.table:key`) as a person sees it: erase, lock or refuse.

    Raises Refused for what the rules have decided for certain; UsageError where the record is none of the
    request's, or a law, a day or a reason is missing.
    """
    table, colon, key = record.partition(":")
    schema, dot, name = table.partition(".")
    if not (colon and dot and schema and name and key):
        raise UsageError("name the record as schema.table:key")
    with as_officer(settings, "deciding on a record") as conn:
        conn.execute(
            "select ledger.decide_record(%s, %s, %s, %s, %s, %s, %s, %s)",
            (request_id, schema, name, key, outcome.value, reason, law, until_on),
        )


def _distinct(request_ids: Sequence[UUID]) -> list[UUID]:
    if not request_ids:
        raise UsageError("name at least one request")
    return list(dict.fromkeys(request_ids))


def standing(conn: Connection, request_ids: list[UUID]) -> tuple[Counted, ...]:
    """As `decided`, on a connection that is open."""
    return _counts(
        conn,
        "select *, outcome in ('erase', 'minimise') and carried_out_at is null and record_key is not null"
        " as is_waiting from ledger.decisions_of(%s::uuid[])",
        request_ids,
    )


def _counts(conn: Connection, found: str, request_ids: list[UUID]) -> tuple[Counted, ...]:
    with conn.cursor(row_factory=class_row(_Row)) as cursor:
        cursor.execute(
            "select source_schema || '.' || source_table as \"table\", category, outcome, rule_id, law,"  # noqa: S608
            " until_on, count(*) as records, count(*) filter (where is_waiting) as waiting"
            f" from ({found}) as found group by 1, 2, 3, 4, 5, 6 order by 1, 3, 2, 4, 6",
            (request_ids,),
        )
        return tuple(row.counted() for row in cursor)


@dataclass(frozen=True)
class _Row:
    table: str
    category: str | None
    outcome: str
    rule_id: str | None
    law: str | None
    until_on: date | None
    records: int
    waiting: int

    def counted(self) -> Counted:
        return Counted(
            self.table,
            self.category,
            Outcome(self.outcome),
            self.rule_id,
            self.law,
            self.until_on,
            self.records,
            self.waiting,
        )
