"""The deletes of a batch.

Belongs here: the statements that remove the surviving items from landing and from every copy the models
made, with their tombstones. Does not belong here: deciding what survives, and the evidence of the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from retention.declarations import TableDeclaration
from retention.errors import WarehouseError
from retention.lineage.copies import Copy

Connection = psycopg.Connection[Any]

GONE = "no longer found by its key"


@dataclass(frozen=True)
class Range:
    """The items of one batch of a plan."""

    plan_id: UUID
    first: int
    last: int
    batch_no: int

    def parameters(self) -> dict[str, Any]:
        return {
            "plan": self.plan_id,
            "first": self.first,
            "last": self.last,
            "batch": self.batch_no,
        }


def collect_survivors(conn: Connection, items: Range, copies: Sequence[Copy]) -> None:
    """Copy what is still planned to be purged into pg_temp.purge_record, with all that names it in the
    models."""
    with_rows = any("row_id" in copy.columns for copy in copies)
    row_id = sql.SQL("cases.row_id" if with_rows else "null::bigint")
    conn.execute(
        sql.SQL(
            """
            create temporary table purge_record on commit drop as
            select items.item_no, items.source_schema, items.source_table, items.record_key,
                cases.case_id, cases.subject_id, cases.subject_token::text as subject_token,
                cases.assignment_id, {} as row_id
            from ledger.plan_items as items
            join intermediate.int_record_cases as cases
                on cases.source_schema = items.source_schema
                and cases.source_table = items.source_table
                and cases.record_key = items.record_key
            where items.plan_id = %(plan)s and items.item_no between %(first)s and %(last)s
            and items.state = 'planned' and items.disposition <> 'minimise'
            """
        ).format(row_id),
        items.parameters(),
    )
    conn.execute("analyze pg_temp.purge_record")


def count_rows(conn: Connection, table: TableDeclaration) -> int:
    """The rows of a landing table, counted."""
    row = conn.execute(
        sql.SQL("select count(*) from {}").format(sql.Identifier(table.schema_, table.name))
    ).fetchone()
    assert row is not None
    return int(row[0])


def delete_landing(conn: Connection, items: Range, table: TableDeclaration, fence: int) -> int:
    """Delete the items of one landing table and write their tombstones, in one statement.

    The database does it: this session may not write there. The item loses its key as it becomes `purged`.
    Returns the number of rows deleted. Raises WarehouseError, which undoes the batch, when a key stood for
    more than one row: what was approved was one row each.
    """
    row = conn.execute(
        "select deleted, marked, buried from ledger.delete_landing("
        "%(plan)s, %(fence)s, %(batch)s, %(first)s, %(last)s, %(schema)s, %(table)s)",
        {**items.parameters(), "fence": fence, "schema": table.schema_, "table": table.name},
    ).fetchone()
    assert row is not None
    deleted, marked, buried = row
    if not deleted == marked == buried:
        raise WarehouseError(
            f"a key of {table.qualified} stands for more than one row: the batch was undone;"
            " have the declared key mended, then plan anew"
        )
    return int(deleted)


def delete_copies(conn: Connection, copies: Sequence[Copy]) -> None:
    """Remove from every relation of the models what they hold of the records of the batch.

    By record where a relation names records; else by the person, case or assignment, once no record
    of it is left.
    """
    by_record = [copy for copy in copies if copy.names_records]
    for copy in by_record:
        conn.execute(
            sql.SQL(
                "delete from {} as copy using pg_temp.purge_record as record"
                " where copy.source_schema = record.source_schema"
                " and copy.source_table = record.source_table"
                " and copy.record_key = record.record_key"
            ).format(copy.identifier)
        )
    for copy in copies:
        if copy.names_records:
            continue
        if "row_id" in copy.columns:
            conn.execute(
                sql.SQL(
                    "delete from {} as copy using pg_temp.purge_record as record"
                    " where copy.row_id = record.row_id"
                ).format(copy.identifier)
            )
        for column in ("subject_id", "case_id", "assignment_id"):
            if column in copy.columns:
                conn.execute(
                    sql.SQL(
                        "delete from {copy} as copy where copy.{column} in ("
                        " select {column} from pg_temp.purge_record where {column} is not null"
                        " except select {column} from intermediate.int_record_cases)"
                    ).format(copy=copy.identifier, column=sql.Identifier(column))
                )


def take_off_summary(conn: Connection) -> None:
    """Take the records of the batch off the population that `retention.summary` shows."""
    if not _is_table(conn, "retention", "summary"):
        return
    conn.execute(
        """
        update retention.summary as summary set records = summary.records - going.records
        from (
            select records.source_schema, records.source_table, records.category, records.status,
                count(*) as records
            from pg_temp.purge_record as record
            join retention.records as records
                on records.source_schema = record.source_schema
                and records.source_table = record.source_table
                and records.record_key = record.record_key
            group by records.source_schema, records.source_table, records.category, records.status
        ) as going
        where summary.source_schema = going.source_schema
        and summary.source_table = going.source_table
        and summary.category is not distinct from going.category
        and summary.status = going.status
        """
    )
    conn.execute("delete from retention.summary where records <= 0")


def _is_table(conn: Connection, schema: str, name: str) -> bool:
    row = conn.execute(
        "select exists (select from pg_catalog.pg_class as relations"
        " join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace"
        " where namespaces.nspname = %s and relations.relname = %s and relations.relkind = 'r')",
        (schema, name),
    ).fetchone()
    return bool(row and row[0])


def forget_names(conn: Connection) -> None:
    """Remove from the ledger what still names the purged records: decisions, which were read, had come back
    or came from a partner, restarts, targets of released blockers, tokens of persons without a record,
    idle guards, whose a request was and where it had landed."""
    for table in (
        "review_decisions",
        "ambiguity_decisions",
        "returned_records",
        "received_via_partner",
    ):
        conn.execute(
            sql.SQL(
                "delete from {} as named using pg_temp.purge_record as record"
                " where named.source_schema = record.source_schema"
                " and named.source_table = record.source_table"
                " and named.record_key = record.record_key"
            ).format(sql.Identifier("ledger", table))
        )
    conn.execute(
        """
        update ledger.erasure_decisions as decisions
        set record_key = null, carried_out_at = coalesce(decisions.carried_out_at, now())
        from pg_temp.purge_record as record
        where decisions.source_schema = record.source_schema
        and decisions.source_table = record.source_table
        and decisions.record_key = record.record_key
        """
    )
    # That a locked record was read stays, which one does not.
    conn.execute(
        """
        update ledger.disclosures as disclosures set record_key = null
        from pg_temp.purge_record as record
        where disclosures.source_schema = record.source_schema
        and disclosures.source_table = record.source_table
        and disclosures.record_key = record.record_key
        """
    )
    conn.execute(
        """
        update ledger.blockers as blockers set target = null
        from pg_temp.purge_record as record
        where (blockers.released_at is not null or blockers.guard_lifted_at is not null)
        and (
            (
                blockers.scope = 'record' and blockers.target
                = record.source_schema || '.' || record.source_table || ':' || record.record_key
            )
            or (
                blockers.scope = 'assignment' and blockers.target = record.assignment_id
                and not exists (
                    select from intermediate.int_record_cases as cases
                    where cases.assignment_id = record.assignment_id
                )
            )
        )
        """
    )
    conn.execute(
        """
        delete from ledger.assignment_restarts as restarts
        where restarts.assignment_id in (
            select assignment_id from pg_temp.purge_record where assignment_id is not null
            except select assignment_id from intermediate.int_record_cases
        )
        """
    )
    conn.execute(
        """
        with forgotten as (
            delete from ledger.subject_tokens as tokens
            where tokens.subject_id in (
                select subject_id from pg_temp.purge_record where subject_id is not null
                except select subject_id from intermediate.int_record_cases
            )
            returning 'subject:' || tokens.subject_token::text as guard_key
        ),
        left_alone as (
            select 'assignment:' || assignment_id as guard_key
            from (
                select assignment_id from pg_temp.purge_record where assignment_id is not null
                except select assignment_id from intermediate.int_record_cases
            ) as ended
            union all
            -- Another data subject may bear the same token: then its guard is still needed.
            select guard_key from forgotten
            except
            select 'subject:' || tokens.subject_token::text
            from ledger.subject_tokens as tokens
            inner join intermediate.int_record_cases as cases
                on tokens.subject_id = cases.subject_id
            where 'subject:' || tokens.subject_token::text in (select guard_key from forgotten)
        )
        delete from ledger.guards as guards using left_alone
        where guards.guard_key = left_alone.guard_key and guards.blockers = 0
        """
    )
    conn.execute(
        """
        update ledger.requests as requests
        set
            subject_token = case
                when requests.subject_token in (select subject_token from ledger.subject_tokens)
                    then requests.subject_token
            end,
            record_key = case
                when (requests.source_schema, requests.source_table, requests.record_key) not in (
                    select source_schema, source_table, record_key from pg_temp.purge_record
                )
                    then requests.record_key
            end
        where
            requests.subject_token::text in (select subject_token from pg_temp.purge_record)
            or (requests.source_schema, requests.source_table, requests.record_key) in (
                select source_schema, source_table, record_key from pg_temp.purge_record
            )
        """
    )


def same_key(conn: Connection, table: TableDeclaration) -> sql.Composable:
    """The condition under which a landing row `landed` is the item's of a `record`: the key as text,
    cast back to the column's type, so that the table's own index finds it."""
    if table.key_is_personal:
        return sql.SQL("sletteplikt.link_hash('key', landed.{}::text) = record.record_key").format(
            sql.Identifier(table.key[0])
        )
    types = _column_types(conn, table)
    if len(table.key) == 1:
        (column,) = table.key
        return sql.SQL("landed.{} = record.record_key::{}").format(
            sql.Identifier(column), sql.SQL(types[column])
        )
    return sql.SQL(" and ").join(
        sql.SQL("landed.{} = (record.record_key::jsonb ->> {})::{}").format(
            sql.Identifier(column), sql.Literal(position), sql.SQL(types[column])
        )
        for position, column in enumerate(table.key)
    )


def _column_types(conn: Connection, table: TableDeclaration) -> dict[str, Any]:
    """The key columns' types as the catalogue writes them, without a length that would cut a key."""
    rows = conn.execute(
        """
        select attributes.attname, format_type(attributes.atttypid, null)
        from pg_catalog.pg_attribute as attributes
        join pg_catalog.pg_class as relations on relations.oid = attributes.attrelid
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace
        where namespaces.nspname = %s and relations.relname = %s
        and attributes.attname = any(%s) and not attributes.attisdropped
        """,
        (table.schema_, table.name, list(table.key)),
    ).fetchall()
    return dict(rows)
