"""Whether the items of a batch still are what was approved, as the classification of today has them.

Belongs here: skipping what is judged otherwise now, what others of its case stand on, and tying items to
their tokens. Does not belong here: what landed since that classification (`live`) and who holds what
(`guards`).
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from retention.errors import WarehouseError
from retention.keys import MasterKey
from retention.plan.tables import PlanTable
from retention.purge.delete import Range

Connection = psycopg.Connection[Any]

OVERDUE_NO_MORE = "no longer overdue"
NOT_THERE = "its table is not declared or not there any more"
JUDGED_ANEW = "classified differently since it was planned"
CASE_CHANGED = "facts changed since it was planned"
STANDS_FOR_OTHERS = "other records of its case stay"


def tables_of(
    conn: Connection, items: Range, *, minimised: bool | None = None
) -> list[tuple[str, str]]:
    """Schema and name of every table that the batch still has items of; of items to be minimised, or of
    items that go, alone."""
    return conn.execute(
        "select distinct source_schema, source_table from ledger.plan_items"
        " where plan_id = %(plan)s and item_no between %(first)s and %(last)s"
        " and state = 'planned' and coalesce((disposition = 'minimise') = %(minimised)s, true)"
        " order by 1, 2",
        {**items.parameters(), "minimised": minimised},
    ).fetchall()


def skip_withheld(conn: Connection, items: Range, tables: Sequence[PlanTable]) -> None:
    """Skip the items of tables that are withheld or gone, and those to be minimised where no column can be
    made null any more; what the plan holds of other tables goes on (promise 12)."""
    known = {table.qualified: table for table in tables}
    for schema, name in tables_of(conn, items):
        table = known.get(f"{schema}.{name}")
        withheld = table.withheld if table else NOT_THERE
        reason = withheld or (table and table.minimise_refused)
        if reason:
            conn.execute(
                "update ledger.plan_items set state = 'skipped', skip_reason = %(reason)s"
                " where plan_id = %(plan)s and item_no between %(first)s and %(last)s"
                " and state = 'planned' and (%(all)s or disposition = 'minimise')"
                " and source_schema = %(schema)s and source_table = %(table)s",
                {
                    **items.parameters(),
                    "reason": reason,
                    "all": withheld is not None,
                    "schema": schema,
                    "table": name,
                },
            )


def skip_reclassified(conn: Connection, items: Range) -> None:
    """Skip what the classification of today judges otherwise than the plan did."""
    conn.execute(
        """
        update ledger.plan_items as items
        set state = 'skipped', skip_reason = judged.reason
        from (
            select planned.item_no, case
                -- Columns of a row that a decision locked: of such a row nothing but its status is shown.
                when planned.disposition = 'minimise' and planned.rule_id = 'ERASURE'
                    then case
                        when records.status is distinct from 'locked' or not cases.has_minimisable
                            then %(overdue)s
                        when cases.case_id is distinct from planned.case_id then %(anew)s
                        when fingerprints.fingerprint is distinct from planned.case_fingerprint
                            then %(changed)s
                    end
                -- What a withdrawn consent erases is due whatever the row's own clock or review says.
                when planned.disposition = 'minimise' and planned.rule_id = 'CONSENT'
                    then case
                        when column_ground.rule_id is null
                            or records.status in ('held', 'restricted', 'locked') then %(overdue)s
                        when column_ground.anchor_on is distinct from planned.anchor_on
                            or column_ground.due_on is distinct from planned.due_on
                            or cases.case_id is distinct from planned.case_id then %(anew)s
                        when fingerprints.fingerprint is distinct from planned.case_fingerprint
                            then %(changed)s
                    end
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
                and column_ground.column_group
                    = case planned.rule_id when 'CONSENT' then 'consent' else 'person' end
                and column_ground.wins
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


def skip_anchors(conn: Connection, items: Range, tables: Sequence[PlanTable]) -> None:
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


def check_tokens(conn: Connection, items: Range, key: MasterKey) -> None:
    """Raise WarehouseError unless every item's key is the one that its token was made from: the digest
    covers tokens, so this is what ties the approval to the rows that are deleted."""
    names = [f"{schema}.{table}" for schema, table in tables_of(conn, items)]
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
