"""What the policy in force says of answering a request.

Belongs here: the periods and the clause that the functions of the register are given. Does not belong here:
counting from them, which the database does.
"""

from dataclasses import dataclass
from typing import Any

import psycopg

from retention.policy import in_force, load_versions
from retention.policy.periods import Period, parse_period
from retention.settings import Settings
from retention.warehouse.clock import today


@dataclass(frozen=True)
class Terms:
    """How long an answer may take, how long once it was extended, both counted from the day of receipt; and
    the clause by which a pending request holds the person's records."""

    within: Period
    extended: Period
    authority: str


def terms(settings: Settings, conn: psycopg.Connection[Any]) -> Terms:
    """The terms of today's policy. Raises UsageError where no version is in force."""
    policy = in_force(load_versions(settings.policy_dir), today(conn))
    first, more = (
        parse_period(policy.rights.answer_within),
        parse_period(policy.rights.extended_by),
    )
    return Terms(
        within=first,
        extended=Period(first.months + more.months, first.days + more.days),
        authority=policy.rule("RIGHTS").clause.label,
    )
