"""The rule behind a record as it was applied: its clause, and why others lost.

Belongs here: what a reader must know of a rule beside the record's own dates. Does not belong here: how
long it keeps the record (applied_period.py), finding the record (explain.py) and the policy file's own
words (retention.policy).
"""

from __future__ import annotations

from datetime import date
from typing import Any, Protocol

import psycopg
from psycopg.rows import dict_row

from retention.classified import Classification
from retention.language import N_
from retention.phrase import Phrase, phrase
from retention.policy import Policy, RuleClause, load_versions, rule_clause
from retention.settings import Settings

Connection = psycopg.Connection[Any]


class Dated(Protocol):
    """What losing is decided by."""

    @property
    def rule_id(self) -> str: ...
    @property
    def due_on(self) -> date | None: ...
    @property
    def needs_review(self) -> bool: ...


def applied_policy(classification: Classification, settings: Settings) -> Policy | None:
    """The policy file that the classification applied; None where no file has its hash any more."""
    for policy in load_versions(settings.policy_dir):
        if policy.hash == classification.policy_hash:
            return policy
    return None


def clause_of(
    conn: Connection, classification: Classification, settings: Settings, rule_id: str
) -> tuple[RuleClause, Phrase | None]:
    """The clause of `rule_id`, and a note where it does not come from the policy file."""
    policy = applied_policy(classification, settings)
    if policy is not None:
        return rule_clause(policy, rule_id), None
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            classification.query(
                "select clause, clause_text, mark, approval from {policy_rules} where rule_id = %s"
            ),
            (rule_id,),
        ).fetchone()
    seed = row or {"clause": "", "clause_text": "", "mark": "choice", "approval": "none"}
    clause = RuleClause(
        rule_id=rule_id,
        clause=seed["clause"],
        quote=seed["clause_text"],
        summary="",
        period=None,
        trigger="",
        mark=seed["mark"],
        approval=seed["approval"],
        legal_basis=(),
        reasons=(),
        defect=None,
    )
    return clause, phrase(
        N_("the policy file has changed since: shown is what {version} said"),
        version=classification.policy_version,
    )


def why_lost(ground: Dated, winner: Dated) -> Phrase:
    """Why `ground` does not decide its columns, in the order in which grounds are compared."""
    if winner.rule_id == "ACTIVE" and ground.rule_id != "ACTIVE":
        return phrase(N_("no clock runs while an assignment is open"))
    if winner.needs_review and not ground.needs_review:
        return phrase(N_("a person must decide first"))
    if ground.due_on is None or (winner.due_on is not None and ground.due_on < winner.due_on):
        return phrase(N_("it ends earlier"))
    return phrase(
        N_("it ends on the same day as {rule}, which is named first"), rule=winner.rule_id
    )
