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

    rule: RuleId = Field(description="the rule that the record stands under")
    outcome: Literal["lock", "refuse"] = Field(description="`lock` or `refuse`")
    law: Text = Field(description="the law, as the answer names it")
    english: Text = Field(description="the reason as the person reads it")
    norwegian: Text = Field(description="the same in bokmål")


class Authority(Part):
    """Where the person can complain (§ 9; GDPR art. 77)."""

    name: Text = Field(description="its name")
    address: Text = Field(description="where it is")
    url: Text = Field(description="its page")


class Rights(Marked):
    """Answering requests: GDPR art. 12(3), 17(3), 18, 19."""

    answer_within: PeriodText = Field(description="from the day of receipt")
    extended_by: PeriodText = Field(description="the most that the answer may be put off")
    hindrances: tuple[Hindrance, ...] = Field(min_length=1, description="what hinders an erasure")
    authority: Authority = Field(description="where a person can complain")
    package_days: Days = Field(description="how long a copy made for a person stays")
    locked_read_minutes: Minutes = Field(
        description="how long a custodian may read one locked record"
    )
    notice_patience_days: Days = Field(
        description="how long a recipient or partner may take to answer"
    )
    remind_days: Days = Field(description="how long before the last day a request is named")

    @model_validator(mode="after")
    def _says_each_rule_once(self) -> Self:
        rules = [hindrance.rule for hindrance in self.hindrances]
        if len(rules) != len(set(rules)):
            raise ValueError("a rule stands twice under hindrances")
        return self

    def hindrance(self, rule_id: str) -> Hindrance | None:
        """What hinders the erasure of a record that stands under `rule_id`; None where nothing does."""
        return next((one for one in self.hindrances if one.rule == rule_id), None)
