"""Where the retention stands: how many records in which status, and what somebody must look at.

Belongs here: reading the last classification and the ledger in well under a second. Does not belong
here: what is a finding (findings.py), printing it, and changing anything.

Its JSON form is published: status.schema.json.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString

import psycopg

from retention import findings, halts, silence
from retention.classified import CATEGORIES, STATUSES, Classification, find_classification
from retention.declarations import load_declarations
from retention.due_notices import standing as due_notices
from retention.erasure import standing as erasure
from retention.findings import UNFINISHED, Finding, OpenPlan
from retention.housekeeping import standing as housekeeping
from retention.policy import in_force, load_versions
from retention.policy import standing as activation
from retention.rights import awaited
from retention.rights import standing as requests
from retention.rights.consent import standing as consent
from retention.rights.out_of_use import standing as out_of_use
from retention.settings import Settings

Connection = psycopg.Connection[Any]
Further = Callable[[Connection, Classification], "Iterable[Finding]"]

FORMAT = 1

# States of a plan that somebody is to do something about.
_OPEN = ("proposed", *UNFINISHED)


@dataclass(frozen=True)
class Count:
    """Records of one category in one status, with the earliest due date among them."""

    category: str | None
    status: str
    records: int
    oldest_due_on: date | None


@dataclass(frozen=True)
class Status:
    """The whole answer. Counts come in the order of categories, then of statuses."""

    database: str
    classification: Classification
    classified_at: str | None
    counts: tuple[Count, ...]
    beyond_grace: int
    past_review: int
    resurrections: int
    purged: int
    minimised: int
    evidence: int
    plans: tuple[OpenPlan, ...]
    halt: halts.Halt | None
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
            "resurrections": self.resurrections,
            "purged": self.purged,
            "minimised": self.minimised,
            "evidence": self.evidence,
            "open_plans": [vars(plan) for plan in self.plans],
            "halt": self.halt
            and {
                "halted_at": self.halt.halted_at.isoformat(),
                "halted_by": self.halt.halted_by,
                "reason": self.halt.reason,
            },
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
    declarations = load_declarations(settings.declarations_dir)
    policy = in_force(load_versions(settings.policy_dir), classification.as_of)
    plans = _open_plans(conn)
    overdue = findings.overdue_beyond_grace(conn, classification)
    queued = findings.past_review(conn, classification)
    halt = halts.in_force(conn)
    came_back = findings.resurrections(conn, classification)
    return Status(
        database=conn.info.dbname,
        classification=classification,
        classified_at=_classified_at(conn, classification),
        counts=_counts(conn, classification),
        beyond_grace=sum(one.records or 0 for one in overdue),
        past_review=sum(one.records or 0 for one in queued),
        resurrections=sum(one.records or 0 for one in came_back),
        purged=_rows_of(conn, "select count(*) from ledger.tombstones"),
        minimised=_rows_of(conn, "select count(*) from ledger.column_tombstones"),
        evidence=_rows_of(conn, "select count(*) from ledger.entries"),
        plans=plans,
        halt=halt,
        findings=(
            *findings.halted(halt),
            *(() if classification.suffix else findings.stale(conn, classification)),
            *(() if classification.suffix else activation.findings(conn)),
            *findings.controlled(conn),
            *overdue,
            *findings.minimisation_beyond_grace(conn, classification),
            *queued,
            *findings.holds_past_their_day(conn),
            *came_back,
            *findings.unfinished(plans),
            *findings.syncs_not_ended(conn, policy),
            *(() if classification.suffix else findings.unacknowledged(conn)),
            *(() if classification.suffix else awaited.findings(conn, policy)),
            *(() if classification.suffix else erasure.findings(conn, policy)),
            *(() if classification.suffix else requests.findings(conn, declarations, policy)),
            *(() if classification.suffix else consent.findings(conn, policy)),
            *silence.findings(conn, classification, policy),
            *findings.unexported(conn),
            *(() if classification.suffix else due_notices.findings(conn, declarations)),
            *(() if classification.suffix else housekeeping.findings(conn, settings, policy)),
            *findings.logged_values(conn),
            *findings.drifted(conn, settings, declarations, policy, classification.as_of),
            *findings.untraceable(conn, settings, declarations),
            *(() if classification.suffix else out_of_use.findings(conn, settings, declarations)),
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
