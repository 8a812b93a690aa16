"""What somebody must look at, each as one line: late records, unfinished work, silent stores, drifted
tables.

Belongs here: what is a finding of the classification, the plans and the catalogue. Does not belong
here: counting the population (status.py) and the checks, which other layers add.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from retention import halts, syncs
from retention.classified import Classification
from retention.controls import standing as controls
from retention.coverage import FindingKind
from retention.coverage.examine import examine
from retention.coverage.words import next_steps, said
from retention.declarations import Declarations
from retention.errors import Refused
from retention.lineage import find_lineage
from retention.policy import Policy
from retention.settings import Settings
from retention.warehouse.logged_values import remedy, settings_that_log_values

Connection = psycopg.Connection[Any]

# A daily job leaves yesterday's classification until it runs; older than that, it did not run.
_FRESH_DAYS = 1

# Of a missing table it is said that it is set aside; of a copy, by `untraceable`, what it blocks.
_SAID_OTHERWISE = (FindingKind.MISSING_TABLE, FindingKind.COPY_UNTRACEABLE)

# Somebody began what nobody finished. A proposed plan waits for its approver, which is no fault; what
# it holds becomes one when its records pass the days of grace.
UNFINISHED = ("approved", "executing")

# Why a table cannot be read as declared.
_UNREADABLE = (FindingKind.MISSING_TABLE, FindingKind.MISSING_COLUMN, FindingKind.TYPE_CHANGED)

_COVERS = {
    "subject": "a person",
    "assignment": "an assignment",
    "record": "a record",
    "table": "a table",
}


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


def holds_past_their_day(conn: Connection) -> list[Finding]:
    """A finding per hold or restriction that stands beyond the day expected for it. It never lapses by
    itself; somebody confirms or releases it."""
    rows = conn.execute(
        "select blocker_id, kind, scope, until_on from ledger.blockers_shown"
        " where released_at is null and kind <> 'lock' and until_on < ledger.today()"
        " order by until_on, blocker_id"
    ).fetchall()
    return [
        Finding(
            "hold_past_its_day",
            f"{kind} {blocker_id} on {_COVERS[scope]} is past its day ({until_on}) and stands on:"
            f" confirm it (`retention hold confirm {blocker_id} --until DATE --reason …`) or release it",
        )
        for blocker_id, kind, scope, until_on in rows
    ]


def resurrections(conn: Connection, classification: Classification) -> list[Finding]:
    """A finding per table with rows that were purged and landed again."""
    rows = conn.execute(
        classification.query(
            "select source_schema || '.' || source_table, count(*), max(purged_on)"
            " from {int_returns_judged} where verdict = 'resurrection' group by 1 order by 1"
        )
    ).fetchall()
    return [
        Finding(
            "resurrection",
            f"{table}: {records} purged before and landed again, the last of them purged on"
            f" {purged_on}; they are planned again",
            table=table,
            records=records,
        )
        for table, records, purged_on in rows
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


def unacknowledged(conn: Connection) -> list[Finding]:
    """A finding per store that was ordered to delete and has not answered within the policy's days."""
    rows = conn.execute(
        "select orders.store, count(*), min((orders.ordered_at at time zone 'Europe/Oslo')::date),"
        " settings.order_patience_days"
        " from ledger.deletion_orders_shown as orders cross join policy.policy_settings as settings"
        " where orders.state = 'open' and (orders.ordered_at at time zone 'Europe/Oslo')::date"
        " < ledger.today() - settings.order_patience_days"
        " group by orders.store, settings.order_patience_days order by orders.store"
    ).fetchall()
    return [
        Finding(
            "order_unacknowledged",
            f"{store}: {number} deletion orders not acknowledged for more than {days} days, the"
            f" oldest of {oldest}: `retention orders list --open`",
            records=number,
        )
        for store, number, oldest, days in rows
    ]


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


def controlled(conn: Connection) -> Iterator[Finding]:
    """The control persons failed, or were not run for what is in force (promise 5)."""
    found = controls.objection(conn)
    if found is not None:
        yield Finding(*found)


def halted(halt: halts.Halt | None) -> Iterator[Finding]:
    """The kill switch is on: nothing is purged, whatever falls due."""
    if halt is not None:
        yield Finding(
            "halted", f"everything that deletes is {halt}; an approver may `retention resume`"
        )


def syncs_not_ended(conn: Connection, policy: Policy) -> Iterator[Finding]:
    """Syncs whose end is missing for longer than the policy waits: they postpone no purge any more."""
    for sync in syncs.not_ended(conn, policy.operations.sync_timeout_hours.value):
        if sync.is_stale:
            yield Finding(
                "sync_not_ended",
                f"connector {sync.connector} began a sync at {sync.since} that has not ended: see in"
                " Fivetran whether it is stuck",
            )


def unexported(conn: Connection) -> Iterator[Finding]:
    """Evidence that no exported checkpoint covers although a day has passed: a backup restored now
    would not be recognised by it."""
    row = conn.execute(
        """
        select count(*), min(at)::date from (
            select entry_id from ledger.unsequenced
            union all
            select entry_id from ledger.leaves
            where leaf_index >= coalesce((select max(size) from ledger.checkpoints), 0)
        ) as waiting join ledger.entries using (entry_id)
        where at < now() - make_interval(days => %s)
        """,
        (_FRESH_DAYS,),
    ).fetchone()
    if row and row[0]:
        yield Finding(
            "evidence_not_exported",
            f"{row[0]} entries of evidence are covered by no exported checkpoint, the oldest of"
            f" {row[1]}: `retention evidence checkpoint` exports one and says what is in its way",
        )


def drifted(
    conn: Connection,
    settings: Settings,
    declarations: Declarations,
    policy: Policy,
    as_of: date,
) -> Iterator[Finding]:
    """What the catalogue and the declarations disagree on as of a day; tables set aside come first."""
    examined = examine(conn, settings, declarations, policy, as_of)
    for table in examined.set_aside:
        causes = [
            one for one in examined.findings if one.qualified == table and one.kind in _UNREADABLE
        ]
        why = "; ".join(said(cause) for cause in causes)
        steps = "; ".join(next_steps(causes, settings))
        yield Finding(
            "table_set_aside",
            f"{table} is set aside, and nothing of it is classified: {why}. Next: {steps}",
            table=table,
        )
    for table, why in examined.withheld.items():
        yield Finding("table_withheld", f"nothing is purged from {table}: {why}", table=table)
    for finding in examined.findings:
        if finding.kind not in _SAID_OTHERWISE:
            yield Finding(
                finding.kind.value,
                f"{said(finding)}, since {finding.since} ({finding.severity})",
                table=finding.qualified if finding.table else None,
            )


def logged_values(conn: Connection) -> Iterator[Finding]:
    """The server would write personal values into its own log (requirements § 8)."""
    settings = settings_that_log_values(conn)
    if settings:
        yield Finding(
            "server_logs_values",
            "the server writes personal values into its log, in the words of errors or as values that"
            f" were bound: have an administrator run: {remedy(conn, settings)}",
        )


def untraceable(
    conn: Connection, settings: Settings, declarations: Declarations
) -> Iterator[Finding]:
    """Relations downstream that may hold copies which no key leads to: nothing is purged from the
    tables that they can hold rows of."""
    try:
        lineage = find_lineage(conn, settings, declarations)
    except Refused as refusal:
        yield Finding("copies_unknown", f"nothing can be purged: {refusal}")
        return
    for copy in lineage.untraceable:
        yield Finding(
            "copy_untraceable",
            f"{copy.relation} may hold copies that cannot be traced: {copy.why}; nothing is purged"
            f" from {', '.join(sorted(copy.reaches))}",
            table=copy.relation,
        )
    for copy in lineage.fixed:
        yield Finding(
            "copy_untraceable",
            f"{copy.relation} holds values that cannot be minimised there: {copy.why}; no column of"
            f" {', '.join(sorted(copy.reaches))} is made null",
            table=copy.relation,
        )
