"""Legal holds, restrictions (GDPR art. 18) and locks (§ 8): what keeps records from being purged.

Belongs here: placing, releasing and listing them, as the login that is connected. Does not belong here:
what they do to a record's status (the models) or to a purge (`retention.purge.guards`).
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
class Blocker:
    """One hold, restriction or lock. `target`: a person's token, an assignment or record as
    `schema.table:key`, a table as `schema.table`; None once what it named was purged."""

    blocker_id: UUID
    kind: str
    scope: str
    target: str | None
    reason: str
    authority: str
    from_on: date
    until_on: date | None
    placed_by: str
    placed_at: datetime
    released_at: datetime | None
    released_by: str | None


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


def release(settings: Settings, blocker_id: UUID) -> None:
    """Release a blocker. Raises UsageError when there is none, Refused when it was released before."""
    with connect(settings) as conn, safe_errors("releasing a blocker"):
        conn.execute("select ledger.release_blocker(%s)", (blocker_id,))


def list_(settings: Settings, *, released: bool = False) -> list[Blocker]:
    """The blockers in force, oldest first; with `released`, those that ended too."""
    with (
        connect(settings, read_only=True) as conn,
        safe_errors("listing the blockers"),
        conn.cursor(row_factory=class_row(Blocker)) as cursor,
    ):
        cursor.execute(
            "select blocker_id, kind, scope, target, reason, authority, from_on, until_on, placed_by,"
            " placed_at, released_at, released_by from ledger.blockers"
            " where %s or released_at is null order by placed_at, blocker_id",
            (released,),
        )
        return cursor.fetchall()
