"""Objects outside the warehouse that a row points to: recordings, documents, scans (§ 2).

Belongs here: ordering their deletion for the items of an approved plan, skipping in a batch what no
store has confirmed, and erasing the pointers of rows that went. Does not belong here: handing orders to
a store and taking its answer (`retention.orders`).

An order cannot be called back once a store has carried it out, so it is given with the care of a batch:
behind the same gate and the same two guards, and only for rows that would still go.
"""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from retention.declarations import TableDeclaration
from retention.plan.tables import PlanTable
from retention.purge import guards, live
from retention.purge.delete import Range, same_key

Connection = psycopg.Connection[Any]

UNCONFIRMED = "its external object is not confirmed deleted"

# Long enough for a hold that somebody is placing; for landing shorter than deadlock_timeout, as a batch.
_GUARD_WAIT = 5_000
_LANDING_WAIT = 700


def unordered(
    conn: Connection, plan_id: UUID, tables: Sequence[PlanTable]
) -> list[TableDeclaration]:
    """Which of `tables` hold rows of the plan that point to an object nobody has ordered yet.

    Orders that do not stand any more are withdrawn first.
    """
    conn.execute("select ledger.withdraw_stale_orders()")
    return [
        table.declaration
        for table in tables
        if table.declaration.stores
        and not table.refused
        and _has_unordered(conn, plan_id, table.declaration)
    ]


def write_orders(
    conn: Connection,
    items: Range,
    pointing: Sequence[TableDeclaration],
    tables: Sequence[TableDeclaration],
) -> int:
    """Order the deletion of every object that `items` of the tables `pointing` point to; returns how
    many orders are new. `tables` are all that can be read.

    Belongs in one transaction, behind the purge's lock and gate. What is held, was decided, is judged
    otherwise today or has changed in landing is left out, as a batch would skip it.
    """
    guards.wait_at_most(conn, _GUARD_WAIT)
    _lock_guards(conn, items.plan_id, [table.qualified for table in pointing])
    guards.wait_at_most(conn, _LANDING_WAIT)
    guards.lock_landing(conn, tables)
    live.collect_affected(conn, items.plan_id, items.first, items.last, tables)
    for table in pointing:
        _ask(conn, items.plan_id, table, _INSERT + _UNORDERED + _STILL_GOES)
    row = conn.execute("select ledger.attest_orders(%(plan)s)", items.parameters()).fetchone()
    assert row is not None
    return int(row[0])


def skip_unconfirmed(conn: Connection, items: Range, tables: Sequence[TableDeclaration]) -> None:
    """Skip every item to be purged whose row points to an object that its store has not confirmed deleted.

    Confirmed is the very object that the row points to now, and no other order of the row is open.
    """
    for table in tables:
        if not table.stores:
            continue
        _ask(
            conn,
            items.plan_id,
            table,
            """
            update ledger.plan_items as record
            set state = 'skipped', skip_reason = %(reason)s
            where record.plan_id = %(plan)s and record.item_no between %(first)s and %(last)s
            and record.state = 'planned' and record.disposition <> 'minimise'
            and record.source_schema = %(schema)s and record.source_table = %(table)s
            and (
                exists (
                    select from ledger.deletion_orders as orders
                    where orders.source_schema = record.source_schema
                    and orders.source_table = record.source_table
                    and orders.token = record.token
                    and orders.acknowledged_at is null and orders.erased_at is null
                )
                or exists (
                    select from {landing} as landed
                    cross join lateral (values {pointers}) as pointer (object_pointer, store)
                    where {same_key} and btrim(pointer.object_pointer) <> ''
                    and not exists (
                        select from ledger.deletion_orders as orders
                        where orders.source_schema = record.source_schema
                        and orders.source_table = record.source_table
                        and orders.token = record.token
                        and orders.store = pointer.store
                        and orders.object_pointer = pointer.object_pointer
                        and orders.acknowledged_at is not null
                    )
                )
            )
            """,
            first=items.first,
            last=items.last,
            reason=UNCONFIRMED,
        )


def erase_pointers(conn: Connection, items: Range) -> None:
    """Erase the pointers of the rows that the batch purged."""
    conn.execute("select ledger.erase_orders_of_batch(%(plan)s, %(batch)s)", items.parameters())


# Objects that items to be purged point to: a row that stays keeps its own. Ordered once: also by an
# earlier plan that the row was skipped in.
_UNORDERED = """
    from ledger.plan_items as record
    join {landing} as landed on {same_key}
    cross join lateral (values {pointers}) as pointer (object_pointer, store)
    where record.plan_id = %(plan)s and record.state = 'planned' and record.disposition <> 'minimise'
    and record.source_schema = %(schema)s and record.source_table = %(table)s
    and btrim(pointer.object_pointer) <> ''
    and not exists (
        select from ledger.deletion_orders as known
        where known.source_schema = record.source_schema
        and known.source_table = record.source_table
        and known.token = record.token
        and known.store = pointer.store
        and known.object_pointer = pointer.object_pointer
    )
"""


def _has_unordered(conn: Connection, plan_id: UUID, table: TableDeclaration) -> bool:
    row = _ask(conn, plan_id, table, "select exists (select" + _UNORDERED + ")").fetchone()
    return bool(row and row[0])


def _lock_guards(conn: Connection, plan_id: UUID, names: list[str]) -> None:
    """Lock and test the guards of the items in one statement; pg_temp.order_guard holds the free ones."""
    conn.execute(
        """
        create temporary table order_guard on commit drop as
        select guards.guard_key, guards.records
        from ledger.guards as guards
        where guards.guard_key = any(array(
            select distinct unnest(guard_keys) from ledger.plan_items
            where plan_id = %s and state = 'planned'
            and source_schema || '.' || source_table = any(%s)
        ))
        and guards.blockers = 0
        order by guards.guard_key
        for update of guards
        """,
        (plan_id, names),
    )


_INSERT = """
    insert into ledger.deletion_orders (
        plan_id, source_schema, source_table, token, record_key, guard_keys, store, object_pointer
    )
    select distinct record.plan_id, record.source_schema, record.source_table, record.token,
        record.record_key, record.guard_keys, pointer.store, pointer.object_pointer
"""

# What a batch would not skip either.
_STILL_GOES = """
    -- Judged as when it was planned, on facts that have not moved.
    and exists (
        select from retention.records as records
        join intermediate.int_record_cases as cases
            on cases.source_schema = records.source_schema
            and cases.source_table = records.source_table
            and cases.record_key = records.record_key
        join intermediate.int_case_fingerprints as fingerprints
            on fingerprints.case_id = cases.case_id
        where records.source_schema = record.source_schema
        and records.source_table = record.source_table
        and records.record_key = record.record_key
        and records.status = 'overdue' and records.disposition = record.disposition
        and records.rule_id = record.rule_id
        and records.anchor_on is not distinct from record.anchor_on
        and records.due_on = record.due_on
        and cases.case_id = record.case_id
        and fingerprints.fingerprint is not distinct from record.case_fingerprint
    )
    and record.case_id not in (select case_id from pg_temp.purge_affected)
    -- Held, restricted or locked by nobody, and decided by nobody since.
    and record.guard_keys <@ array(select guard_key from pg_temp.order_guard)
    and not exists (
        select from pg_temp.order_guard as held
        where held.guard_key = 'table:' || record.source_schema || '.' || record.source_table
        and record.record_key = any(held.records)
    )
    and not exists (
        select from ledger.review_decisions as decisions
        join ledger.plans as plans on plans.planned_at < decisions.decided_at
        where plans.plan_id = record.plan_id
        and decisions.source_schema = record.source_schema
        and decisions.source_table = record.source_table
        and decisions.record_key = record.record_key
    )
"""


def _ask(
    conn: Connection, plan_id: UUID, table: TableDeclaration, statement: LiteralString, **more: Any
) -> psycopg.Cursor[Any]:
    """Run a statement about the objects that one landing table points to."""
    return conn.execute(
        sql.SQL(statement).format(
            landing=sql.Identifier(table.schema_, table.name),
            pointers=_pointers(table),
            same_key=same_key(conn, table),
        ),
        {"plan": plan_id, "schema": table.schema_, "table": table.name, **more},
    )


def _pointers(table: TableDeclaration) -> sql.Composable:
    """The columns of a landing row that point outside, each with its store, as rows."""
    return sql.SQL(", ").join(
        sql.SQL("(landed.{}::text, {})").format(sql.Identifier(column), sql.Literal(store))
        for column, store in table.stores.items()
    )
