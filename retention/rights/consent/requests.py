"""Objections and withdrawals that came as requests (§ 4, § 8; GDPR art. 7(3), 21(3)).

Belongs here: deciding such a request, which orders by itself what happens, and carrying it out as far as
that is done at once. Does not belong here: the register and its states (`retention.rights.register`), and
what a withdrawal erases, which the next classification decides record by record.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from retention.coverage import compare
from retention.declarations import load_declarations
from retention.errors import UsageError
from retention.keys import load_keys, refuse_logged_values
from retention.ledger.failures import safe_errors
from retention.policy import in_force, load_versions
from retention.policy.processing import Purpose
from retention.rights.consent import points
from retention.rights.model import RequestState, Right
from retention.rights.register import as_officer
from retention.settings import Settings
from retention.warehouse.clock import today
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Answered:
    """What became of the request: its state now, and for a withdrawal what that does."""

    state: RequestState
    on_withdrawal: str | None = None


def object_to_marketing(settings: Settings, request_id: UUID) -> Answered:
    """Decide an objection to marketing, suppress every contact point of its person that lies in landing,
    and say that it is carried out. One that is decided already is carried out.

    The officer decides; the engine, which has the key and reads landing, suppresses. Raises UsageError
    where the request is none, Refused where its person is not verified, the key is missing, or the server
    would write what is bound to its log: then it stays decided, and the next classification carries it out.
    """
    with as_officer(settings, "deciding an objection") as conn:
        _decide(conn, request_id, Right.OBJECTION)
    declarations = load_declarations(settings.declarations_dir)
    with connect(settings, role=CLASSIFIER) as conn, safe_errors("suppressing contact points"):
        refuse_logged_values(conn)
        key = load_keys(settings, conn).current
        set_aside = set(compare(conn, declarations).set_aside)
        with conn.transaction():
            points.carry_out_objections(conn, declarations, key, set_aside)
        return Answered(_state(conn, request_id))


def withdraw_consent(settings: Settings, request_id: UUID) -> Answered:
    """Decide the withdrawal of a consent. Where the policy erases, the next classification finds the
    records and the job erases them within the policy's days; where it stops the sharing, that has stopped
    with the decision, and the partners are told.

    Raises UsageError where the request is no withdrawal of a purpose that rests on consent, Refused where
    its person is not verified.
    """
    with as_officer(settings, "deciding a withdrawal") as conn:
        purpose = _purpose(settings, conn, request_id)
        _decide(conn, request_id, Right.WITHDRAWAL)
        if purpose.on_withdrawal == "stop":
            conn.execute("select ledger.notify('sharing_stopped', %s)", ([request_id],))
            conn.execute("select ledger.carry_out_request(%s)", (request_id,))
        return Answered(_state(conn, request_id), purpose.on_withdrawal)


def _decide(conn: Connection, request_id: UUID, right: Right) -> None:
    row = conn.execute(
        "select asserted, state from ledger.requests where request_id = %s", (request_id,)
    ).fetchone()
    if row is None:
        raise UsageError("there is no such request: `retention request list` shows them")
    if row[0] != right:
        raise UsageError(f"the request is no {right}: `retention request show` says what it is")
    if row[1] != RequestState.DECIDED:
        conn.execute("select ledger.decide_request(%s, 'granted')", (request_id,))


def _purpose(settings: Settings, conn: Connection, request_id: UUID) -> Purpose:
    row = conn.execute(
        "select purpose from ledger.requests where request_id = %s", (request_id,)
    ).fetchone()
    known = {
        purpose.id: purpose
        for purpose in in_force(load_versions(settings.policy_dir), today(conn)).purposes
        if purpose.consent_only
    }
    if row is None or row[0] not in known:
        raise UsageError(
            "the request names no purpose that rests on consent alone: the policy has"
            f" {', '.join(sorted(known))}; register it anew with one of them"
        )
    return known[row[0]]


def _state(conn: Connection, request_id: UUID) -> RequestState:
    row = conn.execute(
        "select state from ledger.requests where request_id = %s", (request_id,)
    ).fetchone()
    assert row is not None
    return RequestState(row[0])
