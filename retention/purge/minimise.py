"""Minimising: columns of a row that another ground keeps become null.

Belongs here: the update of the columns, with its tombstones, and what the models and the ledger remember
of it. Does not belong here: deciding what is minimised (the models), what the models keep of a withdrawn
consent (`withdrawn`), whole rows (`delete`), and the evidence of the batch.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from retention.declarations import TableDeclaration
from retention.errors import WarehouseError
from retention.lineage.model import SCHEMAS
from retention.purge.delete import Range

Connection = psycopg.Connection[Any]

MINIMISE = "minimise"
#: The groups of columns (int_record_grounds): those that follow the person, and those that a withdrawn
#: consent erases.
GROUP = "person"
CONSENT_GROUP = "consent"
EMPTY = "its columns hold no value any more"


def collect(conn: Connection, items: Range) -> None:
    """Copy the items to be minimised that are still planned into pg_temp.minimise_record."""
    conn.execute(
        """
        create temporary table minimise_record on commit drop as
        select item_no, source_schema, source_table, record_key,
            case rule_id when 'CONSENT' then %(consent)s else %(person)s end as column_group
        from ledger.plan_items
        where plan_id = %(plan)s and item_no between %(first)s and %(last)s
        and state = 'planned' and disposition = %(minimise)s
        """,
        {
            **items.parameters(),
            "minimise": MINIMISE,
            "consent": CONSENT_GROUP,
            "person": GROUP,
        },
    )
    conn.execute("analyze pg_temp.minimise_record")


def minimise_landing(conn: Connection, items: Range, table: TableDeclaration, fence: int) -> int:
    """Make the columns of the items of one landing table null that accounting does not need, or that rest
    on a withdrawn consent, with their tombstones, in one statement a group. Returns the number of rows.

    The database does it: this session may not write there. Raises WarehouseError, which undoes the batch,
    when a key stood for more than one row or when any other column of a row changed with them. A row whose
    columns hold no value is left as it is.
    """
    return sum(
        _minimise_group(conn, items, table, fence, group)
        for group, columns in ((GROUP, table.minimisable), (CONSENT_GROUP, table.consented_columns))
        if columns
    )


def _minimise_group(
    conn: Connection, items: Range, table: TableDeclaration, fence: int, group: str
) -> int:
    row = conn.execute(
        "select emptied, marked, remembered, unchanged from ledger.minimise_landing("
        "%(plan)s, %(fence)s, %(batch)s, %(first)s, %(last)s, %(schema)s, %(table)s, %(group)s)",
        {
            **items.parameters(),
            "fence": fence,
            "schema": table.schema_,
            "table": table.name,
            "group": group,
        },
    ).fetchone()
    assert row is not None
    emptied, marked, remembered, unchanged = row
    if not emptied == marked == remembered:
        raise WarehouseError(
            f"a key of {table.qualified} stands for more than one row: the batch was undone;"
            " have the declared key mended, then plan anew"
        )
    if unchanged != emptied:
        raise WarehouseError(
            f"other columns of {table.qualified} changed with those that were minimised: the batch was"
            " undone; look for a generated column"
        )
    return int(emptied)


def remember(
    conn: Connection,
    items: Range,
    tables: Sequence[TableDeclaration],
    minimised: Sequence[TableDeclaration],
) -> None:
    """Bring what the models and the ledger say of the columns up to date with the batch.

    Comes after every row of the batch went or was minimised. `tables` are all declared ones,
    `minimised` those of which the batch made columns null."""
    _forget_grounds(conn)
    if any(table.minimisable for table in tables):
        _keep_grounds(conn, items)
    if minimised:
        _mark_copies(conn)


def _mark_copies(conn: Connection) -> None:
    """Let the models say that the rows of the batch hold no minimisable value any more.

    They hold no value of the columns themselves, so nothing in them has to be emptied; but until the
    next classification a plan is made from them, and would offer the same rows again.
    """
    rows = conn.execute(
        """
        select table_schema, table_name,
            bool_or(column_name = 'has_minimisable'), bool_or(column_name = 'disposition')
        from information_schema.columns join information_schema.tables
            using (table_schema, table_name)
        where table_schema = any(%s) and table_type = 'BASE TABLE'
        group by table_schema, table_name
        having count(*) filter (
            where column_name in ('source_schema', 'source_table', 'record_key')
        ) = 3
        order by 1, 2
        """,
        (list(SCHEMAS),),
    ).fetchall()
    for schema, name, has_flag, has_disposition in rows:
        changes = []
        if has_flag:
            changes.append(sql.SQL("has_minimisable = false"))
        if has_disposition:
            # Without such columns the row's own rule says what happens when it is due.
            changes.append(
                sql.SQL(
                    # A locked row shows none.
                    "disposition = case when copy.disposition is not null then coalesce(("
                    "select rules.disposition from policy.policy_rules as rules"
                    " where rules.rule_id = copy.rule_id), 'purge') end"
                )
            )
        if changes:
            conn.execute(
                sql.SQL(
                    "update {} as copy set {} from pg_temp.minimise_record as record"
                    " where copy.source_schema = record.source_schema"
                    " and copy.source_table = record.source_table"
                    " and copy.record_key = record.record_key"
                    " and record.column_group = {}"
                ).format(
                    sql.Identifier(schema, name), sql.SQL(", ").join(changes), sql.Literal(GROUP)
                )
            )


def _keep_grounds(conn: Connection, items: Range) -> None:
    """Keep the dates of the columns' grounds for the records that stay of the cases that are purged.

    Facts outlive their evidence (requirements § 2): with the person gone, nothing else would say that
    the columns are due, of a row that is held today or of values that a sync restores tomorrow.
    """
    conn.execute(
        """
        insert into ledger.column_grounds (
            source_schema, source_table, record_key, column_group, rule_id, anchor_on, due_on
        )
        select grounds.source_schema, grounds.source_table, grounds.record_key, grounds.column_group,
            grounds.rule_id, grounds.anchor_on, grounds.due_on
        from retention.grounds as grounds
        join intermediate.int_record_cases as cases using (source_schema, source_table, record_key)
        where grounds.column_group = %(group)s and grounds.wins
        and not grounds.needs_review and grounds.approved and grounds.due_on <= ledger.today()
        and cases.case_id in (
            select case_id from pg_temp.purge_record
            union
            select own.case_id from pg_temp.minimise_record as record
            join intermediate.int_record_cases as own using (source_schema, source_table, record_key)
        )
        on conflict (source_schema, source_table, record_key, column_group) do update
        set rule_id = excluded.rule_id, anchor_on = excluded.anchor_on, due_on = excluded.due_on,
            kept_at = now()
        """,
        {"group": GROUP},
    )
    conn.execute(
        """
        update ledger.column_grounds as kept set minimised_at = now()
        from pg_temp.minimise_record as record
        join ledger.plan_items as items on items.item_no = record.item_no
        where items.plan_id = %(plan)s and items.state = 'minimised'
        and kept.source_schema = record.source_schema and kept.source_table = record.source_table
        and kept.record_key = record.record_key and kept.column_group = %(group)s
        and record.column_group = %(group)s
        """,
        {**items.parameters(), "group": GROUP},
    )
    conn.execute(
        """
        update ledger.erasure_decisions as decisions set carried_out_at = now()
        from pg_temp.minimise_record as record
        join ledger.plan_items as items on items.item_no = record.item_no
        where items.plan_id = %(plan)s and items.state = 'minimised'
        and decisions.source_schema = record.source_schema
        and decisions.source_table = record.source_table
        and decisions.record_key = record.record_key
        and decisions.outcome = 'minimise' and decisions.columns = '{}'
        and decisions.carried_out_at is null and record.column_group = %(group)s
        """,
        {**items.parameters(), "group": GROUP},
    )


def _forget_grounds(conn: Connection) -> None:
    """Forget what was kept of the columns of records that are purged now."""
    conn.execute(
        """
        delete from ledger.column_grounds as kept using pg_temp.purge_record as record
        where kept.source_schema = record.source_schema and kept.source_table = record.source_table
        and kept.record_key = record.record_key
        """
    )
