"""What somebody must look at, each as one line: late records, unfinished work, drifted tables.

Belongs here: what is a finding of the classification, the plans and the catalogue. Does not belong
here: counting the population (status.py) and the checks, which other layers add.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from retention import catalog
from retention.classified import Classification
from retention.declarations import load_declarations
from retention.settings import Settings

Connection = psycopg.Connection[Any]

# A daily job leaves yesterday's classification until it runs; older than that, it did not run.
_FRESH_DAYS = 1

# Somebody began what nobody finished. A proposed plan waits for its approver, which is no fault; what
# it holds becomes one when its records pass the days of grace.
UNFINISHED = ("approved", "executing")


@dataclass(frozen=True)
class Finding:
    """Something that somebody must look at; `records` is None where it is not about records."""

    kind: str
    message: str
    table: str | None = None
    rule_id: str | None = None
    records: int | None = None


@dataclass(frozen=True)
class OpenPlan:
    """A plan that is proposed, approved or being carried out."""

    plan_id: str
    state: str
    as_of: date
    expires_on: date
    items: int


def overdue_beyond_grace(conn: Connection, classification: Classification) -> list[Finding]:
    """A finding per table and rule whose records are overdue for more than the days of grace."""
    rows = conn.execute(
        classification.query(
            "select source_schema || '.' || source_table, rule_id, count(*), min(due_on)"
            " from {records} where status = 'overdue' and due_on < %s::date - %s::int"
            " group by 1, 2 order by 1, 2"
        ),
        (classification.as_of, classification.grace_days),
    ).fetchall()
    return [
        Finding(
            "overdue_beyond_grace",
            f"{table}: {records} overdue under {rule_id} for more than"
            f" {classification.grace_days} days, the oldest since {oldest}",
            table=table,
            rule_id=rule_id,
            records=records,
        )
        for table, rule_id, records, oldest in rows
    ]


def minimisation_beyond_grace(conn: Connection, classification: Classification) -> list[Finding]:
    """A finding per table of whose kept rows columns are due for more than the days of grace.

    Read from what the checks counted; where that is not there, the checks are a finding themselves."""
    counted = conn.execute(
        "select exists (select from pg_catalog.pg_attribute where attrelid = to_regclass(%s)"
        " and attname = 'has_no_due_columns' and not attisdropped)",
        (f"retention{classification.suffix}.record_checks",),
    ).fetchone()
    if counted is None or not counted[0]:
        return []
    rows = conn.execute(
        classification.query(
            "select source_schema || '.' || source_table, sum(records)::bigint, min(oldest_due_on)"
            " from {record_checks} where not has_no_due_columns and oldest_due_on < %s::date - %s::int"
            " group by 1 order by 1"
        ),
        (classification.as_of, classification.grace_days),
    ).fetchall()
    return [
        Finding(
            "minimisation_beyond_grace",
            f"{table}: {records} rows that accounting alone keeps hold columns that are due, the oldest"
            f" since {oldest}: they are minimised with the next plan",
            table=table,
            records=records,
        )
        for table, records, oldest in rows
    ]


def past_review(conn: Connection, classification: Classification) -> list[Finding]:
    """A finding per table with records that waited for a person beyond the policy's days."""
    rows = conn.execute(
        classification.query(
            "select source_schema || '.' || source_table, count(*), min(review_by)"
            " from {review_queue} where not is_in_time group by 1 order by 1"
        )
    ).fetchall()
    return [
        Finding(
            "review_past_deadline",
            f"{table}: {records} under review past the deadline, the oldest since {oldest}",
            table=table,
            records=records,
        )
        for table, records, oldest in rows
    ]


def unfinished(plans: tuple[OpenPlan, ...]) -> Iterator[Finding]:
    """A finding per plan that was approved, or begun, and is not carried out."""
    for plan in plans:
        if plan.state in UNFINISHED:
            yield Finding(
                "unfinished_plan",
                f"plan {plan.plan_id} is {plan.state} and not carried out:"
                f" `retention purge {plan.plan_id}` until {plan.expires_on}",
                records=plan.items,
            )


def stale(conn: Connection, classification: Classification) -> Iterator[Finding]:
    """The last classification did not finish, or nobody has classified for days."""
    row = conn.execute(
        "select as_of from ledger.classifications where finished_at is null"
        " and classification_id = (select max(classification_id) from ledger.classifications)"
    ).fetchone()
    if row is not None:
        yield Finding(
            "classification_unfinished",
            f"the classification as of {row[0]} has not finished: wait for it, or run"
            " `retention run` again",
        )
    age = conn.execute("select ledger.today() - %s::date", (classification.as_of,)).fetchone()
    days = age[0] if age else 0
    if days > _FRESH_DAYS:
        yield Finding(
            "classification_stale",
            f"the last classification is of {classification.as_of}, {days} days ago:"
            " run `retention run`, or see why the schedule did not",
        )


def drifted(conn: Connection, settings: Settings) -> Iterator[Finding]:
    """What the catalogue and the declarations disagree on; tables set aside come first."""
    compared = catalog.compare(conn, load_declarations(settings.declarations_dir))
    for table in compared.set_aside:
        yield Finding(
            "table_set_aside",
            f"{table} is set aside: it is not as declared, and nothing of it is classified",
            table=table,
        )
    kinds = {
        catalog.FindingKind.UNDECLARED_TABLE: "is neither declared nor exempt",
        catalog.FindingKind.UNDECLARED_COLUMN: "is neither declared nor harmless",
        catalog.FindingKind.MISSING_COLUMN: "is declared and missing",
        catalog.FindingKind.COLUMN_NOT_NULLABLE: (
            "is declared `not_required_by: [accounting]` but cannot become null: nothing of its table is"
            " minimised"
        ),
    }
    for finding in compared.findings:
        table = f"{finding.schema}.{finding.table}"
        if finding.kind in kinds:
            what = f"{table}.{finding.column}" if finding.column else table
            yield Finding(finding.kind.value, f"{what} {kinds[finding.kind]}", table=table)
