"""How far objections and withdrawals have come: counts, and what somebody must look at.

Belongs here: reading them for a status and for checks. Does not belong here: carrying anything out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from retention.findings import Finding
from retention.policy import Policy
from retention.policy.periods import parse_period

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Standing:
    """`suppressions` are contact points, `withdrawn` records that hold what a withdrawn consent allowed: so
    many of them `blocked`, so many past the policy's days. `erased` are records of which columns went."""

    suppressions: int
    withdrawn: int
    blocked: int
    past_their_day: int
    erased: int

    def as_json(self) -> dict[str, int]:
        return {
            "suppressions": self.suppressions,
            "withdrawn": self.withdrawn,
            "blocked": self.blocked,
            "past_their_day": self.past_their_day,
            "erased": self.erased,
        }


def standing(conn: Connection, policy: Policy) -> Standing:
    """The counts as of the last classification."""
    tables = list(_withdrawn(conn, policy))
    row = conn.execute(
        "select (select count(*) from ledger.suppressions),"
        " (select count(*) from ledger.column_tombstones where rule_id = 'CONSENT')"
    ).fetchone()
    assert row is not None
    return Standing(
        suppressions=row[0],
        withdrawn=sum(records for _, records, _, _ in tables),
        blocked=sum(blocked for _, _, blocked, _ in tables),
        past_their_day=sum(late for _, _, _, late in tables),
        erased=row[1],
    )


def findings(conn: Connection, policy: Policy) -> Iterator[Finding]:
    """Withdrawals that a blocker stands in the way of, or that are past the policy's days."""
    for table, _, blocked, late in _withdrawn(conn, policy):
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


def _withdrawn(conn: Connection, policy: Policy) -> list[tuple[str, int, int, int]]:
    """By table: the records, those that are blocked, and those past their day that are not."""
    most = parse_period(policy.consent_withdrawal.most)
    return conn.execute(
        "select qualified, records, blocked, late from ledger.withdrawals_standing(%s, %s)",
        (most.months, most.days),
    ).fetchall()
