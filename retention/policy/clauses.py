"""The clause behind each rule, in the policy's own words and in English, for `explain` and reports.

Belongs here: what a person is shown of a rule. Does not belong here: printing it.
"""

from dataclasses import dataclass

from retention.policy.model import Policy
from retention.policy.periods import parse_period
from retention.policy.values import ApprovalState, Mark


@dataclass(frozen=True)
class RuleClause:
    """One rule for a reader. `defect` is a notice where the clause itself is broken."""

    rule_id: str
    clause: str
    quote: str
    summary: str
    period: str | None
    trigger: str
    mark: Mark
    approval: ApprovalState
    legal_basis: tuple[str, ...]
    reasons: tuple[str, ...]
    defect: str | None


def rule_clauses(policy: Policy) -> dict[str, RuleClause]:
    """Every rule of `policy` by its id, with its clause and the reasons of what was chosen."""
    return {rule.id: rule_clause(policy, rule.id) for rule in policy.rules}


def rule_clause(policy: Policy, rule_id: str) -> RuleClause:
    """One rule of `policy` for a reader. Raises KeyError for an id that is no rule."""
    rule = policy.rule(rule_id)
    mark, approval = policy.standing(rule.id)
    parts = policy.foundations(rule.id)
    return RuleClause(
        rule_id=rule.id,
        clause=rule.clause.label,
        quote=rule.clause.quote,
        summary=rule.summary,
        period=parse_period(rule.period.value).words if rule.period.value else None,
        trigger=rule.trigger.description,
        mark=mark,
        approval=approval,
        legal_basis=rule.legal_basis,
        reasons=tuple(text for part in parts for text in (part.reason, part.source) if text),
        defect=_defect(policy, rule_id),
    )


def _defect(policy: Policy, rule_id: str) -> str | None:
    reading = policy.readings.broken_sentence
    if reading is None or rule_id not in reading.applies_to:
        return None
    return next(defect.notice for defect in policy.defects if defect.id == reading.defect)
