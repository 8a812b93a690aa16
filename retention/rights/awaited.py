"""What others have not answered yet: recipients that were to be told, partners that a request was relayed
to or came from, sources and copies that a correction has not reached.

Belongs here: counting it, and the findings where it takes longer than the policy waits. Does not belong
here: sending, answering and tracing (`recipients`, `partners`, `rectification`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from retention.findings import Finding
from retention.policy import Policy

Connection = psycopg.Connection[Any]

# What has not ended, each row with whether it takes too long.
_NOTICES = (
    "select recipient_id, sletteplikt.local_date(opened_at) as since,"
    " sletteplikt.local_date(opened_at) < ledger.today() - %(days)s::int as is_late"
    " from ledger.notices_shown where state in ('open', 'sent')"
)
# A relay from a partner is late once our own answer is: nobody else's patience counts then.
_RELAYS = (
    "select case direction"
    " when 'out' then sletteplikt.local_date(opened_at) < ledger.today() - %(days)s::int"
    " else request_state in ('carried_out', 'closed') or answer_by < ledger.today() end as is_late"
    " from ledger.relays_shown where state in ('open', 'sent', 'received')"
)
_CORRECTIONS = (
    "select source_schema || '.' || source_table as name, column_name,"
    " sletteplikt.local_date(recorded_at) as since,"
    " sletteplikt.local_date(recorded_at) < ledger.today() - %(days)s::int as is_late"
    " from ledger.rectifications_shown where ended_at is null"
)


@dataclass(frozen=True)
class Awaited:
    """Notices, relays and corrections that have not ended, and those of them that take too long."""

    notices: int
    late_notices: int
    relays: int
    late_relays: int
    corrections: int
    late_corrections: int


def standing(conn: Connection, policy: Policy) -> Awaited:
    """Count what is awaited, and what of it for longer than the policy's patience."""
    counts: list[int] = []
    for going_on in (_NOTICES, _RELAYS, _CORRECTIONS):
        row = conn.execute(
            f"select count(*), count(*) filter (where is_late) from ({going_on}) as going_on",  # noqa: S608
            {"days": _patience(policy)},
        ).fetchone()
        assert row is not None
        counts += row
    return Awaited(*counts)


def findings(conn: Connection, policy: Policy) -> Iterator[Finding]:
    """A finding per recipient that has not acknowledged, one of all relays without an answer, and one per
    column whose correction has not come through, each for longer than the policy's patience."""
    days = _patience(policy)
    for recipient, number, oldest in conn.execute(
        f"select recipient_id, count(*), min(since) from ({_NOTICES}) as late where is_late"  # noqa: S608
        " group by recipient_id order by recipient_id",
        {"days": days},
    ).fetchall():
        yield Finding(
            "notice_unacknowledged",
            f"{recipient}: {number} notices of purged, corrected or restricted data not acknowledged for"
            f" more than {days} days, the oldest of {oldest}: `retention request notices --open`",
            records=number,
        )
    late = standing(conn, policy).late_relays
    if late:
        yield Finding(
            "relay_unanswered",
            f"{late} requests relayed to or from partners are without an answer for more than {days} days,"
            " or past our own deadline: `retention request relays --open`",
            records=late,
        )
    for table, column, number, since in conn.execute(
        f"select name, column_name, count(*), min(since) from ({_CORRECTIONS}) as late"  # noqa: S608
        " where is_late group by 1, 2 order by 1, 2",
        {"days": days},
    ).fetchall():
        yield Finding(
            "rectification_not_clean",
            f"{table}.{column}: {number} corrections since {since} whose old value is still held, or that"
            " nobody has traced: `retention request trace`",
            table=table,
            records=number,
        )


def _patience(policy: Policy) -> int:
    return policy.rights.notice_patience_days.value
