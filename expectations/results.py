"""Reading a result: the only place where one of Great Expectations becomes one of ours.

Belongs here: passed, failed or not evaluated, with counts. Does not belong here: how a result is shown.

A missing column or a SQL error comes back from Great Expectations as an ordinary failure with an
exception inside. That is no finding about data: nobody knows. It is a state of its own here, and it
fails. Neither exceptions nor lists of values are passed on: they may quote values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from expectations.catalogue import Check, Severity


class Outcome(StrEnum):
    """What became of a check. Only `passed` is good."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EVALUATED = "not_evaluated"


@dataclass(frozen=True)
class Count:
    """Failing records of one table, under one rule where the check knows rules."""

    table: str
    rule_id: str | None
    records: int


@dataclass(frozen=True)
class Tally:
    """What our own SQL counted for a check, in one statement. `oldest_on` is the earliest date that
    makes a failing record fail, where there is one; `details` are further counts."""

    evaluated: int
    failing: int
    counts: tuple[Count, ...] = ()
    oldest_on: date | None = None
    details: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckResult:
    """One check's result. `note` says in words what the counts cannot, never with a value."""

    check: Check
    outcome: Outcome
    severity: Severity
    evaluated: int = 0
    failing: int = 0
    counts: tuple[Count, ...] = ()
    oldest_on: date | None = None
    details: Mapping[str, int] = field(default_factory=dict)
    note: str | None = None

    @property
    def name(self) -> str:
        return self.check.name

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.PASSED

    @property
    def stops_plan(self) -> bool:
        """True where nothing may be planned on this classification."""
        return self.check.blocks_plan and not self.passed

    def as_dict(self) -> dict[str, Any]:
        """The result as plain data, for JSON."""
        return {
            "check": self.name,
            "outcome": self.outcome.value,
            "severity": self.severity.value,
            "blocks_plan": self.check.blocks_plan,
            "clause": self.check.clause,
            "evaluated": self.evaluated,
            "failing": self.failing,
            "counts": [
                {"table": count.table, "rule_id": count.rule_id, "records": count.records}
                for count in self.counts
            ],
            "oldest_on": self.oldest_on.isoformat() if self.oldest_on else None,
            "details": dict(self.details),
            "note": self.note,
        }


class Validation(Protocol):
    """The part of Great Expectations' result that is read."""

    success: bool | None
    result: dict[str, Any]
    exception_info: dict[str, Any] | None


def result_of(
    check: Check, validation: Validation | None, tally: Tally | None, severity: Severity
) -> CheckResult:
    """Put Great Expectations' verdict and our own counts together; either one failing fails.

    `validation` None means that the relation could not be read at all, `tally` None that it could not
    be counted.
    """
    if validation is None or _was_not_evaluated(validation):
        return not_evaluated(
            check, "the column could not be judged: is the classification complete?"
        )
    if tally is None:
        return not_evaluated(
            check, "the records could not be counted: is the classification complete?"
        )
    good = validation.success is True and tally.failing == 0
    return counted(check, tally, severity, good=good)


def counted(check: Check, tally: Tally, severity: Severity, *, good: bool) -> CheckResult:
    """The result of a check that was evaluated."""
    return CheckResult(
        check=check,
        outcome=Outcome.PASSED if good else Outcome.FAILED,
        severity=severity,
        evaluated=tally.evaluated,
        failing=tally.failing,
        counts=tally.counts,
        oldest_on=tally.oldest_on,
        details=tally.details,
    )


def not_evaluated(check: Check, why: str) -> CheckResult:
    """The result of a check about which nothing is known; always an error, and never `passed`."""
    return CheckResult(check, Outcome.NOT_EVALUATED, Severity.ERROR, note=why)


def _was_not_evaluated(validation: Validation) -> bool:
    """True where an exception was raised inside, or no row was looked at although a verdict came."""
    if "element_count" not in (validation.result or {}):
        return True
    info = validation.exception_info or {}
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    # With several metrics, one entry each.
    return any(isinstance(part, dict) and part.get("raised_exception") for part in info.values())
