"""Whose data a row is: ours, ours jointly, or a partner's (requirements §3).

Belongs here: the controller's role and what a partner's instruction means for a row.
Does not belong here: the retention rules of our own (`classify`).
"""

from __future__ import annotations

from tests.oracle.facts import Row
from tests.oracle.landing_table import LandingTable
from tests.oracle.lifecycle import Ground
from tests.oracle.periods import last_day, parse_period, utc_instant
from tests.oracle.policy import OraclePolicy
from tests.oracle.population import Handover, Population, stated_day


def role_of(
    people: Population, table: LandingTable, row: Row, subject: str | None
) -> tuple[str, Handover | None]:
    """Return our role for a row, and the referral that made us a processor."""
    handovers = people.handovers.get(subject or "", [])
    referrals = [handover for handover in handovers if handover.outside]
    collected = None if table.own_date is None else utc_instant(row[table.own_date])
    if referrals and collected is not None:
        first = min(referrals, key=lambda handover: handover.at)
        if collected > first.at:
            return "processor", first
    has_joint = any(not handover.outside for handover in handovers)
    return ("joint_controller" if has_joint else "controller"), None


def instructed(
    people: Population,
    policy: OraclePolicy,
    table: LandingTable,
    row: Row,
    ground: Ground,
    referral: Handover,
) -> Ground:
    """Return the partner's instruction as a ground; the category stays the record's own."""
    unknown = (None, None)
    instruction_id, text = people.landing.instructions.get(referral.partner or "", unknown)
    period = parse_period(text) if instruction_id is not None else None
    day = stated_day(table, row)
    is_possible = people.own_day(table, row) is not None
    is_settled = period is not None and is_possible and policy.rule("PROCESSOR").approved
    return Ground(
        "PROCESSOR",
        ground.category,
        anchor=day,
        last=last_day(day, period) if period is not None and day is not None else None,
        needs_review=not is_settled,
    )
