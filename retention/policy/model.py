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

    name: Text = Field(description="its name")
    organisation_number: Text = Field(description="its number in the register")
    address: Text = Field(description="where it is")
    contact: Text = Field(description="whom a person writes to about privacy")


class Document(Part):
    """The published text that this file implements."""

    title: Text = Field(description="the text's title")
    url: Text = Field(description="where it is published")
    language: Literal["nb", "nn", "en"] = Field(
        description="the language that clauses are quoted in"
    )
    text_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="of the text as kept, in UTF-8: the file implements these very words"
    )


class Accounting(Marked):
    """How long accounting material is kept after the fiscal year, by class."""

    fiscal_year_end: Literal["12-31"] = Field(
        description="month and day on which a fiscal year ends"
    )
    classes: dict[Identifier, MarkedPeriod] = Field(
        min_length=1, description="its period, by class of document"
    )


class ConsentWithdrawal(Marked):
    """How long erasure may take where consent was the only basis; overrides every period."""

    most: PeriodText = Field(description="the longest that erasure may take")


class Traces(Part):
    """Days for which what the system leaves while it works is kept: runs and ticks of the orchestrator,
    logs, dbt's files, reports, schemas of replays, and what plans hold that nobody carries out."""

    runs: Days = Field(description="the orchestrator's runs, from their end")
    ticks: Days = Field(description="that a schedule or sensor looked")
    logs: Days = Field(description="logs of servers, of dbt and of steps; notices")
    builds: Days = Field(description="dbt's files of replays and controls")
    reports: Days = Field(description="reports of a day")
    replays: Days = Field(description="schemas of a classification as of a past day")
    plans: Days = Field(description="tokens that an ended plan held and did not touch")


class OwnRecords(Marked):
    """How long this system's plans, tombstones, suppressions and evidence stay."""

    kept_while: Text = Field(description="as long as what is meant to outlive a purge is needed")
    backup_horizon: PeriodText = Field(description="age of the oldest backup that may be restored")
    traces: Traces = Field(description="how long each kind of trace stays")


class ErasureLevel(Part):
    """How thoroughly purged records of one category go, with the reason for it."""

    value: Literal["logical", "physical"] = Field(
        description="gone from every query, or from every file"
    )
    reason: Text = Field(description="why that level")


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

    due_soon_days: Days = Field(description="how long before its due date a record is `due_soon`")
    grace_days: Days = Field(description="how long overdue before that is a finding")
    review_by_days: Days = Field(description="how long a review may take")
    plan_valid_days: Days = Field(description="how long a plan may wait before it expires")
    sync_timeout_hours: Hours = Field(description="after it a sync postpones no purge any more")
    purge_rows_per_second: Rate = Field(description="the most that the schedule deletes")
    pause_seconds: Seconds = Field(description="between two batches of the schedule")
    order_patience_days: Days = Field(description="how long a store may take to answer an order")
    compaction_patience_days: Days = Field(description="how long a table may wait for its rewrite")
    quiet_runs: Days = Field(description="a rule that matched nothing for so long is a finding")
    housekeeping_patience_days: Days = Field(
        description="how long our own traces may outstay their day"
    )
    idle_active: PeriodText = Field(description="an open assignment as quiet as this is flagged")


class AgeBand(Part):
    """Days that records of an ordinary run have been overdue."""

    at_least: Annotated[int, Field(ge=0)] = Field(description="fewer are left to a person")
    at_most: Annotated[int, Field(ge=0)] = Field(description="more are left to a person")


class Unattended(Marked):
    """The blast radius inside which rules marked `unattended` may be purged without a person."""

    most_records: Annotated[int, Field(ge=0)] = Field(description="records in one plan")
    most_table_share_percent: Annotated[int, Field(ge=0, le=100)] = Field(
        description="percent of a table's records"
    )
    overdue_days: AgeBand = Field(description="how long the records have been overdue")
    never_purge: tuple[Annotated[str, StringConstraints(pattern=r"^[^.\s]+\.[^.\s]+$")], ...] = (
        Field(default=(), description="SCHEMA.TABLE")
    )


class Policy(Part):
    """A policy version. Made by `load_policy`; two files with the same meaning have one hash."""

    version: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")] = Field(
        description="this version's name"
    )
    effective_from: date = Field(description="the first day (Europe/Oslo) on which it is applied")
    controller: Controller = Field(description="who answers for the processing")
    document: Document = Field(description="the published text")
    rules: tuple[Rule, ...] = Field(description="every retention rule, one entry each")
    readings: Readings = Field(description="answers to what the text leaves open")
    assignment_types: dict[Identifier, MarkedPeriod] = Field(
        min_length=1, description="R4: its period, by type of assignment"
    )
    accounting: Accounting = Field(description="R5: accounting material")
    supporting_periods: dict[Identifier, MarkedPeriod] = Field(
        description="shorter periods of supporting records"
    )
    consent_withdrawal: ConsentWithdrawal = Field(description="where consent was the only basis")
    rights: Rights = Field(description="how requests of persons are answered (§ 8, § 9)")
    own_records: OwnRecords = Field(description="this system's own records")
    erasure: Erasure = Field(description="how thoroughly each category is erased")
    operations: Operations = Field(description="notice and patience")
    coverage: CoverageRules = Field(description="what a finding of coverage leads to")
    unattended: Unattended = Field(description="what a job may purge without a person")
    subject_kinds: tuple[SubjectKind, ...] = Field(description="whom the policy is about")
    data_categories: tuple[DataCategory, ...] = Field(description="which personal data it names")
    purposes: tuple[Purpose, ...] = Field(description="what for")
    recipients: tuple[Recipient, ...] = Field(description="who receives the data (§ 5)")
    defects: tuple[Defect, ...] = Field(description="where the text is broken, unclear or silent")

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
