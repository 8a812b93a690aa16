"""Zero is a finding: what says nothing may mean that nothing was seen (promise 5).

Belongs here: a rule that matched nothing, and nights on which nothing was due. Does not belong here: the
control persons, who show that the way itself works (`controls`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from retention.classified import CATEGORIES, Classification
from retention.findings import Finding
from retention.policy import Policy

Connection = psycopg.Connection[Any]


def findings(conn: Connection, classification: Classification, policy: Policy) -> Iterator[Finding]:
    """A finding per rule whose end is a purge and under which no record stands, and one where the plans
    of the policy's number of nights were all empty."""
    yield from _rules_without_records(conn, classification)
    if not classification.suffix:
        yield from _quiet_nights(conn, policy.operations.quiet_runs.value)


def _rules_without_records(conn: Connection, classification: Classification) -> Iterator[Finding]:
    rows = conn.execute(
        classification.query(
            "select rule_id, category from {policy_rules} as rules"
            " where disposition = 'purge' and category = any(%s) and not exists ("
            " select from {summary} as summary"
            " where summary.category = rules.category and summary.records > 0)"
            " order by rule_id"
        ),
        # A lock (R6) is a status on top of a category: that nobody is locked says nothing.
        (list(CATEGORIES),),
    ).fetchall()
    for rule_id, category in rows:
        yield Finding(
            "rule_matched_nothing",
            f"no record stands under {rule_id} ({category}): see that its tables are declared and landed",
            rule_id=rule_id,
        )


def _quiet_nights(conn: Connection, nights: int) -> Iterator[Finding]:
    """Plans of different days: planning twice a day says nothing more."""
    row = conn.execute(
        """
        select count(*), count(*) filter (where is_empty)
        from (
            select as_of, bool_and(state = 'empty') as is_empty
            from ledger.plans group by as_of order by as_of desc limit %s
        ) as latest
        """,
        (nights,),
    ).fetchone()
    assert row is not None
    days, empty = row
    if days == nights == empty:
        yield Finding(
            "nothing_planned",
            f"nothing was due in the last {nights} nights that planned: see that the loads go on and that"
            " deadlines move",
        )
