"""What the policy says and where it is unclear, as the report tells it.

Belongs here: choosing what a reader of the report needs of the policy file. Does not belong here:
the file's meaning (retention.policy), the list of classes of records (`concept`), and any looks.
"""

from __future__ import annotations

from typing import Any

from retention.policy import Policy, parse_period, rule_clause
from retention.policy.rules import Rule
from retention.policy.values import Marked, MarkedPeriod

_PERIODS_FROM = {
    "assignment_types": "by type of assignment",
    "accounting_classes": "by class of material",
    "followed_record": "as long as what it belongs to",
    "hindrance": "until the hindrance ends",
    "instruction": "by the partner's instruction",
    "none": "no clock runs",
}


def describe_policy(policy: Policy) -> dict[str, Any]:
    """The policy as plain data: its defects first, then rules, tables and readings."""
    operations = policy.operations
    return {
        "version": policy.version,
        "hash": policy.hash,
        "effective_from": policy.effective_from.isoformat(),
        "controller": policy.controller.name,
        "title": policy.document.title,
        "url": policy.document.url,
        "language": policy.document.language,
        "text_sha256": policy.document.text_sha256,
        "defects": [
            {
                "id": defect.id,
                "clause": defect.clause.label,
                "quote": defect.clause.quote,
                "notice": defect.notice,
            }
            for defect in policy.defects
        ],
        "rules": [describe_rule(policy, rule) for rule in policy.rules],
        "readings": _readings(policy),
        "assignment_types": [
            _period(name, kind) for name, kind in sorted(policy.assignment_types.items())
        ],
        "accounting_classes": [
            _period(name, kind) for name, kind in sorted(policy.accounting.classes.items())
        ],
        "supporting_periods": [
            _period(name, kind) for name, kind in sorted(policy.supporting_periods.items())
        ],
        "days": {
            "due_soon": operations.due_soon_days.value,
            "grace": operations.grace_days.value,
            "review_by": operations.review_by_days.value,
            "plan_valid": operations.plan_valid_days.value,
        },
    }


def describe_rule(policy: Policy, rule: Rule) -> dict[str, Any]:
    """One rule with its clause, its period in words, and who approved what it stands on."""
    clause = rule_clause(policy, rule.id)
    return {
        "id": rule.id,
        "category": rule.category,
        "clause": clause.clause,
        "quote": clause.quote,
        "summary": clause.summary,
        "period": clause.period or _PERIODS_FROM[rule.period.from_],
        "period_iso": rule.period.value,
        "period_from": rule.period.from_,
        "trigger": clause.trigger,
        "legal_basis": list(clause.legal_basis),
        "disposition": rule.disposition,
        "is_minimum": rule.is_minimum,
        "unattended": rule.unattended,
        "defect": clause.defect is not None,
        # What the rule stands on beside the text; it counts as its least approved part does.
        "mark": clause.mark,
        "approval": "text" if clause.mark == "text" else clause.approval,
        "approvals": [
            one for part in policy.foundations(rule.id) if (one := _approval(part)) is not None
        ],
    }


def _readings(policy: Policy) -> list[dict[str, Any]]:
    readings = policy.readings
    return [
        {
            "id": name,
            "question": reading.question,
            "answer": getattr(reading, "value", None),
            "reason": reading.reason,
            "source": reading.source,
            "applies_to": list(reading.applies_to),
            "approval": "text" if reading.mark == "text" else reading.approval_state,
            "decided_in": reading.decided_in,
        }
        for name in type(readings).model_fields
        for reading in (getattr(readings, name),)
    ]


def _period(name: str, kind: MarkedPeriod) -> dict[str, Any]:
    return {
        "id": name,
        "description": kind.description,
        "norwegian": kind.norwegian,
        "period": parse_period(kind.period).words,
        "period_iso": kind.period,
        "mark": kind.mark,
        "approval": "text" if kind.mark == "text" else kind.approval_state,
        "basis": kind.source or kind.reason,
    }


def _approval(part: Marked) -> dict[str, Any] | None:
    """Who approved a part that the text does not state; None where the text states it."""
    if part.mark == "text":
        return None
    approval = part.approval
    return {
        "mark": part.mark,
        "basis": part.source or part.reason,
        "state": part.approval_state,
        "by": approval.by if approval else None,
        "on": approval.on.isoformat() if approval and approval.on else None,
        "source": approval.source if approval else None,
    }
