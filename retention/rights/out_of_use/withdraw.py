"""Taking the rows of locked and restricted records out of what dbt built downstream.

Belongs here: the one transaction that removes them from every copy that lineage traces, with its
evidence. Does not belong here: what a model shall leave out by itself (the macro `in_use`), and the
look whether anything is left (`in_use`). The project's own relations hold no values and keep their
rows.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from retention.declarations import Declarations, TableDeclaration, load_declarations
from retention.ledger.failures import safe_errors
from retention.lineage import find_lineage
from retention.lineage.catalogue import column_types
from retention.lineage.manifest import has_manifest
from retention.lineage.model import Downstream
from retention.purge.downstream import is_of_record, refuse_changed
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import CLASSIFIER

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Withdrawal:
    """What was taken out: `records` are out of use now, `copies` the rows removed from each
    relation that can hold some of theirs. `untraceable` may hold some too, and no key leads to
    them."""

    records: int
    copies: dict[str, int]
    untraceable: tuple[str, ...]


def withdraw(settings: Settings) -> Withdrawal:
    """Remove the rows of every record out of use from every traced copy, in one transaction, with
    evidence.

    After each classification, and whenever a lock or restriction is placed. As the classifier, to
    whom the models belong. Raises Refused where nothing is classified yet, where this login may not
    act as the classifier, or where a relation was built anew meanwhile; UsageError where a
    declaration does not hold.
    """
    declarations = load_declarations(settings.declarations_dir)
    with (
        connect(settings, role=CLASSIFIER) as conn,
        safe_errors("taking locked records out of copies"),
        conn.transaction(),
    ):
        lineage = find_lineage(conn, settings, declarations)
        tables = _collect(conn, declarations)
        refuse_changed(conn, lineage)
        copies = {
            copy.qualified: _remove(conn, copy, tables)
            for copy in lineage.copies
            if any(match.table is None or match.table in tables for match in copy.matches)
        }
        untraceable = tuple(
            sorted(one.relation for one in lineage.untraceable if one.reaches & tables.keys())
        )
        row = conn.execute("select count(*) from pg_temp.out_of_use_record").fetchone()
        records = int(row[0]) if row else 0
        listed = [{"relation": name, "deleted": rows} for name, rows in copies.items()]
        conn.execute("select ledger.record_withdrawn(%s, %s)", (records, Jsonb(listed)))
    return Withdrawal(records, copies, untraceable)


def withdraw_where_allowed(settings: Settings) -> Withdrawal | None:
    """Withdraw as the login that just placed a lock or restriction; None where it may not change models, or
    there are none yet: the status then says that rows wait, and a job's next run takes them out."""
    with connect(settings, read_only=True) as conn, safe_errors("asking who may change models"):
        become = "set" if conn.info.server_version >= 160000 else "member"
        row = conn.execute(
            "select pg_has_role(session_user, %s, %s)"
            " and to_regclass('intermediate.int_out_of_use') is not null",
            (CLASSIFIER, become),
        ).fetchone()
    allowed = row is not None and bool(row[0]) and has_manifest(settings)
    return withdraw(settings) if allowed else None


def _collect(conn: Connection, declarations: Declarations) -> dict[str, TableDeclaration]:
    """Put the records out of use into pg_temp.out_of_use_record, with all that names them in the
    models, and into the relation that models leave out by; returns the tables that they lie in.

    A person or assignment is named only where every record of theirs is out of use: what a copy
    says of the others stays.
    """
    conn.execute(
        """
        create temporary table out_of_use_record on commit drop as
        select cases.source_schema, cases.source_table, cases.record_key, out_of_use.status,
            cases.row_id, cases.case_id, cases.subject_id, cases.subject_token::text as subject_token,
            cases.assignment_id
        from ledger.records_out_of_use() as out_of_use
        join intermediate.int_record_cases as cases using (source_schema, source_table, record_key)
        """
    )
    for name in ("case_id", "subject_id", "subject_token", "assignment_id"):
        conn.execute(
            sql.SQL(
                "update pg_temp.out_of_use_record as record set {name} = null from ("
                "select cases.{name}::text as name from intermediate.int_record_cases as cases"
                " left join pg_temp.out_of_use_record as gone using (row_id)"
                " where cases.{name} is not null group by 1 having bool_or(gone.row_id is null)"
                ") as staying where record.{name} = staying.name"
            ).format(name=sql.Identifier(name))
        )
    conn.execute("analyze pg_temp.out_of_use_record")
    # A model that somebody builds before the next classification leaves these out as well.
    conn.execute(
        """
        insert into intermediate.int_out_of_use (
            source_schema, source_table, record_key, entity_key, row_hash, status
        )
        select record.source_schema, record.source_table, record.record_key, facts.entity_key,
            case when record.record_key like 'row:%%'
                then 'row:' || split_part(record.record_key, ':', 2) end,
            record.status
        from pg_temp.out_of_use_record as record
        join intermediate.int_records_unioned as facts using (row_id)
        where not exists (
            select from intermediate.int_out_of_use as known
            where known.source_schema = record.source_schema
            and known.source_table = record.source_table and known.record_key = record.record_key
        )
        """,
        (),
    )
    rows = conn.execute(
        "select distinct source_schema || '.' || source_table from pg_temp.out_of_use_record"
    ).fetchall()
    reached = {name for (name,) in rows}
    return {table.qualified: table for table in declarations.governed if table.qualified in reached}


def _remove(conn: Connection, copy: Downstream, tables: dict[str, TableDeclaration]) -> int:
    types = column_types(conn, (copy.schema, copy.name))
    removed = 0
    for match in copy.matches:
        if match.table is None or match.table in tables:
            removed += conn.execute(
                sql.SQL(
                    "delete from {} as copy using pg_temp.out_of_use_record as record where {}"
                ).format(copy.identifier, is_of_record(match, tables.get(match.table or ""), types))
            ).rowcount
    return removed
