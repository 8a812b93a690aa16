"""Taking landed requests into the register, as the last classification has them.

Belongs here: the one statement that does it. Does not belong here: how a landed row says which right it
uses (`retention.declarations`), and what is done with a request then (`register`).

It comes after a classification, which finds the persons by whatever link is declared. Nothing is lost by
that: a landed request holds its person by its own row until the register has it.
"""

from dataclasses import dataclass

from psycopg.rows import class_row

from retention.ledger.failures import safe_errors
from retention.rights.terms import terms
from retention.settings import Settings
from retention.warehouse.connection import connect


@dataclass(frozen=True)
class Intake:
    """What an intake found: requests that are new in the register, how many of them had been closed at
    their source before and how many wait for somebody to say whose they are, and earlier ones whose person
    is known now."""

    registered: int
    registered_closed: int
    identified: int
    unidentified: int


def take_in(settings: Settings) -> Intake:
    """Take in what the register lacks, each landed row once.

    Raises UsageError where nothing was classified yet, Refused for a login that may not.
    """
    with (
        connect(settings) as conn,
        safe_errors("taking in the landed requests"),
        conn.cursor(row_factory=class_row(Intake)) as cursor,
    ):
        given = terms(settings, conn)
        cursor.execute(
            "select * from ledger.intake_requests(%s, %s, %s)",
            (given.within.months, given.within.days, given.authority),
        )
        found = cursor.fetchone()
    assert found is not None
    return found
