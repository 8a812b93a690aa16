"""The rule behind a record as it was applied: its clause, its period in words, why others lost.

Belongs here: what a reader must know of a rule beside the record's own dates. Does not belong here:
finding the record (explain.py) and the policy file's own words (retention.policy).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import psycopg
from psycopg.rows import dict_row

from retention.classified import Classification
from retention.policy import Period, Policy, RuleClause, load_versions, rule_clause
from retention.settings import Settings

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Kept:
    """How long a rule keeps a record, in words, and the last day before it moved to a working day.

    `words` is None where no clock runs, `unmoved` where the rule's last day never moves.
    """

    words: str | None = None
    unmoved: date | None = None


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
) -> tuple[RuleClause, str | None]:
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
    return clause, (
        f"the policy file has changed since: shown is what {classification.policy_version} said"
    )


def period_of(
    conn: Connection,
    classification: Classification,
    *,
    rule_id: str | None,
    record: tuple[str, str, str],
    event: str | None,
    anchor_on: date | None,
) -> Kept:
    """How long the rule keeps this record.

    `record` is schema, table and key; `event` the record that bears the anchor.
    """
    if rule_id == "R4":
        # The period is that of the assignment the event belongs to.
        return _assignment_period(conn, classification, _parts(event) or record, anchor_on)
    if rule_id == "R5":
        return _accounting_period(conn, classification, record[:2], anchor_on)
    if rule_id == "SUPPORTING":
        return Kept(_followed_period(conn, classification, record))
    if rule_id == "PROCESSOR":
        return Kept(_instruction(conn, classification, record))
    row = conn.execute(
        classification.query(
            "select period_months, period_days from {policy_rules} where rule_id = %s"
        ),
        (rule_id,),
    ).fetchone()
    return Kept(_words(*row) if row else None)


def why_lost(ground: Dated, winner: Dated) -> str:
    """Why `ground` does not decide its columns, in the order in which grounds are compared."""
    if winner.rule_id == "ACTIVE" and ground.rule_id != "ACTIVE":
        return "no clock runs while an assignment is open"
    if winner.needs_review and not ground.needs_review:
        return "a person must decide first"
    if ground.due_on is None or (winner.due_on is not None and ground.due_on < winner.due_on):
        return "it ends earlier"
    return f"it ends on the same day as {winner.rule_id}, which is named first"


def _assignment_period(
    conn: Connection,
    classification: Classification,
    record: tuple[str, str, str],
    anchor_on: date | None,
) -> Kept:
    row = conn.execute(
        classification.query(
            "select facts.assignment_type, types.period_months,"
            " sletteplikt.last_day(%s, types.period_months, 0)"
            " from ledger.record_facts(%s, %s, %s, %s) as facts"
            " left join {policy_assignment_types} as types"
            " on types.assignment_type = facts.assignment_type where facts.has_assignment"
        ),
        (anchor_on, classification.suffix, *record),
    ).fetchone()
    if row is None:
        return Kept()
    kind, months, unmoved = row
    if months is None:
        return Kept(f"none is stated for assignments of type {kind}")
    return Kept(f"{_words(months, 0)}, for assignments of type {kind}", unmoved)


def _accounting_period(
    conn: Connection,
    classification: Classification,
    table: tuple[str, str],
    document_on: date | None,
) -> Kept:
    row = conn.execute(
        classification.query(
            "select classes.accounting_class, classes.period_months, sletteplikt.last_day("
            " make_date(extract(year from %s::date)::int, 12, 31), classes.period_months, 0)"
            " from {declared_tables} as declared"
            " join {policy_accounting_classes} as classes"
            " on classes.accounting_class = declared.accounting_class"
            " where declared.source_schema = %s and declared.source_table = %s"
        ),
        (document_on, *table),
    ).fetchone()
    if row is None:
        return Kept()
    name, months, unmoved = row
    words = f"{_words(months, 0)} after the end of the fiscal year, for {name} material"
    return Kept(words, unmoved)


def _followed_period(
    conn: Connection, classification: Classification, record: tuple[str, str, str]
) -> str | None:
    row = conn.execute(
        classification.query(
            "select facts.person_rule_id, rules.category, periods.period_months, periods.period_days"
            " from ledger.record_facts(%s, %s, %s, %s) as facts"
            " left join {policy_rules} as rules on rules.rule_id = facts.person_rule_id"
            " left join {declared_tables} as declared"
            " on declared.source_schema = %s and declared.source_table = %s"
            " left join {policy_supporting_periods} as periods"
            " on periods.period_key = declared.period_key"
        ),
        (classification.suffix, *record, *record[:2]),
    ).fetchone()
    if row is None:
        return None
    rule_id, category, months, days = row
    follows = f"as long as its person, who is under {rule_id} {category}" if rule_id else None
    own = _words(months, days)
    if follows and own:
        return f"{follows}, but at most {own}"
    return follows or own


def _instruction(
    conn: Connection, classification: Classification, record: tuple[str, str, str]
) -> str | None:
    row = conn.execute(
        "select instruction_id, instruction_period from ledger.record_facts(%s, %s, %s, %s)",
        (classification.suffix, *record),
    ).fetchone()
    if row is None or row[0] is None:
        return "the partner has recorded no instruction"
    return f"{row[1] or 'no period'}, by the partner's instruction {row[0]}"


def _parts(event: str | None) -> tuple[str, str, str] | None:
    """Schema, table and key of the record that an event names as 'schema.table:key'."""
    if event is None or ":" not in event:
        return None
    table, _, key = event.partition(":")
    schema, dot, name = table.partition(".")
    return (schema, name, key) if dot else None


def _words(months: int | None, days: int | None) -> str | None:
    return Period(months or 0, days or 0).words or None
