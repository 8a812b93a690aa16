"""The expected line of `retention.records` for every physical landing row.

Belongs here: which deadline each row takes, whose data it is, and its status as of the date.
Does not belong here: the grounds of persons and assignments (`lifecycle`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from tests.oracle.facts import Landing, Row
from tests.oracle.landing_table import LandingTable
from tests.oracle.lifecycle import (
    Ground,
    Life,
    Outcome,
    assignment_ground,
    judge_person,
    start_ground,
    start_outcome,
)
from tests.oracle.periods import (
    accounting_last_day,
    due_on,
    last_day,
)
from tests.oracle.policy import OraclePolicy
from tests.oracle.population import Population, gather, stated_day
from tests.oracle.roles import instructed, role_of
from tests.oracle.tables import TABLES


@dataclass(frozen=True)
class Expected:
    """What `retention.records` must say of one row."""

    source_schema: str
    source_table: str
    record_key: str
    controller_role: str
    category: str
    rule_id: str
    anchor_on: date | None
    last_day: date | None
    due_on: date | None
    status: str


#: Rows that a duty of our own keeps, whoever decides on the rest (GDPR art. 28(3)(g)): accounting
#: documents, the register of requests, objections.
_OUR_OWN_DUTIES = frozenset({"accounting", "rule"})
_UNCLASSIFIED = Ground("UNCLASSIFIED", "unclassified", needs_review=True)


def classify(
    landing: Landing, policy: OraclePolicy, as_of: date, *, decides: bool = False
) -> Iterator[Expected]:
    """Yield the expected line of every governed row as of the date. A run that `decides` decides what a
    withdrawn consent erases on that date; a replay of an earlier day decides nothing."""
    judge = _Judge(gather(landing, as_of), policy, as_of, decides)
    for table in TABLES:
        for row in landing.rows[table.name]:
            yield judge.expected(table, row)


@dataclass
class _Judge:
    people: Population
    policy: OraclePolicy
    as_of: date
    decides: bool
    _winners: dict[str, Ground] = field(default_factory=dict)

    def expected(self, table: LandingTable, row: Row) -> Expected:
        subject = self.people.subject(table.name, row)
        ground = self._own_ground(table, row, subject)
        if table.dated and self.people.own_day(table, row) is None:
            ground = replace(ground, needs_review=True)
        role, handover = role_of(self.people, table, row, subject)
        if handover is not None and table.follows not in _OUR_OWN_DUTIES:
            ground = instructed(self.people, self.policy, table, row, ground, handover)
        elif self._is_withdrawn(table, subject):
            ground = self._erased(ground)
        schema, _, name = table.name.partition(".")
        return Expected(
            source_schema=schema,
            source_table=name,
            record_key=row.record_key,
            controller_role=role,
            category=ground.category,
            rule_id=ground.rule_id,
            anchor_on=ground.anchor,
            last_day=ground.last,
            due_on=ground.due,
            status="held" if self._is_held(table, row) else self._status(ground),
        )

    def _is_withdrawn(self, table: LandingTable, subject: str | None) -> bool:
        """Nothing but a consent allowed us to keep the row, and that is withdrawn."""
        return (
            self.decides
            and table.consented is not None
            and subject is not None
            and (subject, table.consented) in self.people.withdrawn
        )

    def _erased(self, ground: Ground) -> Ground:
        """Decided today and due today, whatever else the row stands on; it keeps its category."""
        return Ground(
            "CONSENT",
            ground.category,
            anchor=self.as_of,
            last=self.as_of - timedelta(days=1),
            needs_review=not self.policy.rule("CONSENT").approved,
        )

    def _is_held(self, table: LandingTable, row: Row) -> bool:
        """A pending request holds every record that may be the person's, ambiguous ones too."""
        return bool(self.people.candidates(table.name, row) & self.people.pending)

    def _status(self, ground: Ground) -> str:
        if ground.needs_review:
            return "review"
        if ground.last is None:
            return "active"
        due = due_on(ground.last)
        if self.as_of >= due:
            return "overdue"
        notice = due - timedelta(days=self.policy.due_soon_days)
        return "due_soon" if self.as_of >= notice else "retained"

    def _own_ground(self, table: LandingTable, row: Row, subject: str | None) -> Ground:
        match table.follows:
            case "accounting":
                return self._accounting(table, row)
            case "rule":
                return self._by_rule(table.rule or "", table, row)
            case "assignment":
                return self._by_assignment(table, row, subject)
        if subject is None:
            if table.fallback_rule is None or self.people.candidates(table.name, row):
                return _UNCLASSIFIED
            return self._by_rule(table.fallback_rule, table, row)
        match table.follows:
            case "person_row":
                return self.winner(subject)
            case "lead":
                return self._lead(table, row, subject)
            case _:
                return self._supporting(table, row, subject)

    def winner(self, subject: str) -> Ground:
        """Return the winning ground of a person."""
        if subject not in self._winners:
            life = self.people.lives[subject]
            verdict = judge_person(life, self.policy)
            self._winners[subject] = (
                verdict.winner if verdict.grounds else self._undated_registration(life)
            )
        return self._winners[subject]

    def _undated_registration(self, life: Life) -> Ground:
        """A person with no ground at all was registered on a day that nobody can read."""
        rule = self.policy.rule("R1" if life.received_via_partner else "R2")
        return Ground(rule.rule_id, rule.category, needs_review=True)

    def _lead(self, table: LandingTable, row: Row, subject: str) -> Ground:
        start = self.people.leads.get(row.record_key)
        if start is None:
            is_partners = (
                row["partner_id"] is not None or row.record_key in self.people.landing.remembered
            )
            rule = self.policy.rule("R1" if is_partners else "R2")
            return Ground(rule.rule_id, rule.category, needs_review=True)
        outcome = start_outcome(start, self.people.lives[subject], self.policy)
        if outcome in (Outcome.ALREADY, Outcome.IN_TIME):
            return self.winner(subject)
        ground = start_ground(start, self.policy)
        return replace(ground, needs_review=True) if outcome is Outcome.LATE else ground

    def _supporting(self, table: LandingTable, row: Row, subject: str) -> Ground:
        rule = self.policy.rule("SUPPORTING")
        winner = self.winner(subject)
        followed = replace(
            winner,
            rule_id=rule.rule_id,
            category=rule.category,
            needs_review=winner.needs_review or not rule.approved,
        )
        day = stated_day(table, row)
        if table.period_key is None or day is None:
            return followed
        period = self.policy.supporting_periods[table.period_key]
        own_last = last_day(day, period.period)
        # A person under review, or active, sets no end; the row's own period is one in any case.
        is_settled = followed.last is not None and not followed.needs_review
        if not period.approved or (is_settled and (followed.last or date.max) < own_last):
            return followed
        return replace(followed, anchor=day, last=own_last, needs_review=not rule.approved)

    def _by_assignment(self, table: LandingTable, row: Row, subject: str | None) -> Ground:
        key = self.people.assignment_key(table.name, row)
        stated = self.people.assignments.get(key or "")
        if stated is None:
            return _UNCLASSIFIED
        ground = assignment_ground(stated.assignment, self.policy)
        if ground is not None:
            return ground
        return _UNCLASSIFIED if subject is None else self.winner(subject)

    def _accounting(self, table: LandingTable, row: Row) -> Ground:
        rule = self.policy.rule("R5")
        period = self.policy.accounting_classes[table.rule or ""]
        day = stated_day(table, row)
        return Ground(
            rule.rule_id,
            rule.category,
            anchor=day,
            last=None if day is None else accounting_last_day(day, period.period),
            needs_review=not (rule.approved and period.approved),
        )

    def _by_rule(self, rule_id: str, table: LandingTable, row: Row) -> Ground:
        rule = self.policy.rule(rule_id)
        day = stated_day(table, row)
        has_end = day is not None and rule.own_period is not None
        return Ground(
            rule.rule_id,
            rule.category,
            anchor=day,
            last=last_day(day, rule.period) if day is not None and has_end else None,
            needs_review=not rule.approved,
        )
