"""What happens to a person and to an assignment: grounds, outcomes of leads, and the winner.

Belongs here: the decisions of requirements §2 about lives, made from plain dates.
Does not belong here: where the dates come from (`facts`) and which row takes which deadline
(`classify`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum

from tests.oracle.periods import due_on, last_day
from tests.oracle.policy import OraclePolicy

#: Ties between equal due dates go to the earlier name in this list.
RULE_ORDER = ("ACTIVE", "R4", "R5", "R3", "R2", "R1")


class Outcome(Enum):
    """What became of a lead or a registration (requirements §2, when a relationship starts)."""

    ALREADY = "a relationship was alive before it"
    IN_TIME = "a relationship began within its period"
    LATE = "a relationship began only after its period had ended"
    NONE = "no relationship began"


@dataclass(frozen=True)
class Ground:
    """A reason to keep: rule, anchor and last day, or the fact that a person must look at it."""

    rule_id: str
    category: str
    anchor: date | None = None
    last: date | None = None
    needs_review: bool = False
    event: str = ""

    @property
    def due(self) -> date | None:
        """The first day on which nothing is left of this reason."""
        return None if self.last is None else due_on(self.last)


@dataclass(frozen=True)
class Assignment:
    """An assignment, order, contract or subscription as its current version states it.

    All dates are usable local dates (not null, future or impossible), else None.
    """

    event: str
    state: str
    kind: str | None
    opened: date | None
    ended: date | None
    acknowledged: date | None = None

    @property
    def begun(self) -> date | None:
        """The day on which it stood at the latest: opened, or ended where nobody knows when."""
        return self.opened or self.ended


@dataclass(frozen=True)
class Start:
    """A day on which a person came to us: a registration, or a lead of one partner or of none.

    `first` is the day that counts: for a partner's lead the first time this partner sent it.
    """

    rule_id: str
    first: date
    event: str = ""


@dataclass
class Life:
    """The dated facts of one person."""

    person: str = ""
    registered: date | None = None
    received_via_partner: bool = False
    starts: list[Start] = field(default_factory=list)
    contacts: list[date] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """All grounds of a person and the one that wins."""

    grounds: tuple[Ground, ...]
    winner: Ground


def assignment_ground(assignment: Assignment, policy: OraclePolicy) -> Ground | None:
    """Return the ground of an assignment; None for a draft, which has none of its own."""
    if assignment.state == "draft":
        return None
    if assignment.state == "open":
        return Ground("ACTIVE", "active", anchor=assignment.begun, event=assignment.event)
    undecided = Ground("R4", "assignment", needs_review=True, event=assignment.event)
    if assignment.ended is None:
        return undecided
    anchor = max(filter(None, (assignment.ended, assignment.acknowledged)))
    period = policy.assignment_period(assignment.kind)
    if period is None:
        return replace(undecided, anchor=anchor)
    # Whoever decides on a type that nobody approved, or an unknown state, sees the proposed date.
    proposed = replace(undecided, anchor=anchor, last=last_day(anchor, period.period, minimum=True))
    is_known = assignment.state in ("completed", "ended")
    is_approved = period.approved and policy.rule("R4").approved
    return replace(proposed, needs_review=not (is_known and is_approved))


def start_outcome(start: Start, life: Life, policy: OraclePolicy) -> Outcome:
    """Decide what became of a lead or a registration.

    A lead that comes while a relationship is alive belongs to a customer; one after a lapsed
    relationship begins anew.
    """
    end = last_day(start.first, policy.rule(start.rule_id).period)
    if _was_alive(start.first, life, policy):
        return Outcome.ALREADY
    beginnings = life.contacts + [
        assignment.begun
        for assignment in life.assignments
        if assignment.begun is not None and assignment.state != "draft"
    ]
    if any(start.first <= day <= end for day in beginnings):
        return Outcome.IN_TIME
    return Outcome.LATE if any(day > end for day in beginnings) else Outcome.NONE


def _was_alive(day: date, life: Life, policy: OraclePolicy) -> bool:
    period = policy.rule("R3").period
    if any(contact < day <= last_day(contact, period) for contact in life.contacts):
        return True
    for assignment in life.assignments:
        ground = assignment_ground(assignment, policy)
        if ground is None or (assignment.begun is not None and assignment.begun >= day):
            continue
        # What is open, or under review, has no end that anybody could rely on; what has no readable
        # date at all has no beginning either, and must not let a lead be purged beside it.
        if ground.needs_review or ground.last is None or ground.last >= day:
            return True
    return False


def registration(life: Life) -> Start | None:
    """Return the registration if it has a clock of its own.

    A person who came through a partner has the partner's leads instead, where there are any.
    """
    if life.registered is None:
        return None
    if not life.received_via_partner:
        return Start("R2", life.registered, life.person)
    if any(start.rule_id == "R1" for start in life.starts):
        return None
    return Start("R1", life.registered, life.person)


def judge_person(life: Life, policy: OraclePolicy) -> Verdict:
    """Collect the grounds of a person and find the winner."""
    own = registration(life)
    starts = [*life.starts, *([own] if own is not None else [])]
    outcomes = [start_outcome(start, life, policy) for start in starts]
    grounds = [
        start_ground(start, policy)
        for start, outcome in zip(starts, outcomes, strict=True)
        if outcome is Outcome.NONE
    ]
    of_assignments = [
        ground
        for assignment in life.assignments
        if (ground := assignment_ground(assignment, policy)) is not None
    ]
    grounds += of_assignments
    contact = _contact_ground(life, outcomes, of_assignments, policy)
    if contact is not None:
        grounds.append(contact)
    return Verdict(tuple(grounds), pick_winner(grounds))


def start_ground(start: Start, policy: OraclePolicy) -> Ground:
    """Return the ground of a lead or registration that led to nothing."""
    rule = policy.rule(start.rule_id)
    return Ground(
        rule.rule_id,
        rule.category,
        anchor=start.first,
        last=last_day(start.first, rule.period),
        needs_review=not rule.approved,
        event=start.event,
    )


def _contact_ground(
    life: Life,
    outcomes: Sequence[Outcome],
    of_assignments: Sequence[Ground],
    policy: OraclePolicy,
) -> Ground | None:
    """Return the ground of a relationship without advice, anchored at the latest contact."""
    if not life.contacts:
        return None
    latest = max(life.contacts)
    if any(ground.last is not None and ground.last >= latest for ground in of_assignments):
        return None
    rule = policy.rule("R3")
    ground = Ground(
        rule.rule_id,
        rule.category,
        anchor=latest,
        last=last_day(latest, rule.period),
        needs_review=not rule.approved,
    )
    # Where no start is dated, nothing says that the contact came too late.
    if not outcomes or any(o in (Outcome.ALREADY, Outcome.IN_TIME) for o in outcomes):
        return ground
    return replace(ground, needs_review=True) if Outcome.LATE in outcomes else None


def pick_winner(grounds: Sequence[Ground]) -> Ground:
    """Return the ground that decides: active, else one to review, else the latest due date.

    What is left equal (two assignments due on one day) goes by the name of the event.
    """
    if not grounds:
        return Ground("UNCLASSIFIED", "unclassified", needs_review=True)

    def rank(ground: Ground) -> tuple[bool, bool, int, int, str]:
        return (
            ground.rule_id != "ACTIVE",
            not ground.needs_review,
            -(ground.due or date.min).toordinal(),
            RULE_ORDER.index(ground.rule_id),
            ground.event,
        )

    return min(grounds, key=rank)
