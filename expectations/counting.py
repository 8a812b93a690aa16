"""What the checks count, in SQL of our own: one statement a check.

Belongs here: failing records per table and rule, and the earliest date among them. Does not belong
here: verdicts; Great Expectations gives those, and each of its metrics is a transaction of its own, so
that its numbers may stem from different moments.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from expectations.catalogue import Check
from expectations.results import Count, Tally
from retention.coverage import LANDING_STATES, Coverage, count

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Mart:
    """How a mart counts: expressions over its columns, constants of this module."""

    records: str
    failing: str
    rule: str = "null::text"
    oldest: str = "null::date"
    detail: str | None = None
    is_view: bool = False


MARTS: dict[str, Mart] = {
    "record_checks": Mart("records", "records", rule="rule_id", oldest="oldest_due_on"),
    "population_checks": Mart(
        "landing_rows",
        # At least one: a table out of balance is never nothing.
        "greatest(abs(landing_rows - records), abs(records - records_by_status), 1)",
        detail="landed_since",
    ),
    "plan_checks": Mart("records", "records", rule="rule_id", detail="blocked_since", is_view=True),
    "review_queue": Mart("1", "1", oldest="review_by"),
}


def tally(conn: Connection, schema: str, check: Check, as_of: date) -> Tally | None:
    """Count what `check` is about; None where its mart or column is not there, or was built for
    another day than the records: nobody knows then.

    The connection must be in autocommit mode, so that a failed statement leaves nothing behind.
    """
    mart = MARTS[check.mart]
    built_for = "null::date" if mart.is_view else "as_of"
    statement = sql.SQL(
        "select source_schema || '.' || source_table, {rule}, sum({records})::bigint,"
        " coalesce(sum({failing}) filter (where {column} is not true), 0)::bigint,"
        " min({oldest}) filter (where {column} is not true), coalesce(sum({detail}), 0)::bigint,"
        " coalesce(bool_and({built_for} = %s), true)"
        " from {mart} group by 1, 2 order by 1, 2"
    ).format(
        rule=sql.SQL(mart.rule),
        records=sql.SQL(mart.records),
        failing=sql.SQL(mart.failing),
        oldest=sql.SQL(mart.oldest),
        detail=sql.SQL(mart.detail or "0"),
        built_for=sql.SQL(built_for),
        column=sql.Identifier(check.column),
        mart=sql.Identifier(schema, check.mart),
    )
    try:
        rows = conn.execute(statement, (as_of,)).fetchall()
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.InvalidSchemaName,
        psycopg.errors.DatatypeMismatch,
    ):
        return None
    if not all(row[6] for row in rows):
        return None
    dates = [row[4] for row in rows if row[4] is not None]
    return Tally(
        evaluated=sum(row[2] for row in rows),
        failing=sum(row[3] for row in rows),
        counts=tuple(Count(row[0], row[1], row[3]) for row in rows if row[3]),
        oldest_on=min(dates, default=None),
        details={mart.detail: sum(row[5] for row in rows)} if mart.detail else {},
    )


def tally_of(coverage: Coverage) -> Tally:
    """Count the differences between declarations and catalogue: findings per table, by kind and severity,
    and the columns of landing tables by state."""
    findings = coverage.findings
    states = count(coverage.landing)
    return Tally(
        evaluated=len(coverage.landing),
        failing=len(findings),
        counts=tuple(
            Count(table, None, number)
            for table, number in sorted(Counter(f.qualified for f in findings).items())
        ),
        details={
            **dict(sorted(Counter(finding.kind.value for finding in findings).items())),
            **dict(sorted(Counter(str(finding.severity) for finding in findings).items())),
            "set_aside": len(coverage.set_aside),
            "withheld": len(coverage.withheld),
            **{f"tables_{state}": states.tables[state] for state in LANDING_STATES},
            **{f"columns_{state}": states.columns[state] for state in LANDING_STATES},
        },
    )
