"""Reading plans back.

Belongs here: plans as frozen values, with their counts. Does not belong here: any record's key.
"""

from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from retention.errors import UsageError
from retention.ledger import entries
from retention.ledger.failures import safe_errors
from retention.plan.model import Plan, PlanCount
from retention.settings import Settings
from retention.warehouse.connection import connect

_COLUMNS = """plan_id, as_of, classification_id, policy_version, policy_hash, code_hash, key_id, digest,
    state, scope, items, waiting, planned_by, planned_at, expires_on, approved_by, approved_at,
    approval_kind, rejected_by, rejected_at, reject_reason, executed_at, run_by, fence,
    tokens_forgotten_at"""

#: States of a plan that lost its keys without being carried out.
ENDED = ("rejected", "expired", "superseded")


def list_plans(settings: Settings, *, limit: int = 20) -> list[Plan]:
    """The latest plans, newest first, without their counts."""
    with (
        connect(settings, read_only=True) as conn,
        safe_errors("listing the plans"),
        conn.cursor(row_factory=dict_row) as cursor,
    ):
        cursor.execute(
            f"select {_COLUMNS} from ledger.plans order by planned_at desc limit %s",  # noqa: S608
            (limit,),
        )
        return [Plan(**row) for row in cursor]


def show(settings: Settings, plan_id: UUID) -> Plan:
    """One plan with its counts per table and rule, and what became of its items.

    Raises UsageError when there is no such plan.
    """
    with connect(settings, read_only=True) as conn, safe_errors("reading the plan"):
        return show_in(conn, plan_id)


def show_in(conn: psycopg.Connection[Any], plan_id: UUID) -> Plan:
    """As `show`, on a connection that is open."""
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            f"select {_COLUMNS} from ledger.plans where plan_id = %s",  # noqa: S608
            (plan_id,),
        )
        found = cursor.fetchone()
    if found is None:
        raise UsageError("there is no such plan: `retention plan list` shows them")
    counts = conn.execute(
        # What an approver took out is none of the plan any more; an ended plan shows what it held.
        """
        select items.source_schema || '.' || items.source_table, items.rule_id, count(*),
            min(items.due_on), items.disposition, count(*) filter (
                where items.disposition = 'minimise' and exists (
                    select from ledger.column_tombstones as earlier
                    where earlier.source_schema = items.source_schema
                    and earlier.source_table = items.source_table and earlier.token = items.token
                    and earlier.minimised_at < plans.planned_at
                )
            )
        from ledger.plan_items as items join ledger.plans as plans on plans.plan_id = items.plan_id
        where items.plan_id = %s and (items.state <> 'withdrawn' or %s)
        group by 1, 2, 5 order by 1, 2, 5
        """,
        (plan_id, found["state"] in ENDED),
    ).fetchall()
    outcome = conn.execute(
        "select case state when 'skipped' then 'skipped: ' || skip_reason else state end, count(*)"
        " from ledger.plan_items where plan_id = %s group by 1 order by 1",
        (plan_id,),
    ).fetchall()
    refusals = entries.of_plan(conn, plan_id, "refusal")
    return Plan(
        **found,
        counts=tuple(PlanCount(*count) for count in counts),
        outcome=dict(outcome),
        refusals=tuple(entry.content["reason"] for entry in refusals),
    )


def of_last_night(settings: Settings) -> list[Plan]:
    """The plans that stand on the newest plan's classification, one a scope, the ordinary one first.

    Empty where nothing was ever planned.
    """
    latest: dict[str, Plan] = {}
    known = list_plans(settings)
    for one in known:
        if one.classification_id == known[0].classification_id:
            latest.setdefault(one.scope, one)
    scopes = sorted(latest, key=lambda scope: (scope != "ordinary", scope))
    return [show(settings, latest[scope].plan_id) for scope in scopes]
