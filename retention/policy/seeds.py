"""The policy as CSV files for dbt: the only way a period, type or clause reaches SQL.

Belongs here: the columns of the seeds and how a value is written. Does not belong here: their types
and descriptions, which dbt reads from `seeds/_seeds.yml`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from retention.files import replace_text
from retention.policy.holidays import public_holidays
from retention.policy.model import Policy
from retention.policy.periods import Period, parse_period

Cell = str | int | bool | date | None
Rows = Sequence[Sequence[Cell]]

_NO_PERIOD = Period(0, 0)


def write_seeds(policy: Policy, directory: Path) -> None:
    """Write the seeds made from `policy` into `directory`.

    A file is replaced only when its content differs, so that dbt's partial parse stays warm.
    """
    for name, (header, rows) in SEEDS.items():
        replace_text(directory / f"{name}.csv", _csv(header, rows(policy)))


def _settings(policy: Policy) -> Rows:
    operations, sentence = policy.operations, policy.readings.broken_sentence
    backups = parse_period(policy.own_records.backup_horizon)
    return [
        (
            policy.version,
            policy.hash,
            policy.effective_from,
            operations.due_soon_days.value,
            operations.grace_days.value,
            operations.review_by_days.value,
            parse_period(operations.idle_active).months,
            sentence.value if sentence else "none",
            operations.plan_valid_days.value,
            operations.order_patience_days.value,
            backups.months,
            backups.days,
        )
    ]


def _rules(policy: Policy) -> Rows:
    rows: list[Sequence[Cell]] = []
    for rule in policy.rules:
        mark, approval = policy.standing(rule.id)
        period = parse_period(rule.period.value) if rule.period.value else None
        rows.append(
            (
                rule.id,
                rule.category,
                rule.clause.label,
                rule.clause.quote,
                period.months if period else None,
                period.days if period else None,
                rule.is_minimum,
                rule.disposition,
                mark,
                approval,
                rule.unattended,
            )
        )
    return rows


def _assignment_types(policy: Policy) -> Rows:
    clause = policy.rule("R4").clause.label
    return [
        (name, kind.length.months, kind.mark, kind.approval_state, kind.source, clause)
        for name, kind in sorted(policy.assignment_types.items())
    ]


def _accounting_classes(policy: Policy) -> Rows:
    return [
        (name, kind.length.months, kind.mark, kind.approval_state, kind.source)
        for name, kind in sorted(policy.accounting.classes.items())
    ]


def _supporting_periods(policy: Policy) -> Rows:
    return [
        (name, kind.length.months, kind.length.days, kind.mark, kind.approval_state)
        for name, kind in sorted(policy.supporting_periods.items())
    ]


def _unattended(policy: Policy) -> Rows:
    radius, approval = policy.unattended, policy.unattended.approval
    return [
        (
            radius.most_records,
            radius.most_table_share_percent,
            radius.overdue_days.at_least,
            radius.overdue_days.at_most,
            " ".join(radius.never_purge),
            radius.approval_state,
            approval.by if approval else None,
            approval.on if approval else None,
        )
    ]


def _consent_purposes(policy: Policy) -> Rows:
    withdrawal = policy.consent_withdrawal
    return [
        (
            purpose.id,
            purpose.on_withdrawal,
            purpose.clause.label,
            withdrawal.mark,
            withdrawal.approval_state,
        )
        for purpose in policy.purposes
        if purpose.consent_only
    ]


def _recipients(policy: Policy) -> Rows:
    return [
        (one.id, one.name, one.role, schema, one.notify)
        for one in policy.recipients
        for schema in one.schemas or (None,)
    ]


def _hindrances(policy: Policy) -> Rows:
    return [
        (one.rule, one.outcome, one.law, one.mark, one.approval_state)
        for one in policy.rights.hindrances
    ]


def _public_holidays(policy: Policy) -> Rows:
    return [(day,) for day in public_holidays()]


SEEDS: dict[str, tuple[tuple[str, ...], Callable[[Policy], Rows]]] = {
    "policy_settings": (
        (
            "policy_version",
            "policy_hash",
            "effective_from",
            "due_soon_days",
            "grace_days",
            "review_by_days",
            "idle_active_months",
            "lead_reading",
            "plan_valid_days",
            "order_patience_days",
            "backup_horizon_months",
            "backup_horizon_days",
        ),
        _settings,
    ),
    "policy_rules": (
        (
            "rule_id",
            "category",
            "clause",
            "clause_text",
            "period_months",
            "period_days",
            "is_minimum",
            "disposition",
            "mark",
            "approval",
            "unattended",
        ),
        _rules,
    ),
    "policy_assignment_types": (
        ("assignment_type", "period_months", "mark", "approval", "source", "clause"),
        _assignment_types,
    ),
    "policy_accounting_classes": (
        ("accounting_class", "period_months", "mark", "approval", "source"),
        _accounting_classes,
    ),
    "policy_supporting_periods": (
        ("period_key", "period_months", "period_days", "mark", "approval"),
        _supporting_periods,
    ),
    "policy_unattended": (
        (
            "most_records",
            "most_table_share_percent",
            "at_least_days",
            "at_most_days",
            "never_purge",
            "approval",
            "approved_by",
            "approved_on",
        ),
        _unattended,
    ),
    "policy_consent_purposes": (
        ("purpose", "on_withdrawal", "clause", "mark", "approval"),
        _consent_purposes,
    ),
    "policy_recipients": (
        ("recipient_id", "name", "role", "source_schema", "notify"),
        _recipients,
    ),
    "policy_hindrances": (("rule_id", "outcome", "law", "mark", "approval"), _hindrances),
    "public_holidays": (("holiday_on",), _public_holidays),
}


def _csv(header: Sequence[str], rows: Rows) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return text.getvalue()


def _cell(value: Cell) -> str:
    """A value as dbt reads it: an empty cell is null, and a boolean is a word."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
