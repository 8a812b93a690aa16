"""Plans that no person approves: what the policy leaves to a job, inside its blast radius.

Belongs here: asking the database to freeze such a plan and to approve it in the policy's name. Does not
belong here: which cases those are, and the radius; the database judges both, on the frozen rows.
"""

from retention.ledger.failures import safe_errors
from retention.plan.freeze import create
from retention.plan.model import Plan
from retention.plan.show import show_in
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import PLANNER


def unattended_objection(settings: Settings) -> str | None:
    """Why nothing may be purged without a person here, or None: the policy marks no rule so, or nobody
    approved its section `unattended`."""
    with connect(settings, read_only=True) as conn, safe_errors("reading the policy"):
        row = conn.execute("select ledger.unattended_objection()").fetchone()
    return row[0] if row else None


def create_unattended(settings: Settings) -> Plan:
    """Freeze the cases that the policy leaves to a job, and approve the plan in the policy's name.

    Outside the blast radius the plan is not approved: it stays proposed, for a person, and the last of
    its `refusals` says why. Raises Refused as `create` does.
    """
    plan = create(settings, "unattended")
    if plan.state != "proposed":
        return plan
    with (
        connect(settings, role=PLANNER) as conn,
        safe_errors("approving a plan unattended"),
    ):
        conn.execute("select ledger.approve_unattended(%s)", (plan.plan_id,))
        # A refusal is evidence: it is committed like an approval.
        conn.commit()
        return show_in(conn, plan.plan_id)
