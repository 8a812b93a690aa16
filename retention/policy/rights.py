"""How the rights of a person are answered: by when, what hinders an erasure, where to complain.

Belongs here: the policy file's section `rights`. Does not belong here: the requests themselves and what
becomes of them (`retention.rights`).
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from retention.policy.rules import RuleId
from retention.policy.values import Days, Marked, Minutes, Part, PeriodText, Text


class Hindrance(Marked):
    """What the law puts in the way of an erasure for records that stand under a rule (§ 8).

    `lock`: refused until the rule's own last day, and locked so long. `refuse`: the data still serves what
    it was collected for, nothing is locked, and nobody knows when that ends.
    """

    rule: RuleId
    outcome: Literal["lock", "refuse"]
    law: Text
    english: Text = Field(description="the reason as the person reads it")
    norwegian: Text = Field(description="the same in bokmål")


class Authority(Part):
    """Where the person can complain (§ 9; GDPR art. 77)."""

    name: Text
    address: Text
    url: Text


class Rights(Marked):
    """Answering requests: GDPR art. 12(3), 17(3), 18, 19."""

    answer_within: PeriodText
    extended_by: PeriodText
    hindrances: tuple[Hindrance, ...] = Field(min_length=1)
    authority: Authority
    package_days: Days
    locked_read_minutes: Minutes
    notice_patience_days: Days
    remind_days: Days

    @model_validator(mode="after")
    def _says_each_rule_once(self) -> Self:
        rules = [hindrance.rule for hindrance in self.hindrances]
        if len(rules) != len(set(rules)):
            raise ValueError("a rule stands twice under hindrances")
        return self

    def hindrance(self, rule_id: str) -> Hindrance | None:
        """What hinders the erasure of a record that stands under `rule_id`; None where nothing does."""
        return next((one for one in self.hindrances if one.rule == rule_id), None)
