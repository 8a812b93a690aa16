"""How far withdrawn consents have come: what somebody must look at.

Belongs here: reading it for the status. Does not belong here: carrying anything out.
"""

from collections.abc import Iterator
from typing import Any

import psycopg

from retention.findings import Finding
from retention.policy import Policy
from retention.policy.periods import parse_period

Connection = psycopg.Connection[Any]


def findings(conn: Connection, policy: Policy) -> Iterator[Finding]:
    """Withdrawals that a blocker stands in the way of, or that are past the policy's days."""
    for table, blocked, late in _withdrawn(conn, policy):
        if blocked:
            yield Finding(
                "consent_withdrawal_blocked",
                f"{table}: a hold, restriction or lock names {blocked} records of which a withdrawn consent"
                " erases: a person decides which of the two gives way",
                table=table,
                records=blocked,
            )
        if late:
            yield Finding(
                "consent_withdrawal_late",
                f"{table}: {late} records hold what a consent allowed that was withdrawn longer ago than"
                f" {policy.consent_withdrawal.most}: see why the job did not erase it",
                table=table,
                records=late,
            )


def _withdrawn(conn: Connection, policy: Policy) -> list[tuple[str, int, int]]:
    """By table: the records that are blocked, and those past their day that are not."""
    most = parse_period(policy.consent_withdrawal.most)
    return conn.execute(
        "select qualified, blocked, late from ledger.withdrawals_standing(%s, %s)",
        (most.months, most.days),
    ).fetchall()
