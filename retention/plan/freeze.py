"""Making a plan, and looking at the one that would be made.

Belongs here: the read-only preview, and the one call of the function that freezes a plan. Does not
belong here: which records may be planned; `ledger.plannable` says so to both.
"""

import logging
from typing import Any
from uuid import UUID

import psycopg
from psycopg import IsolationLevel
from psycopg.types.json import Jsonb

from retention.code_hash import code_hash
from retention.declarations import Declarations, load_declarations
from retention.errors import Refused
from retention.keys import EPOCH, load_keys, refuse_logged_values, take_into_use
from retention.ledger import classifications
from retention.ledger.failures import is_conflict, safe_errors, translated
from retention.lineage import find_lineage
from retention.plan import landing_rights
from retention.plan.model import Plan, PlanCount, PlanPreview, Scope
from retention.plan.show import show_in
from retention.plan.tables import coverage_rules, plan_tables
from retention.settings import Settings
from retention.warehouse.clock import today
from retention.warehouse.connection import connect
from retention.warehouse.roles import PLANNER, READER

_ATTEMPTS = 5

logger = logging.getLogger(__name__)

Connection = psycopg.Connection[Any]


def preview(settings: Settings) -> PlanPreview:
    """What a plan made now would hold. Cannot write: a read-only transaction under a role without
    write rights. Raises Refused where no plan could be made."""
    declarations = load_declarations(settings.declarations_dir)
    code = code_hash(settings, declarations)
    with (
        connect(settings, role=READER, read_only=True) as conn,
        safe_errors("looking at what is overdue"),
    ):
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        objection = classifications.objection(conn, code)
        if objection:
            raise Refused(objection)
        lineage = find_lineage(conn, settings, declarations)
        coverage = coverage_rules(settings, conn)
        planned = plan_tables(conn, declarations, planning=True, lineage=lineage, coverage=coverage)
        tables = Jsonb([table.as_json() for table in planned])
        rows = conn.execute(
            "select qualified, rule_id, waits_for, records, oldest_due_on, disposition, restored"
            " from ledger.plan_preview(%s)",
            (tables,),
        ).fetchall()
        day = today(conn)
    counts = tuple(
        PlanCount(table, rule, records, oldest, disposition, restored)
        for table, rule, waits, records, oldest, disposition, restored in rows
        if waits is None
    )
    waiting: dict[str, int] = {}
    for _, _, waits, records, *_ in rows:
        if waits is not None:
            waiting[waits] = waiting.get(waits, 0) + records
    return PlanPreview(day, sum(count.records for count in counts), counts, waiting)


def create(settings: Settings, scope: Scope = "ordinary") -> Plan:
    """Freeze what is overdue now into a plan, in one repeatable-read transaction.

    Scope `unattended` takes the cases that the policy leaves to a job, `decided` the records that a
    decision covers; `ordinary` whatever stands in no such plan of the same classification. A plan without
    items has the state `empty` and needs no approval. An earlier plan of the scope, or of an earlier
    classification, that nobody approved is superseded. Raises Refused where the records were not
    classified today, or by other code, and where
    nothing may be purged unattended; UsageError where a declaration does not hold.
    """
    declarations = load_declarations(settings.declarations_dir)
    code = code_hash(settings, declarations)
    landing_rights.grant(settings, declarations)
    with connect(settings, role=PLANNER) as conn:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                plan_id = _freeze(settings, conn, declarations, code, scope)
                break
            except psycopg.Error as error:
                if not is_conflict(error) or attempt == _ATTEMPTS:
                    raise translated(error, "freezing a plan") from None
                logger.info("a plan is tried again: a hold was placed while it was frozen")
        with safe_errors("reading the plan"):
            return show_in(conn, plan_id)


def _freeze(
    settings: Settings, conn: Connection, declarations: Declarations, code: str, scope: Scope
) -> UUID:
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    with conn.transaction():
        refuse_logged_values(conn)
        key = load_keys(settings, conn).current
        take_into_use(conn, key)
        lineage = find_lineage(conn, settings, declarations)
        coverage = coverage_rules(settings, conn)
        tables = plan_tables(conn, declarations, planning=True, lineage=lineage, coverage=coverage)
        names = [table.qualified for table in tables]
        pads = [key.pads(name) for name in names]
        row = conn.execute(
            "select ledger.freeze_plan(%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                Jsonb([table.as_json() for table in tables]),
                names,
                [inner for inner, _ in pads],
                [outer for _, outer in pads],
                key.key_id,
                EPOCH,
                code,
                scope,
            ),
        ).fetchone()
    assert row is not None
    plan_id: UUID = row[0]
    return plan_id
