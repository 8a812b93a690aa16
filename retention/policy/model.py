"""One version of a privacy policy, as a checked and frozen value.

Belongs here: the whole file's shape, its hash, and what follows from its parts. Does not belong
here: reading the file (`load`), checks across parts (`checks`), choosing a version (`versions`).
"""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import rfc8785
from pydantic import Field, PrivateAttr, StringConstraints

from retention.policy.coverage import CoverageRules
from retention.policy.processing import DataCategory, Defect, Purpose, Recipient, SubjectKind
from retention.policy.rights import Rights
from retention.policy.rules import Readings, Rule, RuleId
from retention.policy.values import (
    APPROVAL_ORDER,
    ApprovalState,
    Days,
    Hours,
    Identifier,
    Mark,
    Marked,
    MarkedPeriod,
    Part,
    PeriodText,
    Rate,
    Seconds,
    Text,
)


class Controller(Part):
    """Who answers for the processing (GDPR art. 4(7)), as the policy names it."""

    name: Text
    organisation_number: Text
    address: Text
    contact: Text


class Document(Part):
    """The published text that this file implements."""

    title: Text
    url: Text
    language: Literal["nb", "nn", "en"]
    text_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="of the text as kept, in UTF-8: the file implements these very words"
    )


class Accounting(Marked):
    """How long accounting material is kept after the fiscal year, by class."""

    fiscal_year_end: Literal["12-31"]
    classes: dict[Identifier, MarkedPeriod] = Field(min_length=1)


class ConsentWithdrawal(Marked):
    """How long erasure may take where consent was the only basis; overrides every period."""

    most: PeriodText


class Traces(Part):
    """Days for which what the system leaves while it works is kept: runs and ticks of the orchestrator,
    logs, dbt's files, reports, schemas of replays, and what plans hold that nobody carries out."""

    runs: Days
    ticks: Days
    logs: Days
    builds: Days
    reports: Days
    replays: Days
    plans: Days


class OwnRecords(Marked):
    """How long this system's plans, tombstones, suppressions and evidence stay."""

    kept_while: Text
    backup_horizon: PeriodText
    traces: Traces


class ErasureLevel(Part):
    """How thoroughly purged records of one category go, with the reason for it."""

    value: Literal["logical", "physical"]
    reason: Text


class Erasure(Marked):
    """The level of erasure of each category. `physical`: files that held purged values are rewritten."""

    lead_partner: ErasureLevel
    lead_direct: ErasureLevel
    customer_no_advice: ErasureLevel
    assignment: ErasureLevel
    accounting: ErasureLevel
    active: ErasureLevel
    supporting: ErasureLevel
    business_contact: ErasureLevel
    rights_request: ErasureLevel
    own: ErasureLevel
    unclassified: ErasureLevel

    @property
    def physical(self) -> tuple[str, ...]:
        """The categories whose purged records leave no value in any file."""
        levels = {name: getattr(self, name) for name in type(self).model_fields}
        return tuple(
            name
            for name, level in levels.items()
            if isinstance(level, ErasureLevel) and level.value == "physical"
        )


class Operations(Marked):
    """Notice and patience. None of these shortens or lengthens a retention period."""

    due_soon_days: Days
    grace_days: Days
    review_by_days: Days
    plan_valid_days: Days
    sync_timeout_hours: Hours
    purge_rows_per_second: Rate
    pause_seconds: Seconds
    order_patience_days: Days
    compaction_patience_days: Days
    quiet_runs: Days
    housekeeping_patience_days: Days
    idle_active: PeriodText


class AgeBand(Part):
    """Days that records of an ordinary run have been overdue."""

    at_least: Annotated[int, Field(ge=0)]
    at_most: Annotated[int, Field(ge=0)]


class Unattended(Marked):
    """The blast radius inside which rules marked `unattended` may be purged without a person."""

    most_records: Annotated[int, Field(ge=0)]
    most_table_share_percent: Annotated[int, Field(ge=0, le=100)]
    overdue_days: AgeBand
    never_purge: tuple[Annotated[str, StringConstraints(pattern=r"^[^.\s]+\.[^.\s]+$")], ...] = ()


class Policy(Part):
    """A policy version. Made by `load_policy`; two files with the same meaning have one hash."""

    version: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    effective_from: date
    controller: Controller
    document: Document
    rules: tuple[Rule, ...]
    readings: Readings
    assignment_types: dict[Identifier, MarkedPeriod] = Field(min_length=1)
    accounting: Accounting
    supporting_periods: dict[Identifier, MarkedPeriod]
    consent_withdrawal: ConsentWithdrawal
    rights: Rights
    own_records: OwnRecords
    erasure: Erasure
    operations: Operations
    coverage: CoverageRules
    unattended: Unattended
    subject_kinds: tuple[SubjectKind, ...]
    data_categories: tuple[DataCategory, ...]
    purposes: tuple[Purpose, ...]
    recipients: tuple[Recipient, ...]
    defects: tuple[Defect, ...]

    _path: Path | None = PrivateAttr(default=None)

    @property
    def path(self) -> Path | None:
        """The file this version was read from; no part of its meaning, nor of its hash."""
        return self._path

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON (RFC 8785): comments and layout do not move it."""
        content = self.model_dump(mode="json", by_alias=True)
        return hashlib.sha256(rfc8785.dumps(content)).hexdigest()

    def rule(self, rule_id: str) -> Rule:
        """The rule `rule_id`. Raises KeyError for an id that is no rule."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)

    def foundations(self, rule_id: RuleId) -> tuple[Marked, ...]:
        """What a rule stands on: its period, its trigger, and the readings that bear on it.

        The table that a rule takes its periods from is not among them: each entry stands by itself.
        """
        rule = self.rule(rule_id)
        fiscal_year = (self.accounting,) if rule.period.from_ == "accounting_classes" else ()
        return (rule.period, rule.trigger, *fiscal_year, *self.readings.bearing_on(rule_id))

    def standing(self, rule_id: RuleId) -> tuple[Mark, ApprovalState]:
        """The mark and approval of a rule as a whole: those of its least approved foundation.

        R1's period is the text's own, but the day it runs from is a choice: records under R1 may go
        only when that choice is approved. A rule that is text throughout is ('text', 'none').
        """
        sentence = self.readings.broken_sentence
        if sentence and sentence.without_period == rule_id:
            # The reading in force finds no period in the text: what the file states is a proposal.
            return "choice", "none"
        in_doubt = [part for part in self.foundations(rule_id) if part.mark != "text"]
        if not in_doubt:
            return "text", "none"
        least = min(in_doubt, key=lambda part: APPROVAL_ORDER.index(part.approval_state))
        return least.mark, least.approval_state
