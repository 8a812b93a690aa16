"""What plans leave in the ledger: keys of those that ran out, tokens of records that were not
touched, and tombstones of records that can come back no more.

Belongs here: asking the ledger what is due and having it removed. Does not belong here: the
conditions, which stand in the database (functions/21_housekeeping.sql), and evidence, which always
stays.
"""

from datetime import date
from typing import Any, LiteralString

import psycopg

from retention.declarations import Declarations
from retention.housekeeping.rules import Rule, Swept
from retention.policy import Policy
from retention.policy.periods import parse_period

Connection = psycopg.Connection[Any]

_EXPIRED = "until their last day, then they are closed and lose their keys"
UNAPPROVED = "as long as the plan's evidence: nobody has approved the policy's own_records"


def close_expired(conn: Connection, *, remove: bool) -> Swept:
    """Close plans that are past their day and that nobody closed."""
    due = _one(conn, "select count(*) from ledger.expired_plans()")
    closed = _one(conn, "select ledger.close_expired_plans()") if remove and due else 0
    stayed = ("somebody is working on them",) if remove and closed < due else ()
    return Swept("expired_plans", _EXPIRED, due, closed, stayed)


def forget_items(conn: Connection, rule: Rule, today: date, *, remove: bool) -> Swept:
    """Forget the items of ended plans that purged nothing."""
    first = rule.first_day(today)
    due = _one(conn, "select count(*) from ledger.due_plan_items(%s)", first)
    gone = _one(conn, "select ledger.forget_plan_items(%s)", first) if remove and due else 0
    return Swept(rule.kind, rule.kept, due, gone)


def forget_tombstones(
    conn: Connection, policy: Policy, declarations: Declarations, today: date, *, remove: bool
) -> Swept:
    """Forget the tombstones of plans of which no record can return: neither from a load, its tables being
    gone, nor from a backup, their horizon having passed since. Only under an approved policy."""
    first = backups_begin(conn, policy, today)
    if first is None:
        return Swept("tombstones", UNAPPROVED, 0)
    horizon = parse_period(policy.own_records.backup_horizon)
    kept = f"while a load can bring their records back, and {horizon.words} for backups"
    if remove:
        declared = [table.qualified for table in declarations.tables]
        conn.execute("select ledger.note_tables_gone(%s)", (declared,))
    due = _one(
        conn,
        "select count(*) from (select plan_id from ledger.tombstones"
        " union all select plan_id from ledger.column_tombstones) as buried"
        " where plan_id in (select ledger.plans_beyond_return(%s))",
        first,
    )
    gone = _one(conn, "select ledger.forget_tombstones(%s)", first) if remove and due else 0
    return Swept("tombstones", kept, due, gone)


def without_tokens(conn: Connection) -> list[str]:
    """Ids of the plans whose tokens are forgotten: their deletion reports would still hold them."""
    rows = conn.execute(
        "select plan_id::text from ledger.plans where tokens_forgotten_at is not null order by 1"
    ).fetchall()
    return [plan_id for (plan_id,) in rows]


def backups_begin(conn: Connection, policy: Policy, today: date) -> date | None:
    """The day of the oldest backup that may still be restored; None while nobody has approved how long
    backups live. Examples count in a warehouse of samples only."""
    approval = policy.own_records.approval_state
    if approval == "example":
        approved = bool(_one(conn, "select ledger.only_samples()::integer"))
    else:
        approved = approval == "approved"
    if not approved:
        return None
    horizon = parse_period(policy.own_records.backup_horizon)
    row = conn.execute(
        "select (%s::date - make_interval(months => %s, days => %s))::date",
        (today, horizon.months, horizon.days),
    ).fetchone()
    return row[0] if row else None


def _one(conn: Connection, query: LiteralString, *values: Any) -> int:
    row = conn.execute(query, values).fetchone()
    assert row is not None
    return int(row[0])
