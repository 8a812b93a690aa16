"""One batch: one transaction that looks again, deletes what still may go, and leaves its evidence.

Belongs here: the order of the steps, which is what makes them safe. Does not belong here: the steps
themselves, and what happens between batches (`run`).

1. The lock that one batch anywhere holds. 2. The gate: plan, approval, policy, code, classification and
key are what they were. 3. Our guards, which wait for a hold that is being placed. 4. Landing's: every
declared table is locked against writers, so that nothing lands between the look and the delete.
5. The look: the records as classified today, then the facts as they land now, then what other records
of a case stand on. 6. Columns made null, deletes, and tombstones of both, landing and copies. 7. The
evidence. 8. Commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import IsolationLevel
from psycopg.types.json import Jsonb

from retention.declarations import Declarations, TableDeclaration
from retention.errors import Refused, WarehouseError
from retention.keys import MasterKey
from retention.ledger import entries
from retention.plan.tables import PlanTable, plan_tables
from retention.purge import delete, guards, live, minimise
from retention.purge.copies import copies, touched
from retention.purge.delete import GONE, Range

Connection = psycopg.Connection[Any]

# Long enough for a hold that somebody is placing, short enough that nobody is kept waiting by us.
_GUARD_WAIT = 5_000
# Shorter than deadlock_timeout (1 s by default): where a loader and we wait for each other, we give up
# before the server picks a victim, which could be the loader.
_LANDING_WAIT = 700

OVERDUE_NO_MORE = "no longer overdue"
JUDGED_ANEW = "classified differently since it was planned"
CASE_CHANGED = "facts changed since it was planned"
STANDS_FOR_OTHERS = "other records of its case stay"


@dataclass(frozen=True)
class Job:
    """What stays the same from batch to batch."""

    plan_id: UUID
    declarations: Declarations
    code_hash: str
    key: MasterKey
    batch_items: int


@dataclass(frozen=True)
class TableEvidence:
    """One landing table in a batch: rows before, rows purged, rows after, each counted; and how many
    of the rows after were minimised."""

    table: str
    rows_before: int
    purged: int
    minimised: int
    rows_after: int


def run_batch(conn: Connection, job: Job, *, recount: bool = False) -> bool:
    """Carry out the next batch in one transaction. Returns False when no item is left.

    Raises Refused when a guard forbids going on, WarehouseError when the batch broke a promise; the
    batch is then undone. psycopg's errors pass through, for the caller to try again.
    """
    # Each statement must see what was committed while it waited for a lock.
    conn.isolation_level = IsolationLevel.READ_COMMITTED
    with conn.transaction():
        if not guards.only_purge(conn):
            raise Refused("another purge or a classification is going on: wait for it to end")
        _enter(conn, job, recount)
        items = _next_range(conn, job)
        if items is None:
            return False
        guards.wait_at_most(conn, _GUARD_WAIT)
        guards.skip_guarded(conn, items.plan_id, items.first, items.last)

        tables = plan_tables(conn, job.declarations, planning=False)
        readable = [table.declaration for table in tables if table.readable]
        guards.wait_at_most(conn, _LANDING_WAIT)
        guards.lock_landing(conn, readable)
        # Asked again behind the lock: what a table can do on delete cannot change from here on.
        tables = plan_tables(conn, job.declarations, planning=False)

        _refuse_tables(conn, items, tables)
        _skip_reclassified(conn, items)
        live.skip_changed(conn, items.plan_id, items.first, items.last, readable)
        _skip_anchors(conn, items, tables)
        _check_tokens(conn, items, job.key)
        evidence = _purge(conn, items, tables)
        _number_skipped(conn, items)
        _append_evidence(conn, items, evidence)
    return True


def _enter(conn: Connection, job: Job, recount: bool) -> None:
    row = conn.execute(
        "select ledger.enter_plan(%s, %s, %s, %s)",
        (job.plan_id, job.code_hash, job.key.key_id, recount),
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
    """Raise Refused where nothing may be purged any more from a table of the batch. Where a table's
    columns cannot become null, its items are skipped, and those of other tables go on."""
    for table in tables:
        if table.minimise_refused:
            conn.execute(
                "update ledger.plan_items set state = 'skipped', skip_reason = %(reason)s"
                " where plan_id = %(plan)s and item_no between %(first)s and %(last)s"
                " and state = 'planned' and disposition = %(minimise)s"
                " and source_schema = %(schema)s and source_table = %(table)s",
                {
                    **items.parameters(),
                    "reason": table.minimise_refused,
                    "minimise": minimise.MINIMISE,
                    "schema": table.declaration.schema_,
                    "table": table.declaration.name,
                },
            )
    refusals = {table.qualified: table.refused for table in tables}
    for schema, name in _tables_of(conn, items, minimised=False):
        qualified = f"{schema}.{name}"
        refusal = refusals.get(qualified, "it is not declared or not there any more")
        if refusal:
            raise Refused(f"nothing can be purged from {qualified} now: {refusal}")


def _tables_of(
    conn: Connection, items: Range, *, minimised: bool | None = None
) -> list[tuple[str, str]]:
    """The tables of what is still planned; of what is to be minimised, or of what is to go, alone."""
    return conn.execute(
        "select distinct source_schema, source_table from ledger.plan_items"
        " where plan_id = %(plan)s and item_no between %(first)s and %(last)s"
        " and state = 'planned' and coalesce((disposition = 'minimise') = %(minimised)s, true)"
        " order by 1, 2",
        {**items.parameters(), "minimised": minimised},
    ).fetchall()


def _skip_reclassified(conn: Connection, items: Range) -> None:
    """Skip what the classification of today judges otherwise than the plan did."""
    conn.execute(
        """
        update ledger.plan_items as items
        set state = 'skipped', skip_reason = judged.reason
        from (
            select planned.item_no, case
                when records.disposition is distinct from planned.disposition
                    or (
                        planned.disposition = 'minimise'
                        and records.status not in ('due_soon', 'retained', 'active')
                    )
                    or (planned.disposition <> 'minimise' and records.status <> 'overdue')
                    then %(overdue)s
                -- Of a row that stays, the ground of its columns is what was planned.
                when case when planned.disposition = 'minimise' then column_ground.rule_id
                        else records.rule_id end is distinct from planned.rule_id
                    or case when planned.disposition = 'minimise' then column_ground.anchor_on
                        else records.anchor_on end is distinct from planned.anchor_on
                    or case when planned.disposition = 'minimise' then column_ground.due_on
                        else records.due_on end is distinct from planned.due_on
                    or cases.case_id is distinct from planned.case_id
                    then %(anew)s
                when fingerprints.fingerprint is distinct from planned.case_fingerprint
                    then %(changed)s
            end as reason
            from ledger.plan_items as planned
            left join retention.records as records
                on records.source_schema = planned.source_schema
                and records.source_table = planned.source_table
                and records.record_key = planned.record_key
            left join retention.grounds as column_ground
                on planned.disposition = 'minimise'
                and column_ground.source_schema = planned.source_schema
                and column_ground.source_table = planned.source_table
                and column_ground.record_key = planned.record_key
                and column_ground.column_group = 'person' and column_ground.wins
            left join intermediate.int_record_cases as cases
                on cases.source_schema = planned.source_schema
                and cases.source_table = planned.source_table
                and cases.record_key = planned.record_key
            left join intermediate.int_case_fingerprints as fingerprints
                on fingerprints.case_id = planned.case_id
            where planned.plan_id = %(plan)s and planned.item_no between %(first)s and %(last)s
            and planned.state = 'planned'
        ) as judged
        where items.plan_id = %(plan)s and items.item_no = judged.item_no
        and items.state = 'planned' and judged.reason is not null
        """,
        {
            **items.parameters(),
            "overdue": OVERDUE_NO_MORE,
            "anew": JUDGED_ANEW,
            "changed": CASE_CHANGED,
        },
    )


def _skip_anchors(conn: Connection, items: Range, tables: Sequence[PlanTable]) -> None:
    """Skip what shows why other records stay, now that some of the batch's items are skipped.

    The same text that decided what could be planned decides it, for what is left of the batch.
    """
    conn.execute(
        """
        update ledger.plan_items as items
        set state = 'skipped', skip_reason = %(reason)s
        where items.plan_id = %(plan)s and items.item_no between %(first)s and %(last)s
        and items.state = 'planned'
        and not exists (
            select from ledger.plannable(
                %(tables)s, ledger.today(), %(plan)s, %(first)s, %(last)s
            ) as free
            where free.waits_for is null and free.source_schema = items.source_schema
            and free.source_table = items.source_table and free.record_key = items.record_key
        )
        """,
        {
            **items.parameters(),
            "reason": STANDS_FOR_OTHERS,
            "tables": Jsonb([table.as_json() for table in tables]),
        },
    )


def _check_tokens(conn: Connection, items: Range, key: MasterKey) -> None:
    """Raise WarehouseError unless every item's key is the one that its token was made from: the digest
    covers tokens, so this is what ties the approval to the rows that are deleted."""
    names = [f"{schema}.{table}" for schema, table in _tables_of(conn, items)]
    pads = [key.pads(name) for name in names]
    row = conn.execute(
        """
        select count(*) from ledger.plan_items as items
        left join unnest(%(names)s::text[], %(inner)s::bytea[], %(outer)s::bytea[])
            as keys (qualified, inner_pad, outer_pad)
            on keys.qualified = items.source_schema || '.' || items.source_table
        where items.plan_id = %(plan)s and items.item_no between %(first)s and %(last)s
        and items.state = 'planned'
        and items.token is distinct from sha256(
            keys.outer_pad || sha256(keys.inner_pad || convert_to(items.record_key, 'UTF8'))
        )
        """,
        {
            **items.parameters(),
            "names": names,
            "inner": [inner for inner, _ in pads],
            "outer": [outer for _, outer in pads],
        },
    ).fetchone()
    if row is None or row[0]:
        raise WarehouseError(
            "rows of the plan do not match their tokens: they were changed after the approval;"
            " reject the plan and look into it"
        )


def _purge(conn: Connection, items: Range, tables: Sequence[PlanTable]) -> list[TableEvidence]:
    """Minimise and delete the survivors, children before parents, and what the models hold of them."""
    declared = [table.declaration for table in tables]
    found = copies(conn, declared)
    delete.collect_survivors(conn, items, found)
    minimise.collect(conn, items)
    going = set(_tables_of(conn, items, minimised=False))
    emptied = set(_tables_of(conn, items, minimised=True))
    purged = [t for t in tables if (t.declaration.schema_, t.declaration.name) in going]
    minimised = [t for t in tables if (t.declaration.schema_, t.declaration.name) in emptied]
    changed = [t for t in tables if t in purged or t in minimised]
    before = {t.qualified: delete.count_rows(conn, t.declaration) for t in changed}
    # The records' rows in landing first: what is not found there stays an item, not a purge.
    nulled = {t.qualified: minimise.minimise_landing(conn, items, t.declaration) for t in minimised}
    counts = {t.qualified: delete.delete_landing(conn, items, t.declaration) for t in purged}
    conn.execute(
        "update ledger.plan_items set state = 'skipped',"
        " skip_reason = case when disposition = 'minimise' then %(empty)s else %(gone)s end"
        " where plan_id = %(plan)s and item_no between %(first)s and %(last)s"
        " and state = 'planned'",
        {**items.parameters(), "gone": GONE, "empty": minimise.EMPTY},
    )
    delete.take_off_summary(conn)
    delete.delete_copies(conn, touched(found, declared, _declarations(purged)))
    delete.forget_names(conn)
    minimise.forget_grounds(conn)
    if any(table.minimisable for table in declared):
        minimise.keep_grounds(conn, items)
    if minimised:
        minimise.mark_copies(conn)
    evidence = [
        TableEvidence(
            t.qualified,
            before[t.qualified],
            counts.get(t.qualified, 0),
            nulled.get(t.qualified, 0),
            delete.count_rows(conn, t.declaration),
        )
        for t in changed
    ]
    for table in evidence:
        if table.rows_before - table.purged != table.rows_after:
            raise WarehouseError(
                f"{table.table} lost or gained rows that the batch did not delete: it was undone;"
                " look for a trigger or a foreign key"
            )
    return evidence


def _declarations(tables: Sequence[PlanTable]) -> list[TableDeclaration]:
    return [table.declaration for table in tables]


def _number_skipped(conn: Connection, items: Range) -> None:
    conn.execute(
        "update ledger.plan_items set batch_no = %(batch)s"
        " where plan_id = %(plan)s and item_no between %(first)s and %(last)s"
        " and state = 'skipped' and batch_no is null",
        items.parameters(),
    )


def _append_evidence(conn: Connection, items: Range, evidence: Sequence[TableEvidence]) -> None:
    row = conn.execute(
        """
        select jsonb_build_object(
            'plan_id', plans.plan_id,
            'batch_no', %(batch)s::integer,
            'at', ledger.iso_time(now()),
            'run_by', session_user,
            'policy_version', plans.policy_version,
            'policy_hash', plans.policy_hash,
            'code_hash', plans.code_hash,
            'key_id', plans.key_id,
            'purged', count(*) filter (where items.state = 'purged'),
            'minimised', count(*) filter (where items.state = 'minimised'),
            'tokens_root', encode(sha256(convert_to(coalesce(string_agg(
                items.source_schema || '.' || items.source_table || '|'
                || encode(items.token, 'hex') || '|' || items.disposition,
                E'\\n' order by (
                    items.source_schema || '.' || items.source_table || '|'
                    || encode(items.token, 'hex') || '|' || items.disposition
                ) collate "C"
            ) filter (where items.state in ('purged', 'minimised')), ''), 'UTF8')), 'hex')
        )
        from ledger.plan_items as items join ledger.plans as plans on plans.plan_id = items.plan_id
        where items.plan_id = %(plan)s and items.item_no between %(first)s and %(last)s
        and items.batch_no = %(batch)s
        group by plans.plan_id
        """,
        items.parameters(),
    ).fetchone()
    assert row is not None
    entries.append(
        conn,
        "batch",
        {
            **row[0],
            "skipped": _counted(conn, items, "skip_reason", "skipped"),
            "rules": _counted(conn, items, "rule_id", "purged"),
            "rules_minimised": _counted(conn, items, "rule_id", "minimised"),
            "tables": [
                {
                    "table": table.table,
                    "rows_before": table.rows_before,
                    "purged": table.purged,
                    "minimised": table.minimised,
                    "rows_after": table.rows_after,
                }
                for table in evidence
            ],
        },
    )


def _counted(conn: Connection, items: Range, column: str, state: str) -> dict[str, int]:
    return dict(
        conn.execute(
            f"select {column}, count(*) from ledger.plan_items"  # noqa: S608
            " where plan_id = %(plan)s and item_no between %(first)s and %(last)s"
            " and batch_no = %(batch)s and state = %(state)s group by 1",
            {**items.parameters(), "state": state},
        ).fetchall()
    )
