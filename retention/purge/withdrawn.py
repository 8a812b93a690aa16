"""What the models keep of columns that a withdrawn consent erased.

Belongs here: bringing dbt's own relations and the decisions up to date with the rows that a batch changed,
so that no hash of what was erased is left in them. Does not belong here: the erasing (`minimise`), and
copies that others made (`downstream`).

The facts of these rows are read anew from landing, with the text that the staging models are made from: of
the partner that became null neither its salted hash nor a hash made from it is left. The cases have other
facts now, so that a plan frozen before does not go on with them.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from retention.declarations import TableDeclaration
from retention.declarations.facts import COLUMNS
from retention.declarations.staging import live_sql
from retention.lineage.model import SCHEMAS
from retention.purge.delete import Range
from retention.purge.minimise import CONSENT_GROUP

Connection = psycopg.Connection[Any]

_RECORD = ("source_schema", "source_table", "record_key")
# A batch knows it of its own rows: what minimises other columns goes on as classified.
_LEFT_ALONE = ("has_minimisable",)


def remember(conn: Connection, items: Range, minimised: Sequence[TableDeclaration]) -> None:
    """Bring every relation of the models, and the decisions, up to date with the rows in
    pg_temp.minimise_record whose consented columns the batch made null.

    Comes last in a batch, whose every step asks for the decisions. `minimised` are the tables of which it
    made columns null."""
    tables = [table for table in minimised if table.consented_columns]
    if not tables:
        return
    for table in tables:
        _renew_table(conn, table)
    if any(table.partner_column in table.consented_columns for table in tables):
        _forget_partners(conn)
    conn.execute(
        """
        update intermediate.int_record_cases as copy set inputs_hash = facts.inputs_hash
        from intermediate.int_records_unioned as facts, pg_temp.minimise_record as record
        where facts.row_id = copy.row_id and record.column_group = %(consent)s
        and record.source_schema = copy.source_schema and record.source_table = copy.source_table
        and record.record_key = copy.record_key
        """,
        {"consent": CONSENT_GROUP},
    )
    conn.execute(
        """
        update intermediate.int_case_fingerprints as copy set fingerprint = gen_random_uuid()::text
        where copy.case_id in (
            select cases.case_id from intermediate.int_record_cases as cases
            join pg_temp.minimise_record as record
                on record.source_schema = cases.source_schema
                and record.source_table = cases.source_table
                and record.record_key = cases.record_key
            where record.column_group = %(consent)s
        )
        """,
        {"consent": CONSENT_GROUP},
    )
    _end_grounds(conn)
    conn.execute(
        """
        update ledger.erasure_decisions as decided
        set record_key = null, carried_out_at = clock_timestamp()
        from pg_temp.minimise_record as record
        join ledger.plan_items as items on items.item_no = record.item_no
        where items.plan_id = %(plan)s and items.state = 'minimised'
        and record.column_group = %(consent)s and decided.columns <> '{}'
        and decided.source_schema = record.source_schema
        and decided.source_table = record.source_table and decided.record_key = record.record_key
        """,
        {**items.parameters(), "consent": CONSENT_GROUP},
    )


def _renew_table(conn: Connection, table: TableDeclaration) -> None:
    """The rows of one table, in its staging model and in the union of all. The text is generated from a
    checked declaration; every name in it is quoted, and it holds no value of a row."""
    facts = [name for name in (*COLUMNS, "inputs_hash") if name not in (*_RECORD, *_LEFT_ALONE)]
    changes = sql.SQL(", ").join(sql.SQL("{0} = live.{0}").format(sql.Identifier(f)) for f in facts)
    live = sql.SQL(live_sql(table))
    for relation in (("staging", table.staging_model), ("intermediate", "int_records_unioned")):
        conn.execute(
            sql.SQL(
                "with live as materialized ("
                "select facts.* from ({}) as facts where facts.record_key in ("
                "select record_key from pg_temp.minimise_record"
                " where column_group = {} and source_schema = {} and source_table = {}))"
                " update {} as copy set {} from live"
                " where copy.source_schema = live.source_schema"
                " and copy.source_table = live.source_table"
                " and copy.record_key = live.record_key"
            ).format(
                live,
                sql.Literal(CONSENT_GROUP),
                sql.Literal(table.schema_),
                sql.Literal(table.name),
                sql.Identifier(*relation),
                changes,
            )
        )


def _forget_partners(conn: Connection) -> None:
    """The hash of a partner beside the key of a record, wherever the models put it."""
    rows = conn.execute(
        """
        select table_schema, table_name
        from information_schema.columns join information_schema.tables using (table_schema, table_name)
        where table_schema = any(%s) and table_type = 'BASE TABLE'
        group by table_schema, table_name
        having count(*) filter (where column_name = any(%s)) = 4
        order by 1, 2
        """,
        (list(SCHEMAS), [*_RECORD, "partner_key"]),
    ).fetchall()
    for relation in rows:
        conn.execute(
            sql.SQL(
                "update {} as copy set partner_key = null from pg_temp.minimise_record as record"
                " where record.column_group = {} and copy.partner_key is not null"
                " and copy.source_schema = record.source_schema"
                " and copy.source_table = record.source_table and copy.record_key = record.record_key"
            ).format(sql.Identifier(*relation), sql.Literal(CONSENT_GROUP))
        )


def _end_grounds(conn: Connection) -> None:
    """The grounds of columns that are null: until the next classification a plan is made from them, and
    would offer the same rows again."""
    conn.execute(
        """
        delete from intermediate.int_record_grounds as ended
        using intermediate.int_record_cases as cases, pg_temp.minimise_record as record
        where ended.row_id = cases.row_id and ended.column_group = %(consent)s
        and record.column_group = %(consent)s and record.source_schema = cases.source_schema
        and record.source_table = cases.source_table and record.record_key = cases.record_key
        """,
        {"consent": CONSENT_GROUP},
    )
    for name, of_group in (
        (sql.Identifier("retention", "grounds"), sql.SQL("ended.column_group = {}")),
        (sql.Identifier("intermediate", "int_withdrawn_records"), sql.SQL("{} is not null")),
    ):
        conn.execute(
            sql.SQL(
                "delete from {} as ended using pg_temp.minimise_record as record"
                " where {} and record.column_group = {} and ended.source_schema = record.source_schema"
                " and ended.source_table = record.source_table"
                " and ended.record_key = record.record_key"
            ).format(
                name,
                of_group.format(sql.Literal(CONSENT_GROUP)),
                sql.Literal(CONSENT_GROUP),
            )
        )
