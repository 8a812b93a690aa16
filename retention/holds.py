"""Legal holds, restrictions (GDPR art. 18) and locks (§ 8): what keeps records from being purged.

Belongs here: placing, confirming, releasing and listing them, as the login that is connected. Does not
belong here: what they do to a record's status (the models) or to a purge (`retention.purge.guards`).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect

Kind = Literal["hold", "restriction", "lock"]
Scope = Literal["subject", "assignment", "record", "table"]


@dataclass(frozen=True)
class Restart:
    """The claim was acknowledged on a day: by that law R4 begins anew (requirements § 2)."""

    law: str
    on: date


@dataclass(frozen=True)
class Blocker:
    """One hold, restriction or lock. `target`: a person's token, an assignment or record as
    `schema.table:key`, a table as `schema.table`; None once what it named was purged. Of a lock neither
    target nor reason is told (§ 8). `is_past_its_day`:
    it stands beyond the day that was expected, and nobody has confirmed that or released it."""

    blocker_id: UUID
    kind: str
    scope: str
    target: str | None
    reason: str | None
    authority: str
    from_on: date
    until_on: date | None
    placed_by: str
    placed_at: datetime
    released_at: datetime | None
    released_by: str | None
    is_past_its_day: bool


def place(
    settings: Settings,
    *,
    kind: Kind,
    scope: Scope,
    target: str,
    reason: str,
    authority: str,
    from_on: date | None = None,
    until_on: date | None = None,
) -> UUID:
    """Place a blocker and return its number. A purge under way waits for it, or is waited for.

    A person is named as `schema.table:key` or by token. A hold does not end on `until_on` by itself: it
    stands until it is released. Raises UsageError for a target that the last classification does not
    know: a hold on a misspelt target would protect nothing.
    """
    with connect(settings) as conn, safe_errors("placing a blocker"):
        row = conn.execute(
            "select ledger.place_blocker(%s, %s, %s, %s, %s, %s, %s)",
            (kind, scope, target, reason, authority, from_on, until_on),
        ).fetchone()
    assert row is not None
    placed: UUID = row[0]
    return placed


def confirm(settings: Settings, blocker_id: UUID, *, until_on: date, reason: str) -> None:
    """Say that a hold or restriction is to stand until a later day.

    Raises UsageError for a lock (it ends with its hindrance), a day that is past or no later than the
    one before, or a missing reason; Refused when it was released before.
    """
    with connect(settings) as conn, safe_errors("confirming a blocker"):
        conn.execute("select ledger.confirm_blocker(%s, %s, %s)", (blocker_id, until_on, reason))


def release(settings: Settings, blocker_id: UUID, *, restart: Restart | None = None) -> int:
    """Release a blocker; returns for how many completed assignments R4 begins anew.

    Only with `restart` does it begin anew at all, only for a hold on an assignment or on a person (then
    for each completed assignment of the person), and it never ends earlier than it would have. Raises
    UsageError when there is no such blocker or nothing to begin anew, Refused when it was released before.
    """
    with connect(settings) as conn, safe_errors("releasing a blocker"):
        row = conn.execute(
            "select ledger.release_blocker(%s, %s, %s)",
            (blocker_id, restart.law if restart else None, restart.on if restart else None),
        ).fetchone()
    assert row is not None
    return int(row[0])


def list_(settings: Settings, *, released: bool = False) -> list[Blocker]:
    """The blockers in force, oldest first; with `released`, those that ended too."""
    with (
        connect(settings, read_only=True) as conn,
        safe_errors("listing the blockers"),
        conn.cursor(row_factory=class_row(Blocker)) as cursor,
    ):
        cursor.execute(
            "select blocker_id, kind, scope, target, reason, authority, from_on, until_on, placed_by,"
            " placed_at, released_at, released_by,"
            " coalesce(released_at is null and kind <> 'lock' and until_on < ledger.today(), false)"
            " as is_past_its_day from ledger.blockers_shown"
            " where %s or released_at is null order by placed_at, blocker_id",
            (released,),
        )
        return cursor.fetchall()
