"""Statistics that analysing a table does not renew.

Belongs here: removing those of a table that is empty now, or of a column that is not looked at any more.
Does not belong here: telling which they are, which the database does, and rewriting the catalogue's own
file, in which removed statistics live on until then.
"""

from typing import Any

import psycopg

from retention.erasure.pending import Table

Connection = psycopg.Connection[Any]

# From this version on statistics can be cleared by whoever may maintain the table.
_CLEARING = 180000


def forget_old(conn: Connection, compaction_id: int, table: Table) -> None:
    """Remove what the database still keeps of the table from before the run, as far as this login may.

    What it may not is found again when the table is left, and said then.
    """
    found = conn.execute(
        "select statistics, of_schema, of_relation, of_column, inherited"
        " from ledger.old_statistics(%s, %s, %s)",
        (compaction_id, table.schema, table.name),
    ).fetchall()
    superuser = conn.info.parameter_status("is_superuser") == "on"
    for kind, schema, relation, column, inherited in found:
        if kind == "column" and conn.info.server_version >= _CLEARING:
            conn.execute(
                "select pg_catalog.pg_clear_attribute_stats(%s, %s, %s, %s)",
                (schema, relation, column, inherited),
            )
        elif kind == "column" and superuser:
            conn.execute(
                """
                delete from pg_catalog.pg_statistic as statistics
                using pg_catalog.pg_attribute as attributes, pg_catalog.pg_class as relations,
                    pg_catalog.pg_namespace as namespaces
                where attributes.attrelid = statistics.starelid
                and attributes.attnum = statistics.staattnum
                and relations.oid = statistics.starelid
                and namespaces.oid = relations.relnamespace
                and namespaces.nspname = %s and relations.relname = %s and attributes.attname = %s
                and statistics.stainherit = %s
                """,
                (schema, relation, column, inherited),
            )
        elif kind == "extended" and superuser:
            conn.execute(
                """
                delete from pg_catalog.pg_statistic_ext_data as data
                using pg_catalog.pg_statistic_ext as statistics, pg_catalog.pg_namespace as namespaces
                where statistics.oid = data.stxoid and namespaces.oid = statistics.stxnamespace
                and namespaces.nspname = %s and statistics.stxname = %s and data.stxdinherit = %s
                """,
                (schema, relation, inherited),
            )
