"""Notices to recipients and partners (GDPR art. 19): listed, sent, settled.

Belongs here: what the people who tell the recipients do, as the login that answers requests. Does not
belong here: opening a notice, which the transaction that purges, decides or restricts does.

A notice counts. What lets a recipient find the person, the keys of its own records, stands beside it until
it has answered, and is read in one way only: `send`, which is logged before it shows anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from retention.ledger.failures import safe_errors
from retention.rights.register import as_officer
from retention.settings import Settings
from retention.warehouse.connection import connect

Connection = psycopg.Connection[Any]

_SHOWN = (
    "select notice_id, occasion, occasion_id, recipient_id, to_partner, records, state, pointers,"
    " opened_at, sent_at, answered_by, answer, settled_at from ledger.notices_shown"
)


@dataclass(frozen=True)
class Notice:
    """One notice. `occasion_id`: the plan of a purge, the blocker of a restriction, else the request.
    `to_partner`: it goes to a partner, which is not named here. `pointers`: keys that it holds for the
    recipient until it is settled. `answer`: the recipient's, or why it cannot be told."""

    notice_id: UUID
    occasion: str
    occasion_id: UUID
    recipient_id: str
    to_partner: bool
    records: int
    state: str
    pointers: int
    opened_at: datetime
    sent_at: datetime | None
    answered_by: str | None
    answer: str | None
    settled_at: datetime | None


@dataclass(frozen=True)
class Told:
    """What a notice tells its recipient: personal data. `partner`: its own row and name, for a notice to a
    partner. `records`: by table, the keys of the records in question."""

    notice_id: UUID
    partner: str | None
    records: dict[str, list[str]]


def list_(settings: Settings, *, open_only: bool = False) -> list[Notice]:
    """The notices, oldest first; with `open_only`, those that nobody has answered."""
    with (
        connect(settings, read_only=True) as conn,
        safe_errors("listing the notices"),
        conn.cursor(row_factory=class_row(Notice)) as cursor,
    ):
        cursor.execute(
            f"{_SHOWN} where state in ('open', 'sent') or not %s"
            " order by opened_at, recipient_id, notice_id",
            (open_only,),
        )
        return cursor.fetchall()


def of_occasion(conn: Connection, occasion_id: UUID) -> list[Notice]:
    """The notices of one plan, blocker or request: for a report on it."""
    with conn.cursor(row_factory=class_row(Notice)) as cursor:
        cursor.execute(f"{_SHOWN} where occasion_id = %s order by recipient_id", (occasion_id,))
        return cursor.fetchall()


def send(settings: Settings, notice_id: UUID) -> Told:
    """Mark the notice as sent by this login, leave evidence of that, and return what it tells.

    Raises UsageError for a notice that there is none of, Refused for one that is settled, and to a login
    that is no rights officer's.
    """
    with as_officer(settings, "sending a notice") as conn:
        conn.execute("select ledger.send_notices(array[%s])", (notice_id,))
        # What comes now is shown only after that is on record, whatever becomes of this session.
        conn.commit()
        records: dict[str, list[str]] = {}
        for table, key in conn.execute(
            "select source_schema || '.' || source_table, record_key from ledger.read_notice(%s)",
            (notice_id,),
        ):
            records.setdefault(table, []).append(key)
        partner = conn.execute("select ledger.partner_of_notice(%s)", (notice_id,)).fetchone()
    assert partner is not None
    return Told(notice_id, partner[0], records)


def acknowledge(settings: Settings, notices: Sequence[UUID], *, by: str, text: str) -> int:
    """Record that somebody at the recipient acknowledged what these notices told. The keys in them are
    gone with that. Returns how many had not been settled before.

    Raises UsageError for a notice that there is none of and where the words are missing, Refused for
    one that was never sent; nothing is recorded then.
    """
    return _settle(settings, notices, by, text)


def give_up(settings: Settings, notices: Sequence[UUID], *, reason: str) -> int:
    """Record that telling these recipients is impossible, or takes a disproportionate effort (art. 19).
    Otherwise as `acknowledge`; a notice that was never sent can be given up."""
    return _settle(settings, notices, None, reason)


def _settle(settings: Settings, notices: Sequence[UUID], by: str | None, text: str) -> int:
    with as_officer(settings, "settling notices") as conn:
        row = conn.execute(
            "select ledger.settle_notices(%s, %s, %s)", (list(notices), by, text)
        ).fetchone()
    assert row is not None
    return int(row[0])
