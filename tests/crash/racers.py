"""What races against a purge: each kind of blocker, and what of a case it protects.

Belongs here: the statements of a hold, a restriction, a decision, a landing or a re-sync. Does not
belong here: when they run (`racing`).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, LiteralString

import psycopg

from tests.crash.books import Books
from tests.factories import Shop

Connection = psycopg.Connection[Any]

#: Rows that a racer lands are numbered from here on, so that they are nobody else's.
LANDED_FROM = 1_000_000


@dataclass(frozen=True)
class Change:
    """What a racer did to one landing table, booked if it commits."""

    table: str
    removed: int
    landed: int


@dataclass(frozen=True)
class Racer:
    """One kind of racer. `guard` names the lock of the batch that it meets; `protects` the tables whose
    rows of the case must stay where it came first, None for the whole case; one that `blocks` nothing
    only shares the tables with the batch."""

    kind: str
    guard: Literal["ours", "landing"]
    act: Callable[[Connection, int], Change | None]
    protects: Collection[str] | None = None
    blocks: bool = True


def blocker(kind: str, scope: str, target: LiteralString) -> Callable[[Connection, int], None]:
    """Places a blocker; `{}` in the target is the number of the person."""

    def act(conn: Connection, number: int) -> None:
        conn.execute(
            "select ledger.place_blocker(%s, %s, %s, 'r', 'a',"
            " until_on => case when %s = 'lock' then ledger.today() + 9 end)",
            (kind, scope, target.format(number), kind),
        )

    return act


def decision(conn: Connection, number: int) -> None:
    conn.execute(
        "select ledger.decide_review('shop', 'recording', %s, 'keep', 'r',"
        " keep_until => ledger.today() + 9)",
        (str(number),),
    )


def landing(table: str, statement: LiteralString) -> Callable[[Connection, int], Change]:
    """Lands one row; %(id)s is its number and %(person)s the person's."""

    def act(conn: Connection, number: int) -> Change:
        conn.execute(statement, {"id": LANDED_FROM + number, "person": number})
        return Change(table, removed=0, landed=1)

    return act


def facts_updated(conn: Connection, number: int) -> Change | None:
    """A re-sync that updates in place."""
    conn.execute("update shop.person set email = 'ny@shop.example' where id = %s", (number,))
    return None


def row_synced_again(*, facts_changed: bool) -> Callable[[Connection, int], Change | None]:
    """A re-sync that deletes and inserts: only its system column changes, or a fact as well."""

    def act(conn: Connection, number: int) -> Change | None:
        row = conn.execute(
            "select created_at, name, email from shop.person where id = %s", (number,)
        ).fetchone()
        if row is None:
            return None
        removed = conn.execute("delete from shop.person where id = %s", (number,)).rowcount
        conn.execute(
            "insert into shop.person (id, created_at, name, email, _fivetran_deleted,"
            " _fivetran_synced) values (%s, %s, %s, %s, false, now())",
            (number, *row[:2], "ny@shop.example" if facts_changed else row[2]),
        )
        return Change("person", removed=removed, landed=1)

    return act


RACERS = (
    Racer("hold on a person", "ours", blocker("hold", "subject", "shop.person:{}")),
    Racer(
        "hold on an assignment",
        "ours",
        blocker("hold", "assignment", "shop.assignment:{}"),
        {"assignment", "document"},
    ),
    Racer(
        "hold on a record", "ours", blocker("hold", "record", "shop.recording:{}"), {"recording"}
    ),
    Racer("hold on a table", "ours", blocker("hold", "table", "shop.visit"), {"visit"}),
    Racer("restriction", "ours", blocker("restriction", "subject", "shop.person:{}")),
    Racer("lock", "ours", blocker("lock", "subject", "shop.person:{}")),
    Racer("review", "ours", decision, {"recording"}),
    Racer(
        "contact",
        "landing",
        landing(
            "contact",
            "insert into shop.contact (id, person_id, kind, occurred_at)"
            " values (%(id)s, %(person)s, 'call', now())",
        ),
    ),
    Racer(
        "mail",
        "landing",
        landing(
            "mail",
            "insert into shop.mail (id, from_address, purpose, received_at)"
            " values (%(id)s, 'PERSON' || %(person)s || '@shop.example', 'inquiry', now())",
        ),
    ),
    Racer(
        "request",
        "landing",
        landing(
            "request",
            "insert into shop.request (id, person_id, state, received_at)"
            " values (%(id)s, %(person)s, 'received', now())",
        ),
    ),
    Racer(
        "assignment",
        "landing",
        landing(
            "assignment",
            "insert into shop.assignment (id, person_id, type, state, opened_at, _fivetran_start,"
            " _fivetran_active) values (%(id)s, %(person)s, 'advice', 'open', now(), now(), true)",
        ),
    ),
    Racer(
        "lead",
        "landing",
        landing(
            "lead",
            "insert into shop.lead (id, person_id, partner_id, received_at)"
            " values (%(id)s, %(person)s, 1, now())",
        ),
    ),
    Racer("re-sync, updated", "landing", facts_updated),
    Racer("re-sync, changed", "landing", row_synced_again(facts_changed=True)),
    # No fact changes: the row goes all the same, as it landed again.
    Racer("re-sync, unchanged", "landing", row_synced_again(facts_changed=False), blocks=False),
)


def book(books: Books, change: Change) -> None:
    """Enter in the books what a racer committed. A row that lands where the purged one lay came back."""
    books.removed[change.table] += change.removed
    if change.table == "person" and not change.removed:
        books.resurrected[change.table] += change.landed
    else:
        books.landed[change.table] += change.landed


def release_table_holds(shop: Shop) -> None:
    """End the holds that would keep everybody's rows of a table."""
    shop.conn.execute(
        "select ledger.release_blocker(blocker_id) from ledger.blockers"
        " where scope = 'table' and released_at is null"
    )
    shop.conn.commit()
