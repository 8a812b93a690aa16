"""Relays of requests to partners and from them: opened, sent, answered, closed.

Belongs here: what the people who answer requests do with a relay, as the login that answers requests.
Does not belong here: carrying out what a partner instructs; that is a decision like any other, on which a
plan is made.

Which partner it is reveals, where the partner is a union, that the person is a member. So a relay is listed
without its partner, and `take`, which is logged before it shows anything, is the one way to read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from retention.ledger.failures import safe_errors
from retention.rights.register import as_officer
from retention.settings import Settings
from retention.warehouse.connection import connect

Answer = Literal["erase", "keep", "noted"]


@dataclass(frozen=True)
class Relay:
    """One relay, without its partner. `direction`: out to the partner, or in from it. `because`: joint,
    handed over inside our business area; processor, we hold records for the partner; received, the partner
    passed the request on to us. `state`: open, sent, received, answered, closed."""

    relay_id: UUID
    request_id: UUID
    direction: str
    because: str
    state: str
    opened_at: datetime
    taken_at: datetime | None
    answer: str | None
    answered_at: datetime | None
    closed_at: datetime | None


def open_relays(settings: Settings, requests: Sequence[UUID]) -> int:
    """Open the relays of these requests whose identity is verified, in one statement; returns how many are
    new. A request whose person no partner has to do with has none."""
    with as_officer(settings, "relaying requests") as conn:
        row = conn.execute("select ledger.relay_requests(%s)", (list(requests),)).fetchone()
    assert row is not None
    return int(row[0])


def receive(settings: Settings, request_id: UUID, partner: str) -> UUID:
    """Record that a partner, named as `schema.table:key`, passed this request on to us and awaits our
    answer. Our month runs all the same (GDPR art. 12(3)).

    Raises UsageError for an unknown request or partner, Refused where it is on record already.
    """
    with as_officer(settings, "receiving a relayed request") as conn:
        row = conn.execute("select ledger.receive_relay(%s, %s)", (request_id, partner)).fetchone()
    assert row is not None
    received: UUID = row[0]
    return received


def list_(settings: Settings, *, open_only: bool = False) -> list[Relay]:
    """The relays, oldest first; with `open_only`, those that nobody has answered."""
    with (
        connect(settings, read_only=True) as conn,
        safe_errors("listing the relays"),
        conn.cursor(row_factory=class_row(Relay)) as cursor,
    ):
        cursor.execute(
            "select relay_id, request_id, direction, because, state, opened_at, taken_at, answer,"
            " answered_at, closed_at from ledger.relays_shown"
            " where state in ('open', 'sent', 'received') or not %s order by opened_at, relay_id",
            (open_only,),
        )
        return cursor.fetchall()


def take(settings: Settings, relay_id: UUID) -> str | None:
    """Take a relay in hand, which sends one that goes out; leave evidence of that, and return the partner's
    own row and name, None where the partner is gone from the warehouse.

    Raises UsageError for a relay that there is none of, Refused for one that is closed, and to a login
    that is no rights officer's.
    """
    with as_officer(settings, "taking a relay in hand") as conn:
        conn.execute("select ledger.take_relay(%s)", (relay_id,))
        # Which partner it is, is shown only after that is on record, whatever becomes of this session.
        conn.commit()
        row = conn.execute("select ledger.partner_of_relay(%s)", (relay_id,)).fetchone()
    assert row is not None
    partner: str | None = row[0]
    return partner


def answer(settings: Settings, relay_id: UUID, given: Answer, *, text: str) -> int:
    """Record the partner's answer; of a request that came from the partner, ours.

    `erase` and `keep` are instructions of a partner whose processor we are, on the records that an
    erasure left to it: they become decisions on these. Returns on how many. Raises UsageError for an
    answer that does not fit the relay, Refused for one that was not sent, or whose request is not decided.
    """
    with as_officer(settings, "answering a relay") as conn:
        row = conn.execute(
            "select ledger.answer_relay(%s, %s, %s)", (relay_id, given, text)
        ).fetchone()
    assert row is not None
    return int(row[0])


def close(settings: Settings, relay_id: UUID, *, reason: str | None = None) -> None:
    """End a relay that was answered; one that was not, for a reason. Raises UsageError without it."""
    with as_officer(settings, "closing a relay") as conn:
        conn.execute("select ledger.close_relay(%s, %s)", (relay_id, reason))
