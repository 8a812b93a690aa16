"""What an approver may answer besides yes and no: extend a case, or have a person review it.

Belongs here: asking the database, as the login that is connected, to take the case of a record out of a
plan. Does not belong here: which records the case is and what else must stay with it; the database knows.
"""

from datetime import date
from uuid import UUID

from psycopg.types.json import Jsonb

from retention.declarations import load_declarations
from retention.errors import Refused, UsageError
from retention.ledger.failures import safe_errors
from retention.lineage import find_lineage
from retention.plan.model import Plan
from retention.plan.show import show_in
from retention.plan.tables import coverage_rules, plan_tables
from retention.settings import Settings
from retention.warehouse.connection import connect


def amend(
    settings: Settings,
    plan_id: UUID,
    *,
    table: str,
    record_key: str,
    reason: str,
    keep_until: date | None = None,
) -> Plan:
    """Take the case of a record out of a proposed plan: kept until a day, or without one, for review.

    The case is all of the record's assignment, or where it has none, of its person. Returns the plan
    with its new digest, which is what can be approved from now on. Raises Refused where this login may
    not approve, planned it itself, or the plan is past that; UsageError for a record that the plan does
    not hold, for a day that has passed and for a missing reason.
    """
    schema, dot, name = table.partition(".")
    if not dot or not schema or not name:
        raise UsageError("name the table as schema.table")
    decision = "review" if keep_until is None else "keep"
    declarations = load_declarations(settings.declarations_dir)
    with connect(settings) as conn, safe_errors("changing a plan"):
        # The frozen rows stand on what was planned from; nothing of a landing row is asked here.
        lineage = find_lineage(conn, settings, declarations)
        coverage = coverage_rules(settings, conn)
        planned = plan_tables(
            conn, declarations, planning=False, lineage=lineage, coverage=coverage
        )
        tables = Jsonb([table.as_json() for table in planned])
        row = conn.execute(
            "select ledger.amend_plan(%s, %s, %s, %s, %s, %s, %s, %s)",
            (plan_id, schema, name, record_key, decision, reason, keep_until, tables),
        ).fetchone()
        # A refusal is evidence: it is committed like an amendment.
        conn.commit()
        if row and row[0]:
            raise Refused(row[0])
        return show_in(conn, plan_id)
