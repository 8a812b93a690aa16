"""The register of requests: who asked for what, until when it is to be answered, how far it has come (§ 8).

Belongs here: reading the register, and the steps that a person takes in it, as the login of the connection
(the embedded warehouse's second login). Does not belong here: deciding what becomes of records, which takes
a request further by itself, and what landed (`intake`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from retention.errors import UsageError
from retention.ledger.failures import safe_errors
from retention.rights.model import (
    Answer,
    Closing,
    Extension,
    Request,
    RequestState,
    Right,
    Verified,
)
from retention.rights.terms import terms
from retention.settings import Settings
from retention.warehouse.connection import connect, connect_as_approver, is_embedded

_SHOWN = (
    "select request_id, asserted, state, received_on, answer_by,"
    " source_schema || '.' || source_table || ':' || record_key as source, subject_token,"
    " extended_on, decided_at, carried_out_at, closed_at from ledger.requests"
)

# How a request is answered once it is known that the person is who it says.
_ANSWERS = {
    Right.ACCESS: "make the copy: `retention request package`, then `retention request answer`",
    Right.PORTABILITY: "make the copy: `retention request package`, then `retention request answer`",
    Right.RECTIFICATION: "note the correction: `retention request rectify`, `trace`, then `answer`",
    Right.ERASURE: "decide it: `retention request decide`",
    Right.RESTRICTION: "restrict the data: `retention request restrict`",
    Right.OBJECTION: "suppress the contact points: `retention request object`",
    Right.WITHDRAWAL: "decide it: `retention request withdraw`",
}


@contextmanager
def as_officer(settings: Settings, doing: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the login that answers requests; committed at the end. `doing` is said in errors."""
    opened = connect_as_approver(settings) if is_embedded(settings) else connect(settings)
    with opened as conn, safe_errors(doing):
        yield conn


def open_request(
    settings: Settings, right: Right, received_on: date, *, person: str | None, purpose: str | None
) -> UUID:
    """Register a request that came in by another way than the warehouse, and hold the person's records.

    `person` is a token or `schema.table:key`; without it nobody is held until `identify`. `purpose` is, for
    a withdrawal, the purpose whose consent was withdrawn. Raises UsageError for a person that the last
    classification does not know and for a day to come, Refused for a login that may not.
    """
    if purpose is not None and right is not Right.WITHDRAWAL:
        raise UsageError("only the withdrawal of a consent names a purpose")
    with as_officer(settings, "registering a request") as conn:
        given = terms(settings, conn)
        row = conn.execute(
            "select ledger.open_request(%s, %s, %s, %s, %s, %s, %s)",
            (
                right.value,
                received_on,
                person,
                given.within.months,
                given.within.days,
                given.authority,
                purpose,
            ),
        ).fetchone()
    assert row is not None
    opened: UUID = row[0]
    return opened


def identify(settings: Settings, request_id: UUID, person: str, right: Right | None = None) -> None:
    """Say whose request it is, and which right it uses where that was not understood; its person is held
    from here on. Raises UsageError for an unknown request or person, Refused once identity was verified."""
    with as_officer(settings, "identifying a request") as conn:
        conn.execute(
            "select ledger.identify(%s, %s, %s, %s)",
            (request_id, person, terms(settings, conn).authority, right.value if right else None),
        )


def verify(settings: Settings, request_id: UUID, how: Verified) -> None:
    """Record that the person is who the request says. Raises Refused where nobody knows whose it is."""
    with as_officer(settings, "verifying an identity") as conn:
        conn.execute("select ledger.verify_identity(%s, %s)", (request_id, how.value))


def extend(settings: Settings, request_id: UUID, reason: Extension, notified_on: date) -> date:
    """Extend the time for the answer, once, and return the new last day.

    Raises Refused where the person was told after the first period, or the request was extended before.
    """
    with as_officer(settings, "extending a request") as conn:
        longer = terms(settings, conn).extended
        row = conn.execute(
            "select ledger.extend_request(%s, %s, %s, %s, %s)",
            (request_id, reason.value, notified_on, longer.months, longer.days),
        ).fetchone()
    assert row is not None
    later: date = row[0]
    return later


def answer(settings: Settings, request_id: UUID, outcome: Answer) -> None:
    """Record that a copy or correction was handed over, or refused.

    Raises Refused where nothing was handed over and it is not refused, where the identity was not verified,
    and for the other rights, which are answered by what is done to the records.
    """
    with as_officer(settings, "answering a request") as conn:
        conn.execute("select ledger.answer_request(%s, %s)", (request_id, outcome.value))


def close(settings: Settings, request_id: UUID, closing: Closing) -> None:
    """End a request: `answered` after it was carried out, anything else before it was decided."""
    with as_officer(settings, "closing a request") as conn:
        conn.execute("select ledger.close_request(%s, %s)", (request_id, closing.value))


def list_(settings: Settings, *, with_closed: bool = False) -> list[Request]:
    """The requests, those due first in front; with `with_closed` also those that have ended."""
    return _read(
        settings, " where state <> 'closed' or %s order by answer_by, request_id", (with_closed,)
    )


def show(settings: Settings, request_id: UUID) -> Request:
    """One request. Raises UsageError where there is none."""
    found = _read(settings, " where request_id = %s", (request_id,))
    if not found:
        raise UsageError("there is no such request: `retention request list` shows them")
    return found[0]


def next_step(request: Request) -> str:
    """What is to be done next, in one line."""
    if request.state is RequestState.RECEIVED:
        if request.subject_token is None:
            return "find out whose it is: `retention request identify`"
        if request.asserted is None:
            return "say which right it uses: `retention request identify`"
        return "verify the person's identity: `retention request verify`"
    if request.state is RequestState.IDENTITY_VERIFIED and request.asserted is not None:
        return _ANSWERS[request.asserted]
    if request.state is RequestState.DECIDED:
        return "wait for the job that carries it out, or `retention request carry-out`"
    if request.state is RequestState.CARRIED_OUT:
        return "tell the person, then `retention request close`"
    return "nothing: it has ended"


def _read(settings: Settings, condition: str, values: tuple[Any, ...]) -> list[Request]:
    with (
        connect(settings, read_only=True) as conn,
        safe_errors("reading the register"),
        conn.cursor(row_factory=class_row(_Row)) as cursor,
    ):
        cursor.execute((_SHOWN + condition).encode(), values)
        return [row.request for row in cursor.fetchall()]


class _Row:
    """A row of the register as the words of the model."""

    def __init__(self, asserted: str | None, state: str, **rest: Any) -> None:
        self.request = Request(
            asserted=Right(asserted) if asserted else None, state=RequestState(state), **rest
        )
