"""How it stands with the requests: which are late, which wait for somebody.

Belongs here: counting the register, and what of it is a finding. Does not belong here: changing it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import class_row

from retention.declarations import Declarations
from retention.findings import Finding
from retention.policy import Policy

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Standing:
    """Requests by state; those past the last day for the answer, the oldest of `overdue_since`; those
    whose day comes within the days of reminding; those of which nobody knows whose they are or what for;
    and scans of identity documents that should be gone."""

    received: int
    identity_verified: int
    decided: int
    carried_out: int
    closed: int
    overdue: int
    overdue_since: date | None
    due_soon: int
    unidentified: int
    scans_waiting: int


def standing(conn: Connection, declarations: Declarations, policy: Policy) -> Standing:
    """Count the register as of today."""
    with conn.cursor(row_factory=class_row(Standing)) as cursor:
        cursor.execute(
            """
            select
                count(*) filter (where state = 'received') as received,
                count(*) filter (where state = 'identity_verified') as identity_verified,
                count(*) filter (where state = 'decided') as decided,
                count(*) filter (where state = 'carried_out') as carried_out,
                count(*) filter (where state = 'closed') as closed,
                count(*) filter (where is_unanswered and answer_by < ledger.today()) as overdue,
                min(answer_by) filter (where is_unanswered and answer_by < ledger.today())
                    as overdue_since,
                count(*) filter (
                    where is_unanswered and answer_by - ledger.today() between 0 and %(remind)s::integer
                ) as due_soon,
                count(*) filter (
                    where state = 'received' and (subject_token is null or asserted is null)
                ) as unidentified,
                count(*) filter (
                    where scan_gone_at is null and record_key is not null
                    and source_schema || '.' || source_table = any(%(tables)s)
                    and (coalesce(verified_at, closed_at) at time zone 'Europe/Oslo')::date
                    < ledger.today() - %(patience)s::integer
                    and not ledger.is_held_otherwise(r)
                ) as scans_waiting
            from ledger.requests as r
            cross join lateral (values (state not in ('carried_out', 'closed'))) as t (is_unanswered)
            """,
            {
                "remind": policy.rights.remind_days.value,
                "patience": policy.operations.order_patience_days.value,
                "tables": [table.qualified for table in declarations.with_identity_scans],
            },
        )
        found = cursor.fetchone()
    assert found is not None
    return found


def findings(conn: Connection, declarations: Declarations, policy: Policy) -> Iterator[Finding]:
    """What somebody must do about requests now. A day that comes soon is no finding yet."""
    found = standing(conn, declarations, policy)
    if found.overdue:
        yield Finding(
            "requests_overdue",
            f"{found.overdue} requests of persons are past the last day for the answer, the oldest since"
            f" {found.overdue_since}: `retention request list`",
            records=found.overdue,
        )
    if found.unidentified:
        yield Finding(
            "requests_unidentified",
            f"nobody knows whose {found.unidentified} requests are, or which right they use:"
            " `retention request identify`",
            records=found.unidentified,
        )
    if found.scans_waiting:
        yield Finding(
            "identity_scans_waiting",
            f"{found.scans_waiting} scans of identity documents are not gone although they have served for"
            f" more than {policy.operations.order_patience_days.value} days: `retention request scans`"
            " orders them and says what is in the way",
            records=found.scans_waiting,
        )
