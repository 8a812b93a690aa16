"""Where the retention stands: how many records in which status, and what somebody must look at.

Belongs here: reading the last classification, plans and catalogue in well under a second, and
saying what is a finding. Does not belong here: printing it, and changing anything.

Its JSON form is published: status.schema.json.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString

import psycopg

from retention import catalog
from retention.classified import CATEGORIES, STATUSES, Classification, find_classification
from retention.declarations import load_declarations
from retention.settings import Settings

Connection = psycopg.Connection[Any]
Further = Callable[[Connection, Classification], "Iterable[Finding]"]

FORMAT = 1

# A daily job leaves yesterday's classification until it runs; older than that, it did not run.
_FRESH_DAYS = 1

# States of a plan in which somebody began what nobody finished. A proposed plan waits for its
# approver, which is no fault; what it holds becomes one when its records pass the days of grace.
_UNFINISHED = ("approved", "executing")
_OPEN = ("proposed", *_UNFINISHED)


@dataclass(frozen=True)
class Count:
    """Records of one category in one status, with the earliest due date among them."""

    category: str | None
    status: str
    records: int
    oldest_due_on: date | None


@dataclass(frozen=True)
class OpenPlan:
    """A plan that is proposed, approved or being carried out."""

    plan_id: str
    state: str
    as_of: date
    expires_on: date
    items: int


@dataclass(frozen=True)
class Finding:
    """Something that somebody must look at; `records` is None where it is not about records."""

    kind: str
    message: str
    table: str | None = None
    rule_id: str | None = None
    records: int | None = None


@dataclass(frozen=True)
class Status:
    """The whole answer. Counts come in the order of categories, then of statuses."""

    database: str
    classification: Classification
    classified_at: str | None
    counts: tuple[Count, ...]
    beyond_grace: int
    past_review: int
    purged: int
    evidence: int
    plans: tuple[OpenPlan, ...]
    findings: tuple[Finding, ...]

    @property
    def records(self) -> int:
        return sum(count.records for count in self.counts)

    def of_status(self, status: str) -> int:
        """Records in `status`."""
        return sum(count.records for count in self.counts if count.status == status)

    def as_dict(self) -> dict[str, Any]:
        """The status as its published schema has it."""
        return {
            "format": FORMAT,
            "database": self.database,
            "as_of": self.classification.as_of,
            "classified_at": self.classified_at,
            "policy": {
                "version": self.classification.policy_version,
                "hash": self.classification.policy_hash,
            },
            "records": {
                "total": self.records,
                "by_status": {status: self.of_status(status) for status in STATUSES},
                "by_category": [vars(count) for count in self.counts],
            },
            "overdue": {
                "records": self.of_status("overdue"),
                "beyond_grace": self.beyond_grace,
                "grace_days": self.classification.grace_days,
            },
            "review": {
                "records": self.of_status("review"),
                "past_deadline": self.past_review,
                "review_by_days": self.classification.review_by_days,
            },
            "purged": self.purged,
            "evidence": self.evidence,
            "open_plans": [vars(plan) for plan in self.plans],
            "findings": [vars(finding) for finding in self.findings],
            "ok": not self.findings,
        }


def read_status(
    conn: Connection, settings: Settings, further: Further, as_of: date | None = None
) -> Status:
    """Read the status of the classification in force, or of a replay as of a day in the past.

    `further` adds what other layers find. Raises UsageError when nothing is classified as of that
    day, or a declaration does not hold.
    """
    classification = find_classification(conn, as_of)
    plans = _open_plans(conn)
    overdue = _overdue_beyond_grace(conn, classification)
    queued = _past_review(conn, classification)
    return Status(
        database=conn.info.dbname,
        classification=classification,
        classified_at=_classified_at(conn, classification),
        counts=_counts(conn, classification),
        beyond_grace=sum(one.records or 0 for one in overdue),
        past_review=sum(one.records or 0 for one in queued),
        purged=_rows_of(conn, "select count(*) from ledger.tombstones"),
        evidence=_rows_of(conn, "select count(*) from ledger.entries"),
        plans=plans,
        findings=(
            *(() if classification.suffix else _stale(conn, classification)),
            *overdue,
            *queued,
            *_unfinished(plans),
            *_drifted(conn, settings),
            *further(conn, classification),
        ),
    )


def _counts(conn: Connection, classification: Classification) -> tuple[Count, ...]:
    rows = conn.execute(
        classification.query(
            "select category, status, sum(records)::bigint, min(oldest_due_on) from {summary}"
            " group by category, status"
        )
    ).fetchall()
    counts = [Count(*row) for row in rows]
    return tuple(sorted(counts, key=_order))


def _order(count: Count) -> tuple[int, int]:
    known = count.category in CATEGORIES
    return (
        CATEGORIES.index(count.category) if known and count.category else len(CATEGORIES),
        STATUSES.index(count.status),
    )


def _classified_at(conn: Connection, classification: Classification) -> str | None:
    row = conn.execute(
        "select to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        " from ledger.classifications where as_of = %s and finished_at is not null"
        " order by classification_id desc limit 1",
        (classification.as_of,),
    ).fetchone()
    return row[0] if row else None


def _overdue_beyond_grace(conn: Connection, classification: Classification) -> list[Finding]:
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


def _past_review(conn: Connection, classification: Classification) -> list[Finding]:
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


def _rows_of(conn: Connection, query: LiteralString) -> int:
    row = conn.execute(query).fetchone()
    return int(row[0]) if row else 0


def _open_plans(conn: Connection) -> tuple[OpenPlan, ...]:
    rows = conn.execute(
        "select plan_id::text, state, as_of, expires_on, items from ledger.plans"
        " where state = any(%s) order by planned_at desc, plan_id",
        (list(_OPEN),),
    ).fetchall()
    return tuple(OpenPlan(*row) for row in rows)


def _unfinished(plans: tuple[OpenPlan, ...]) -> Iterator[Finding]:
    for plan in plans:
        if plan.state in _UNFINISHED:
            yield Finding(
                "unfinished_plan",
                f"plan {plan.plan_id} is {plan.state} and not carried out:"
                f" `retention purge {plan.plan_id}` until {plan.expires_on}",
                records=plan.items,
            )


def _stale(conn: Connection, classification: Classification) -> Iterator[Finding]:
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


def _drifted(conn: Connection, settings: Settings) -> Iterator[Finding]:
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
    }
    for finding in compared.findings:
        table = f"{finding.schema}.{finding.table}"
        if finding.kind in kinds:
            what = f"{table}.{finding.column}" if finding.column else table
            yield Finding(finding.kind.value, f"{what} {kinds[finding.kind]}", table=table)
