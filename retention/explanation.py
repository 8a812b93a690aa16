"""The values of an explanation: a record, its grounds, what decided it.

Belongs here: their shape, and what of them a reader may see (a locked record: key and status only).
Does not belong here: reading them from the database; explain.py does.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from retention.policy import RuleClause


@dataclass(frozen=True)
class Record:
    """One row of retention.records; of a locked record only key and status are told."""

    source_schema: str
    source_table: str
    record_key: str
    subject_token: uuid.UUID | None
    controller_role: str | None
    category: str | None
    rule_id: str | None
    policy_clause: str | None
    policy_version: str
    anchor_on: date | None
    last_day: date | None
    due_on: date | None
    disposition: str | None
    status: str
    blocked_by: list[str]
    reason: str | None
    as_of: date

    @property
    def table(self) -> str:
        return f"{self.source_schema}.{self.source_table}"

    @property
    def is_locked(self) -> bool:
        return self.status == "locked"


@dataclass(frozen=True)
class Ground:
    """One row of retention.grounds, with why it lost where it did."""

    column_group: str
    rule_id: str
    category: str | None
    policy_clause: str | None
    anchor_on: date | None
    anchor_event: str | None
    last_day: date | None
    due_on: date | None
    needs_review: bool
    approved: bool
    wins: bool
    lost_because: str | None = None


@dataclass(frozen=True)
class Explanation:
    """One record and what decided it; without a clause where it is locked or has no rule.
    `holds_minimisable` says whether columns that accounting does not need hold a value."""

    record: Record
    clause: RuleClause | None = None
    period: str | None = None
    # The day on which the period ends, where that was no working day.
    moved_from: date | None = None
    anchor_event: str | None = None
    grounds: tuple[Ground, ...] = ()
    notes: tuple[str, ...] = ()
    holds_minimisable: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The explanation for `--json`: of a locked record its key and status alone (§ 8)."""
        record = self.record
        if record.is_locked:
            return {
                "table": record.table,
                "record_key": record.record_key,
                "status": record.status,
                "as_of": record.as_of,
            }
        return {
            "table": record.table,
            **{
                name: value for name, value in vars(record).items() if not name.startswith("source")
            },
            "period": self.period,
            "moved_from": self.moved_from,
            "anchor_event": self.anchor_event,
            "clause": vars(self.clause) if self.clause else None,
            "grounds": [vars(ground) for ground in self.grounds],
            "holds_minimisable": self.holds_minimisable,
            "notes": self.notes,
        }


_OF_ONE_RECORD = (
    "period",
    "moved_from",
    "anchor_event",
    "clause",
    "grounds",
    "holds_minimisable",
    "notes",
)


@dataclass(frozen=True)
class Listing:
    """Several records under what was asked for: a person's, or the versions of one thing."""

    what: str
    records: tuple[Record, ...] = field(default_factory=tuple)
    total: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The listing for `--json`."""
        shown = [Explanation(record).as_dict() for record in self.records]
        for one in shown:
            for name in _OF_ONE_RECORD:
                one.pop(name, None)
        return {"what": self.what, "total": self.total, "records": shown}


def blocker_words(blocker: str) -> str:
    """What 'hold:subject' and its like say: the kind of blocker and what it covers."""
    kind, _, scope = blocker.partition(":")
    covers = {"subject": "person", "assignment": "assignment", "record": "record", "table": "table"}
    kinds = {"hold": "legal hold", "restriction": "restriction (art. 18)", "lock": "lock (§ 8)"}
    if kind == "request":
        return f"a pending rights request in {scope}"
    return f"{kinds.get(kind, kind)} on the {covers.get(scope, scope)}"
