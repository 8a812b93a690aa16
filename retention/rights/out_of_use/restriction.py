"""Restricting the data of a person, and lifting that again (GDPR art. 18).

Belongs here: whom or what a restriction is placed on, and the notice that comes before its end.
Does not belong here: what a restriction does: the models, the purge's guards and `withdraw` keep
its records out of everything.
"""

from datetime import date
from typing import Any
from uuid import UUID

import psycopg

from retention.errors import UsageError
from retention.rights.register import as_officer
from retention.settings import Settings


def restrict(
    settings: Settings,
    *,
    person: str | None = None,
    request_id: UUID | None = None,
    record: str | None = None,
    reason: str,
    authority: str,
) -> UUID:
    """Restrict everything of a person, or with `record` (`schema.table:key`) that record alone;
    returns the number of the restriction.

    The person is named by a token or a data subject (`schema.table:key`), or by a request, which is
    decided and carried out by it in the same transaction. Raises UsageError for a person or record
    that the last classification does not know, Refused for a request that may not be decided.
    """
    if (person is None) == (request_id is None):
        raise UsageError("name whose data it is: a REQUEST, or --person TOKEN")
    with as_officer(settings, "placing a restriction") as conn:
        whose = person or _person_of(conn, request_id)
        row = conn.execute(
            "select ledger.restrict(%s, %s, %s, %s)",
            (whose, record, reason, authority),
        ).fetchone()
        if request_id is not None:
            conn.execute("select ledger.decide_request(%s, 'granted')", (request_id,))
            conn.execute("select ledger.carry_out_request(%s)", (request_id,))
    assert row is not None
    placed: UUID = row[0]
    return placed


def _person_of(conn: psycopg.Connection[Any], request_id: UUID | None) -> str:
    row = conn.execute(
        "select subject_token::text, asserted from ledger.requests where request_id = %s",
        (request_id,),
    ).fetchone()
    if row is None or row[1] != "restriction":
        raise UsageError(
            "there is no request for a restriction of that number: `retention request list`"
        )
    if row[0] is None:
        raise UsageError("nobody knows whose request it is yet: `retention request find` first")
    return str(row[0])


def tell(settings: Settings, blocker_id: UUID, *, told_on: date, how: str) -> UUID:
    """Log that the person was told of the restriction's end, and commit it: only then may it be lifted.

    Raises UsageError for a day before the restriction or to come, and for a blocker of another kind.
    """
    with as_officer(settings, "logging the notice") as conn:
        row = conn.execute(
            "select ledger.log_restriction_notice(%s, %s, %s)", (blocker_id, told_on, how)
        ).fetchone()
    assert row is not None
    logged: UUID = row[0]
    return logged


def lift(settings: Settings, blocker_id: UUID, *, told_on: date | None, how: str | None) -> None:
    """Lift a restriction. With `told_on` and `how`, log first that the person was told; without,
    that must have been logged before. Its records are in use again after the next classification.

    Raises UsageError where one of the two is missing, Refused where nobody was told.
    """
    if (told_on is None) != (how is None):
        raise UsageError("the notice needs the day and the way: give both --told-on and --how")
    if told_on is not None and how is not None:
        tell(settings, blocker_id, told_on=told_on, how=how)
    with as_officer(settings, "lifting a restriction") as conn:
        conn.execute("select ledger.lift_restriction(%s)", (blocker_id,))
