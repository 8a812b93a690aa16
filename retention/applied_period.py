"""How long a rule keeps a record, as it was applied.

Belongs here: the period of each kind of rule, where it comes from, and the day on which it ended before
it moved. Does not belong here: the rule's clause (applied_rule.py), and saying a period in a language
(phrase.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from retention.applied_rule import applied_policy
from retention.classified import Classification
from retention.language import N_
from retention.phrase import Code, Phrase, Sayable, Term, phrase
from retention.policy import Period, Policy
from retention.settings import Settings

Connection = psycopg.Connection[Any]

_INTERVAL = re.compile(r"(\d+) (year|mon|day)")


@dataclass(frozen=True)
class Kept:
    """How long a rule keeps a record, and the last day before it moved to a working day.

    `words` is None where no clock runs, `unmoved` where the rule's last day never moves.
    """

    words: Sayable | None = None
    unmoved: date | None = None


def period_of(
    conn: Connection,
    classification: Classification,
    settings: Settings,
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
        policy = applied_policy(classification, settings)
        return _assignment_period(conn, classification, policy, _parts(event) or record, anchor_on)
    if rule_id == "R5":
        policy = applied_policy(classification, settings)
        return _accounting_period(conn, classification, policy, record[:2], anchor_on)
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
    return Kept(_lasting(*row) if row else None)


def _assignment_period(
    conn: Connection,
    classification: Classification,
    policy: Policy | None,
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
        return Kept(
            phrase(
                N_("none is stated for assignments of type {kind}"),
                kind=assignment_type(policy, kind),
            )
        )
    return Kept(
        phrase(
            N_("{period}, for assignments of type {kind}"),
            period=_lasting(months, 0),
            kind=assignment_type(policy, kind),
        ),
        unmoved,
    )


def assignment_type(policy: Policy | None, kind: str) -> Term:
    """What the policy calls a type of assignment; its own name where the policy knows none."""
    known = policy.assignment_types.get(kind) if policy else None
    return Term(kind.replace("_", " "), known.norwegian if known else None)


def _accounting_period(
    conn: Connection,
    classification: Classification,
    policy: Policy | None,
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
    return Kept(
        phrase(
            N_("{period} after the end of the fiscal year, for {kind} material"),
            period=_lasting(months, 0),
            kind=Term(name, _norwegian(policy, name)),
        ),
        unmoved,
    )


def _norwegian(policy: Policy | None, accounting_class: str) -> str | None:
    known = policy.accounting.classes.get(accounting_class) if policy else None
    return known.norwegian if known else None


def _followed_period(
    conn: Connection, classification: Classification, record: tuple[str, str, str]
) -> Sayable | None:
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
    follows = (
        phrase(
            N_("as long as its person, who is under {rule} {category}"),
            rule=rule_id,
            category=Code("category", category) if category else "",
        )
        if rule_id
        else None
    )
    own = _lasting(months, days)
    if follows and own:
        return phrase(N_("{follows}, but at most {period}"), follows=follows, period=own)
    return follows or own


def _instruction(
    conn: Connection, classification: Classification, record: tuple[str, str, str]
) -> Phrase:
    row = conn.execute(
        "select instruction_id, instruction_period from ledger.record_facts(%s, %s, %s, %s)",
        (classification.suffix, *record),
    ).fetchone()
    if row is None or row[0] is None:
        return phrase(N_("the partner has recorded no instruction"))
    instruction, period = row
    if not period:
        return phrase(
            N_("no period, by the partner's instruction {instruction}"), instruction=instruction
        )
    return phrase(
        N_("{period}, by the partner's instruction {instruction}"),
        period=_as_period(period),
        instruction=instruction,
    )


def _parts(event: str | None) -> tuple[str, str, str] | None:
    """Schema, table and key of the record that an event names as 'schema.table:key'."""
    if event is None or ":" not in event:
        return None
    table, _, key = event.partition(":")
    schema, dot, name = table.partition(".")
    return (schema, name, key) if dot else None


def _as_period(interval: str) -> Period:
    """An interval as the database writes it: '1 year 6 mons 3 days'."""
    parts = {unit: int(number) for number, unit in _INTERVAL.findall(interval)}
    return Period(parts.get("year", 0) * 12 + parts.get("mon", 0), parts.get("day", 0))


def _lasting(months: int | None, days: int | None) -> Period | None:
    return Period(months or 0, days or 0) if months or days else None
