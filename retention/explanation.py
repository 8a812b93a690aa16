"""The values of an explanation: a record, its grounds, what decided it.

Belongs here: their shape, and what of them a reader may see (a locked record: key and status only).
Does not belong here: reading them from the database; explain.py does.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from retention.language import N_, Speaker
from retention.phrase import Code, Phrase, Sayable, phrase, said, said_or_none
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
    lost_because: Phrase | None = None

    def as_dict(self, teller: Speaker) -> dict[str, Any]:
        return {**vars(self), "lost_because": said_or_none(teller, self.lost_because)}


@dataclass(frozen=True)
class Step:
    """Something that must happen before a record is deleted."""

    code: str
    what: Phrase


@dataclass(frozen=True)
class Explanation:
    """One record and what decided it; without a clause where it is locked or has no rule.
    `holds_minimisable` says whether columns that accounting does not need hold a value."""

    record: Record
    clause: RuleClause | None = None
    period: Sayable | None = None
    # The day on which the period ends, where that was no working day.
    moved_from: date | None = None
    anchor_event: str | None = None
    grounds: tuple[Ground, ...] = ()
    notes: tuple[Phrase, ...] = ()
    holds_minimisable: bool = False
    steps: tuple[Step, ...] = ()

    def as_dict(self, teller: Speaker) -> dict[str, Any]:
        """The explanation for `--json`: codes as they are in the warehouse, with what they say in the
        teller's language beside them; of a locked record its key and status alone (§ 8)."""
        return {
            "language": teller.language.value,
            **record_as_dict(teller, self.record),
            **({} if self.record.is_locked else self._decided(teller)),
        }

    def _decided(self, teller: Speaker) -> dict[str, Any]:
        return {
            "period": said_or_none(teller, self.period),
            "moved_from": self.moved_from,
            "anchor_event": self.anchor_event,
            "clause": self.clause and clause_as_dict(teller, self.clause),
            "grounds": [ground.as_dict(teller) for ground in self.grounds],
            "holds_minimisable": self.holds_minimisable,
            "notes": [said(teller, note) for note in self.notes],
            "until_deleted": [
                {"code": step.code, "said": said(teller, step.what)} for step in self.steps
            ],
        }


def clause_as_dict(teller: Speaker, clause: RuleClause) -> dict[str, Any]:
    """A rule's clause for `--json`: the quote as the policy has it, the rest in the speaker's language."""
    return {
        **vars(clause),
        "summary": teller.policy(clause.summary).text,
        "trigger": teller.policy(clause.trigger).text,
        "reasons": [teller.policy(reason).text for reason in clause.reasons],
        "defect": teller.policy(clause.defect).text or None,
    }


def record_as_dict(teller: Speaker, record: Record) -> dict[str, Any]:
    """One record for `--json`: of a locked one its key and status alone (§ 8)."""
    if record.is_locked:
        return {
            "table": record.table,
            "record_key": record.record_key,
            "status": record.status,
            "as_of": record.as_of,
        }
    return {
        "table": record.table,
        **{name: value for name, value in vars(record).items() if not name.startswith("source")},
        "said": {
            "status": teller.word("status", record.status),
            "category": teller.word("category", record.category),
            "disposition": teller.word("disposition", record.disposition),
            "reason": teller.reason(record.reason).text or None,
            "blocked_by": [said(teller, blocker(one)) for one in record.blocked_by],
        },
    }


@dataclass(frozen=True)
class Listing:
    """Several records under one key: the versions of one thing, and copies."""

    table: str
    records: tuple[Record, ...]

    def as_dict(self, teller: Speaker) -> dict[str, Any]:
        """The listing for `--json`."""
        return {
            "language": teller.language.value,
            "table": self.table,
            "total": len(self.records),
            "records": [record_as_dict(teller, record) for record in self.records],
        }


def blocker(code: str) -> Sayable:
    """What 'hold:subject' and its like say: the kind of blocker and what it covers."""
    kind, _, scope = code.partition(":")
    if kind == "request":
        return phrase(N_("a pending rights request in {table}"), table=scope)
    return Code("blocked_by", code)
