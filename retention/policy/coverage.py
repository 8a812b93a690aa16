"""How bad each kind of difference between declarations and database is, and what it keeps from the purge.

Belongs here: the policy file's section `coverage`. Does not belong here: finding a difference
(`retention.coverage`).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from retention.policy.values import Days, Marked, Part, Text

FindingSeverity = Literal["warn", "error"]


class FindingRule(Part):
    """What one kind of finding is. `sets_aside`: nothing is purged or minimised from the table while it
    stands. A table that cannot be read as declared is set aside in any case."""

    severity: FindingSeverity = Field(description="`warn` or `error`")
    sets_aside: bool = Field(description="whether nothing is purged from the table meanwhile")
    reason: Text = Field(description="why")


class FindingRules(Part):
    """One rule a kind of finding."""

    undeclared_schema: FindingRule
    undeclared_table: FindingRule
    undeclared_view: FindingRule
    undeclared_materialized_view: FindingRule
    undeclared_foreign_table: FindingRule
    undeclared_column: FindingRule
    missing_table: FindingRule
    missing_column: FindingRule
    type_changed: FindingRule
    type_differs: FindingRule
    column_not_nullable: FindingRule
    partition_differs: FindingRule
    exemption_past_date: FindingRule
    harmless_seems_personal: FindingRule
    copy_untraceable: FindingRule
    stale_build: FindingRule
    undeclared_model: FindingRule
    model_exemption_past_date: FindingRule

    def of(self, kind: str) -> FindingRule:
        """The rule of a kind of finding. Raises KeyError for a kind that has none."""
        if kind not in type(self).model_fields:
            raise KeyError(kind)
        rule: FindingRule = getattr(self, kind)
        return rule


class CoverageRules(Marked):
    """What findings of coverage lead to. A warning that stands for longer than `patience_days` becomes
    an error."""

    patience_days: Days = Field(description="a warning that stands for longer becomes an error")
    findings: FindingRules = Field(description="one rule a kind of finding")
