"""One batch: one transaction that looks again, deletes what still may go, and leaves its evidence.

Belongs here: the order of the steps, which is what makes them safe. Does not belong here: the steps
themselves, and what happens between batches (`run`).

1. The lock that one batch anywhere holds. 2. The gate: nothing is halted, no other executor has taken
the plan over, and plan, approval, policy, code, classification and key are what they were. 3. Our guards,
which wait for a hold that is being placed. 4. Landing's: every declared table is locked against writers,
so that nothing lands between the look and the delete. 5. The look: the records as classified today, then
the facts as they land now, then objects outside the warehouse that are not confirmed deleted, then what
other records of a case stand on. 6. Columns made null, deletes, and tombstones of both, landing and
copies, pointers. 7. The evidence. 8. Commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import IsolationLevel

from retention import suppressions
from retention.declarations import Declarations, TableDeclaration
from retention.errors import Refused, WarehouseError
from retention.keys import MasterKey
from retention.lineage import Lineage
from retention.lineage.copies import copies, touched
from retention.plan.tables import PlanTable, plan_tables
from retention.policy.coverage import CoverageRules
from retention.purge import (
    delete,
    downstream,
    evidence,
    external,
    guards,
    live,
    minimise,
    reclassified,
    withdrawn,
)
from retention.purge.delete import GONE, Range
from retention.purge.evidence import TableEvidence
from retention.purge.failpoints import reached
from retention.rights.consent import points

Connection = psycopg.Connection[Any]

# Long enough for a hold that somebody is placing, short enough that nobody is kept waiting by us.
_GUARD_WAIT = 5_000
# Between two batches others hold the lock for an instant: a halt that looks, a classification that begins.
_TURN_WAIT = 2_000
# Shorter than deadlock_timeout (1 s by default): where a loader and we wait for each other, we give up
# before the server picks a victim, which could be the loader.
_LANDING_WAIT = 700


@dataclass(frozen=True)
class Job:
    """What stays the same from batch to batch. `key` is the plan's, `new_key` what is written under now."""

    plan_id: UUID
    declarations: Declarations
    lineage: Lineage
    coverage: CoverageRules
    code_hash: str
    key: MasterKey
    new_key: MasterKey
    batch_items: int
    fence: int


def run_batch(conn: Connection, job: Job) -> int | None:
    """Carry out the next batch in one transaction. Returns the rows purged or minimised, None
    when no item is left.

    Raises Refused when a guard forbids going on, WarehouseError when the batch broke a promise; the
    batch is then undone. psycopg's errors pass through, for the caller to try again.
    """
    # Each statement must see what was committed while it waited for a lock.
    conn.isolation_level = IsolationLevel.READ_COMMITTED
    with conn.transaction():
        guards.only_purge(conn, _TURN_WAIT)
        reached("after_lock")
        _enter(conn, job)
        items = _next_range(conn, job)
        if items is None:
            return None
        guards.wait_at_most(conn, _GUARD_WAIT)
        guards.skip_guarded(conn, items.plan_id, items.first, items.last)
        reached("after_guards")

        tables = _tables(conn, job)
        readable = [table.declaration for table in tables if table.readable]
        guards.wait_at_most(conn, _LANDING_WAIT)
        guards.lock_landing(conn, readable)
        reached("after_landing_lock")
        # Asked again behind the lock: what a table can do on delete cannot change from here on.
        tables = _tables(conn, job)
        downstream.refuse_changed(conn, job.lineage)

        reclassified.skip_withheld(conn, items, tables)
        _refuse_tables(conn, items, tables)
        reclassified.skip_reclassified(conn, items)
        live.skip_changed(conn, items.plan_id, items.first, items.last, readable)
        external.skip_unconfirmed(conn, items, readable)
        reclassified.skip_anchors(conn, items, tables)
        reclassified.check_tokens(conn, items, job.key)
        changed, copied = _purge(conn, items, tables, job)
        external.erase_pointers(conn, items)
        evidence.number_skipped(conn, items)
        evidence.append(conn, items, job.fence, changed, copied)
        reached("before_commit")
    reached("after_commit")
    return sum(table.purged + table.minimised for table in changed)


def order_deletions(conn: Connection, job: Job) -> int:
    """Order from their stores, in one transaction, the objects that the plan's rows point to, and
    return how many orders are new. Raises as `run_batch` does; nothing is skipped or deleted."""
    conn.isolation_level = IsolationLevel.READ_COMMITTED
    with conn.transaction():
        guards.only_purge(conn, _TURN_WAIT)
        _enter(conn, job)
        tables = _tables(conn, job)
        pointing = external.unordered(conn, job.plan_id, tables)
        if not pointing:
            return 0
        items = _all_planned(conn, job)
        reclassified.check_tokens(conn, items, job.key)
        readable = [table.declaration for table in tables if table.readable]
        return external.write_orders(conn, items, pointing, readable)


def _all_planned(conn: Connection, job: Job) -> Range:
    row = conn.execute(
        "select min(item_no), max(item_no) from ledger.plan_items"
        " where plan_id = %s and state = 'planned'",
        (job.plan_id,),
    ).fetchone()
    assert row is not None
    return Range(job.plan_id, first=row[0], last=row[1], batch_no=0)


def _tables(conn: Connection, job: Job) -> list[PlanTable]:
    return plan_tables(
        conn, job.declarations, planning=False, lineage=job.lineage, coverage=job.coverage
    )


def _enter(conn: Connection, job: Job) -> None:
    row = conn.execute(
        "select ledger.enter_plan(%s, %s, %s, %s)",
        (job.plan_id, job.code_hash, job.key.key_id, job.fence),
    ).fetchone()
    if row and row[0]:
        raise Refused(row[0])


def _next_range(conn: Connection, job: Job) -> Range | None:
    """The next whole cases, about `batch_items` items: no case is ever split between batches."""
    row = conn.execute(
        """
        with ahead as (
            select item_no, case_id from ledger.plan_items
            where plan_id = %(plan)s and state = 'planned'
            order by item_no limit %(size)s
        ),
        full_batch as (
            select min(item_no) as first, max(item_no) as last,
                (array_agg(case_id order by item_no desc))[1] as last_case
            from ahead
        )
        select full_batch.first, coalesce((
            select min(item_no) - 1 from ledger.plan_items
            where plan_id = %(plan)s and state = 'planned' and item_no > full_batch.last
            and case_id <> full_batch.last_case
        ), (
            select max(item_no) from ledger.plan_items where plan_id = %(plan)s and state = 'planned'
        )),
        1 + coalesce((select max(batch_no) from ledger.plan_items where plan_id = %(plan)s), 0)
        from full_batch
        """,
        {"plan": job.plan_id, "size": job.batch_items},
    ).fetchone()
    if row is None or row[0] is None:
        return None
    return Range(job.plan_id, first=row[0], last=row[1], batch_no=row[2])


def _refuse_tables(conn: Connection, items: Range, tables: Sequence[PlanTable]) -> None:
    """Raise Refused where nothing may be purged any more from a table of the batch."""
    refusals = {table.qualified: table.refused for table in tables}
    for schema, name in reclassified.tables_of(conn, items, minimised=False):
        qualified = f"{schema}.{name}"
        if refusal := refusals[qualified]:
            raise Refused(f"nothing can be purged from {qualified} now: {refusal}")


def _purge(
    conn: Connection, items: Range, tables: Sequence[PlanTable], job: Job
) -> tuple[list[TableEvidence], list[downstream.CopyEvidence]]:
    """Minimise and delete the survivors, children before parents, and what the models hold of them."""
    declared = [table.declaration for table in tables]
    found = copies(conn, declared)
    delete.collect_survivors(conn, items, found)
    minimise.collect(conn, items)
    going = set(reclassified.tables_of(conn, items, minimised=False))
    emptied = set(reclassified.tables_of(conn, items, minimised=True))
    purged = [t for t in tables if (t.declaration.schema_, t.declaration.name) in going]
    minimised = [t for t in tables if (t.declaration.schema_, t.declaration.name) in emptied]
    changed = [t for t in tables if t in purged or t in minimised]
    before = {t.qualified: delete.count_rows(conn, t.declaration) for t in changed}
    for declaration in _declarations(purged):
        # An objection that landed since the last classification is not on the list yet.
        suppressions.record(conn, declaration, job.new_key)
    for declarations, batch in (
        (_declarations(purged), points.GOING),
        (_declarations(minimised), points.NULLED),
    ):
        for declaration in declarations:
            points.forget(conn, declaration, delete.same_key(conn, declaration), batch)
    # The records' rows in landing first: what is not found there stays an item, not a purge.
    nulled = {
        t.qualified: minimise.minimise_landing(conn, items, t.declaration, job.fence)
        for t in minimised
    }
    counts = {
        t.qualified: delete.delete_landing(conn, items, t.declaration, job.fence) for t in purged
    }
    conn.execute(
        "update ledger.plan_items set state = 'skipped',"
        " skip_reason = case when disposition = 'minimise' then %(empty)s else %(gone)s end"
        " where plan_id = %(plan)s and item_no between %(first)s and %(last)s"
        " and state = 'planned'",
        {**items.parameters(), "gone": GONE, "empty": minimise.EMPTY},
    )
    reached("after_delete")
    delete.take_off_summary(conn)
    delete.delete_copies(conn, touched(found, declared, _declarations(purged)))
    copied = [
        *downstream.minimise_downstream(conn, job.lineage.copies, _declarations(minimised)),
        *downstream.delete_downstream(conn, job.lineage.copies, _declarations(purged)),
    ]
    delete.forget_names(conn)
    minimise.remember(conn, items, declared, _declarations(minimised))
    withdrawn.remember(conn, items, _declarations(minimised))
    reached("after_copies")
    counted = [
        TableEvidence(
            t.qualified,
            before[t.qualified],
            counts.get(t.qualified, 0),
            nulled.get(t.qualified, 0),
            delete.count_rows(conn, t.declaration),
        )
        for t in changed
    ]
    for table in counted:
        if table.rows_before - table.purged != table.rows_after:
            raise WarehouseError(
                f"{table.table} lost or gained rows that the batch did not delete: it was undone;"
                " look for a trigger or a foreign key"
            )
    return counted, copied


def _declarations(tables: Sequence[PlanTable]) -> list[TableDeclaration]:
    return [table.declaration for table in tables]
