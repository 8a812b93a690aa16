"""Approving and rejecting: four eyes.

Belongs here: asking the database, as the login that is connected, to approve or reject. Does not belong
here: who may; the database knows its own logins, and an argument would be believed.
"""

from typing import Any
from uuid import UUID

import psycopg

from retention.errors import Refused
from retention.ledger.failures import safe_errors
from retention.plan.model import Plan
from retention.plan.show import show_in
from retention.settings import Settings
from retention.warehouse.connection import connect, connect_as_approver, is_embedded


def approve(settings: Settings, plan_id: UUID, digest: str) -> Plan:
    """Approve the plan as the login of this connection, which repeats the plan's digest.

    Raises Refused when that login planned it or may not approve, when the digest is another one, or
    when the plan is not proposed or has expired.
    """
    with connect(settings) as conn:
        return _approve(conn, plan_id, digest, "person")


def approve_demonstration(settings: Settings, plan_id: UUID, digest: str) -> Plan:
    """Approve the plan as the embedded warehouse's second login, marked as a demonstration's.

    Raises Refused on an outside database, and where a landing schema lacks the sample's marker.
    """
    if not is_embedded(settings):
        raise Refused(
            "the demonstration approves nothing on an outside database: have a person approve"
        )
    with connect_as_approver(settings) as conn:
        return _approve(conn, plan_id, digest, "demonstration")


def reject(settings: Settings, plan_id: UUID, reason: str) -> Plan:
    """Reject a plan that was not carried out; its items lose their keys. Raises Refused where this
    login may not, or the plan is past that."""
    with connect(settings) as conn, safe_errors("rejecting a plan"):
        row = conn.execute("select ledger.reject_plan(%s, %s)", (plan_id, reason)).fetchone()
        if row and row[0]:
            raise Refused(row[0])
        conn.commit()
        return show_in(conn, plan_id)


def _approve(conn: psycopg.Connection[Any], plan_id: UUID, digest: str, kind: str) -> Plan:
    with safe_errors("approving a plan"):
        row = conn.execute(
            "select ledger.approve_plan(%s, %s, %s)", (plan_id, digest.strip(), kind)
        ).fetchone()
        # A refusal is evidence: it is committed like an approval.
        conn.commit()
        if row and row[0]:
            raise Refused(str(row[0]))
        return show_in(conn, plan_id)
