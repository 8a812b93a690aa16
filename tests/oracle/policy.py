"""The values the oracle takes from the policy file: periods, categories, approvals, notice days.

Belongs here: reading the YAML as plain data. Does not belong here: validating it, or importing the
product's models of it.

In the sample warehouse every schema bears the sample's marker, so approvals marked `example` count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.oracle.periods import Period, parse_period

_COUNTING = frozenset({"approved", "example"})


@dataclass(frozen=True)
class Rule:
    """A rule with its own period, if it has one, and whether it may lead to anything."""

    rule_id: str
    category: str
    own_period: Period | None
    approved: bool

    @property
    def period(self) -> Period:
        """The rule's own period. Raises LookupError for a rule that has none."""
        if self.own_period is None:
            raise LookupError(f"{self.rule_id} has no period of its own")
        return self.own_period


@dataclass(frozen=True)
class ApprovedPeriod:
    """A period of a table of the policy, and whether somebody approved it."""

    period: Period
    approved: bool


@dataclass(frozen=True)
class OraclePolicy:
    """What the oracle needs of one policy version."""

    rules: Mapping[str, Rule]
    assignment_types: Mapping[str, ApprovedPeriod]
    accounting_classes: Mapping[str, ApprovedPeriod]
    supporting_periods: Mapping[str, ApprovedPeriod]
    due_soon_days: int

    def rule(self, rule_id: str) -> Rule:
        """Return a rule by its id. Raises KeyError."""
        return self.rules[rule_id]

    def assignment_period(self, kind: str | None) -> ApprovedPeriod | None:
        """Return the period of an assignment type; None for a type the policy does not know."""
        return None if kind is None else self.assignment_types.get(kind)


def read_policy(path: Path) -> OraclePolicy:
    """Read the policy file."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    accounting = document["accounting"]
    return OraclePolicy(
        rules={
            rule["id"]: _rule(rule, document["readings"].values()) for rule in document["rules"]
        },
        assignment_types=_periods(document["assignment_types"]),
        accounting_classes=_periods(accounting["classes"], also=accounting),
        supporting_periods=_periods(document["supporting_periods"]),
        due_soon_days=document["operations"]["due_soon_days"]["value"],
    )


def _rule(rule: Mapping[str, Any], readings: Any) -> Rule:
    """A rule is as approved as the least approved part it stands on."""
    parts = [rule["period"], rule["trigger"]]
    parts += [reading for reading in readings if rule["id"] in reading["applies_to"]]
    return Rule(
        rule_id=rule["id"],
        category=rule["category"],
        own_period=parse_period(rule["period"].get("value")),
        approved=all(_counts(part) for part in parts),
    )


def _periods(
    table: Mapping[str, Any], also: Mapping[str, Any] | None = None
) -> dict[str, ApprovedPeriod]:
    periods = {}
    for key, entry in table.items():
        period = parse_period(entry["period"])
        assert period is not None, f"{key} has no readable period"
        approved = _counts(entry) and (also is None or _counts(also))
        periods[key] = ApprovedPeriod(period, approved)
    return periods


def _counts(part: Mapping[str, Any]) -> bool:
    """Whether a value may lead to a purge in the sample: the text's own, or approved."""
    return part["mark"] == "text" or part.get("approval", {}).get("state") in _COUNTING
