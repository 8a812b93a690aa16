"""What a plan looks like from outside the database.

Belongs here: frozen values for callers to show. Does not belong here: reading or writing them.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from uuid import UUID

#: What a plan holds: the cases that the policy leaves to a job, the records whose erasure was decided, or
#: whatever else is overdue.
Scope = Literal["ordinary", "unattended", "decided"]


@dataclass(frozen=True)
class PlanCount:
    """Records of one table under one rule, with the due date of the oldest. `disposition` says whether
    the rows go or columns of them become null; `restored` counts those that were minimised before and
    hold values again."""

    table: str
    rule_id: str
    records: int
    oldest_due_on: date | None
    disposition: str = "purge"
    restored: int = 0


@dataclass(frozen=True)
class PlanPreview:
    """What a plan made now would hold. `waiting` counts overdue records that are left out, by reason."""

    as_of: date
    items: int
    counts: tuple[PlanCount, ...]
    waiting: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """One frozen plan. Its states: proposed, approved or rejected, executing, executed; expired and
    superseded where it was never carried out; empty where nothing was overdue. `refusals` are the reasons
    for which it was not approved when somebody, or the policy, was asked."""

    plan_id: UUID
    as_of: date
    classification_id: int
    policy_version: str
    policy_hash: str
    code_hash: str
    key_id: str
    digest: str
    state: str
    scope: Scope
    items: int
    waiting: dict[str, int]
    planned_by: str
    planned_at: datetime
    expires_on: date
    approved_by: str | None
    approved_at: datetime | None
    approval_kind: str | None
    rejected_by: str | None
    rejected_at: datetime | None
    reject_reason: str | None
    executed_at: datetime | None
    run_by: str | None
    fence: int
    tokens_forgotten_at: datetime | None
    counts: tuple[PlanCount, ...] = ()
    outcome: dict[str, int] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
