"""Plans of what was decided: records whose erasure was decided on request, or by the policy where a consent
was withdrawn.

Belongs here: asking the database to freeze such a plan and to have its decisions approve it. Does not
belong here: which records a decision covers and whether it approves; the database judges both, on the
frozen rows.
"""

from retention.ledger.failures import safe_errors
from retention.plan.freeze import create
from retention.plan.model import Plan
from retention.plan.show import show_in
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import PLANNER


def anything_decided(settings: Settings) -> bool:
    """Whether any decision waits to be carried out, or any lock that one placed has ended."""
    with connect(settings, read_only=True) as conn, safe_errors("reading what was decided"):
        row = conn.execute("select exists (select from ledger.covered_records())").fetchone()
    return bool(row and row[0])


def create_decided(settings: Settings) -> Plan:
    """Freeze the records that a decision covers, and have those decisions approve the plan.

    Where a decision does not approve it (whoever decided also planned, or is a rights officer no more), it
    stays proposed, for a person, and the last of its `refusals` says why. Raises Refused as `create` does.
    """
    plan = create(settings, "decided")
    if plan.state != "proposed":
        return plan
    with connect(settings, role=PLANNER) as conn, safe_errors("approving what was decided"):
        conn.execute("select ledger.approve_decided(%s)", (plan.plan_id,))
        # A refusal is evidence: it is committed like an approval.
        conn.commit()
        return show_in(conn, plan.plan_id)
