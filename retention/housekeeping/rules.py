"""How long each kind of trace is kept, as the policy says, and what became of those that were due.

Belongs here: a rule as a day before which a trace is due, and the result of applying it. Does not
belong here: finding or removing anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from retention.classify import OSLO
from retention.policy import Policy
from retention.policy.model import Traces


@dataclass(frozen=True)
class Rule:
    """A kind of trace and the days for which it is kept; `since` says from when they count."""

    kind: str
    days: int
    since: str

    @property
    def kept(self) -> str:
        """The rule in words."""
        return f"{self.days} days from {self.since}"

    def first_day(self, today: date) -> date:
        """The earliest day whose traces are kept: what is of an earlier one is due."""
        return today - timedelta(days=self.days)

    def before(self, today: date) -> datetime:
        """The moment at which that day began in Norway, in UTC."""
        return datetime.combine(self.first_day(today), time(), OSLO).astimezone(UTC)

    def with_grace(self, days: int) -> Rule:
        """The same rule, `days` more patient."""
        return Rule(self.kind, self.days + days, self.since)


@dataclass(frozen=True)
class Swept:
    """What a rule did: how many traces were due, how many were removed, and why others stayed.

    A dry run removes none and gives no reasons."""

    kind: str
    kept: str
    due: int
    removed: int = 0
    stayed: tuple[str, ...] = ()

    @property
    def remaining(self) -> int:
        return self.due - self.removed


def traces(policy: Policy) -> Traces:
    """The part of the policy that says how long traces are kept."""
    return policy.own_records.traces
