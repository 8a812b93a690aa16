"""The two guards of a batch: ours, and landing's.

Belongs here: taking the locks that make a batch and whatever races against it wait for each other, and
skipping what turned out to be guarded. Does not belong here: judging changed facts (`live`).

Ours: a blocker's writer changes the very row that the batch locks and tests in one statement, so the
batch either sees the blocker or makes its writer wait. A test that only reads the blockers loses that
race at every isolation level. Landing's writers know nothing of us: they are kept out by a SHARE lock
for as long as the batch looks and deletes.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors

from retention.declarations import TableDeclaration
from retention.errors import Refused

Connection = psycopg.Connection[Any]

HELD = "held, restricted or locked since it was planned"
DECIDED = "decided in review since it was planned"
OTHERWISE = "decided otherwise since it was planned"


def only_purge(conn: Connection, milliseconds: int) -> None:
    """Take the lock that one batch anywhere holds at a time, until the transaction ends.

    Raises Refused where it is not free after so long; the transaction can then only be undone.
    """
    wait_at_most(conn, milliseconds)
    try:
        conn.execute("select pg_advisory_xact_lock(ledger.purge_lock())")
    except errors.LockNotAvailable:
        raise Refused("another purge or a classification is going on: wait for it to end") from None


def wait_at_most(conn: Connection, milliseconds: int) -> None:
    """Let every wait for a lock in this transaction fail after so long."""
    conn.execute("select set_config('lock_timeout', %s, true)", (str(milliseconds),))


def skip_guarded(conn: Connection, plan_id: UUID, first: int, last: int) -> None:
    """Lock the guards of the items and skip those that are held, restricted, locked or were decided.

    An item survives only if every one of its guard rows could be locked with no blocker on it. The
    test stands in the statement that locks: after waiting for a hold that was being placed, PostgreSQL
    tests the row again as the hold left it.
    """
    conn.execute(
        """
        with wanted as materialized (
            select distinct unnest(guard_keys) as guard_key
            from ledger.plan_items
            where plan_id = %(plan)s and item_no between %(first)s and %(last)s and state = 'planned'
        ),
        free as materialized (
            select guards.guard_key, guards.records, guards.row_only
            from ledger.guards as guards
            where guards.guard_key = any(array(select guard_key from wanted))
            and guards.blockers = 0
            order by guards.guard_key
            for update of guards
        ),
        held_records as materialized (
            select guard_key || ':' || unnest(records) as held, false as row_only
            from free where records <> '{}'
            union all
            select guard_key || ':' || unnest(row_only), true from free where row_only <> '{}'
        )
        update ledger.plan_items as items
        set state = 'skipped', skip_reason = %(held)s
        where items.plan_id = %(plan)s and items.item_no between %(first)s and %(last)s
        and items.state = 'planned'
        and (
            exists (
                select from unnest(items.guard_keys) as key
                where key not in (select guard_key from free)
            )
            or 'table:' || items.source_schema || '.' || items.source_table || ':' || items.record_key
            in (
                select held from held_records
                where not row_only or items.disposition <> 'minimise'
            )
        )
        """,
        {"plan": plan_id, "first": first, "last": last, "held": HELD},
    )
    # A decision locks the guard of its table before it is written, and the lock above was waited for:
    # under read committed these statements see every decision that could have come before the batch.
    conn.execute(
        """
        update ledger.plan_items as items
        set state = 'skipped', skip_reason = %(decided)s
        from ledger.review_decisions as decisions, ledger.plans as plans
        where items.plan_id = %(plan)s and items.item_no between %(first)s and %(last)s
        and items.state = 'planned'
        and plans.plan_id = items.plan_id
        and decisions.source_schema = items.source_schema
        and decisions.source_table = items.source_table
        and decisions.record_key = items.record_key
        and decisions.decided_at > plans.planned_at
        """,
        {"plan": plan_id, "first": first, "last": last, "decided": DECIDED},
    )
    conn.execute(
        """
        update ledger.plan_items as items
        set state = 'skipped', skip_reason = %(otherwise)s
        from ledger.uncovered_items(%(plan)s, %(first)s, %(last)s) as uncovered
        where items.plan_id = %(plan)s and items.item_no = uncovered.item_no
        and items.state = 'planned'
        and (select scope from ledger.plans where plan_id = %(plan)s) = 'decided'
        """,
        {"plan": plan_id, "first": first, "last": last, "otherwise": OTHERWISE},
    )


def lock_landing(conn: Connection, tables: Iterable[TableDeclaration]) -> None:
    """Keep every writer out of the declared tables until the transaction ends.

    All of them, and not the planned ones alone: a contact, a request or a new row that lands while the
    batch looks would change what it looked at. Raises psycopg's LockNotAvailable after the wait.
    """
    names = [(table.schema_, table.name) for table in tables]
    conn.execute(
        "select ledger.lock_landing(%s::text[], %s::text[])",
        ([schema for schema, _ in names], [name for _, name in names]),
    )
