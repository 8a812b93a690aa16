"""The figures that count every record there is, against the rows that landed and the rows that went.

Belongs here: what must add up to the row. Does not belong here: what is due (`due`), and what keeps a
record from being purged (`blockers`).
"""

from __future__ import annotations

from collections.abc import Sequence

from retention.declarations import TableDeclaration
from retention.language import N_
from retention.report.figures.figure import Code, Figure, Reader


def population(reader: Reader) -> Figure:
    """Records per table, category and status."""
    return reader.ask(
        "population",
        N_("Records by table, category and status"),
        {
            "table": "table",
            "category": Code("category"),
            "status": Code("status"),
            "records": "count",
            "oldest_due_on": "day",
        },
        reader.classification.query(
            """
            select source_schema || '.' || source_table as "table", category, status,
                records::bigint as records, oldest_due_on
            from {summary}
            order by source_schema, source_table, category nulls last, status
            """
        ),
    )


def landed(reader: Reader, tables: Sequence[TableDeclaration]) -> Figure:
    """Rows that stand in each governed landing table now, the records classified, and the sum over the
    statuses: one number."""
    return reader.ask(
        "landed",
        N_("Rows landed against records classified"),
        {
            "table": "table",
            "landed": "count",
            "records": "count",
            "by_status": "count",
            "reconciled": "flag",
        },
        # Who reads a report reads no landing table: the database counts for them.
        reader.classification.query(
            """
            with landing as (
                select source_schema || '.' || source_table as qualified, landed
                from ledger.rows_landed(%(schemas)s::text[], %(tables)s::text[])
            ),
            classified as (
                select source_schema || '.' || source_table as qualified, count(*) as records
                from {records}
                group by 1
            ),
            summed as (
                select source_schema || '.' || source_table as qualified,
                    sum(records)::bigint as records
                from {summary}
                group by 1
            )
            select qualified as "table", coalesce(landing.landed, 0) as landed,
                coalesce(classified.records, 0) as records,
                coalesce(summed.records, 0) as by_status,
                coalesce(landing.landed, 0) = coalesce(classified.records, 0)
                and coalesce(classified.records, 0) = coalesce(summed.records, 0) as reconciled
            from landing
            full join classified using (qualified)
            full join summed using (qualified)
            order by 1
            """
        ),
        {
            "schemas": [table.schema_ for table in tables],
            "tables": [table.name for table in tables],
        },
    )


def movements(reader: Reader) -> Figure:
    """Per table: what stands there now, what of it was purged before and came back, and what went.

    The tombstones of a row that came back and was purged again count once each time."""
    return reader.ask(
        "movements",
        N_("What stands, what came back and what went, by table"),
        {
            "table": "table",
            "records": "count",
            "came_back": "count",
            "purged": "count",
            "purged_again": "count",
            "minimised": "count",
        },
        reader.classification.query(
            """
            with standing as (
                select source_schema, source_table, sum(records)::bigint as records
                from {summary}
                group by source_schema, source_table
            ),
            came_back as (
                select source_schema, source_table, count(*) as records
                from {int_returns_judged}
                where verdict = 'resurrection'
                group by source_schema, source_table
            ),
            purged as (
                select source_schema, source_table, count(*) as records,
                    count(*) - count(distinct token) as again
                from ledger.tombstones
                where %(until)s::date is null or sletteplikt.local_date(purged_at) <= %(until)s::date
                group by source_schema, source_table
            ),
            minimised as (
                select source_schema, source_table, count(*) as records
                from ledger.column_tombstones
                where %(until)s::date is null
                    or sletteplikt.local_date(minimised_at) <= %(until)s::date
                group by source_schema, source_table
            )
            select source_schema || '.' || source_table as "table",
                coalesce(standing.records, 0) as records,
                coalesce(came_back.records, 0) as came_back, coalesce(purged.records, 0) as purged,
                coalesce(purged.again, 0) as purged_again,
                coalesce(minimised.records, 0) as minimised
            from standing
            full join came_back using (source_schema, source_table)
            full join purged using (source_schema, source_table)
            full join minimised using (source_schema, source_table)
            order by source_schema, source_table
            """
        ),
        {"until": reader.until},
    )


def returned(reader: Reader) -> Figure:
    """Rows that were purged and landed again, by what they were found to be."""
    return reader.ask(
        "returned",
        N_("Rows that were purged and landed again"),
        {
            "table": "table",
            "verdict": Code("verdict"),
            "records": "count",
            "first_purged_on": "day",
            "last_purged_on": "day",
        },
        reader.classification.query(
            """
            select source_schema || '.' || source_table as "table", verdict, count(*) as records,
                min(purged_on) as first_purged_on, max(purged_on) as last_purged_on
            from {int_returns_judged}
            group by source_schema, source_table, verdict
            order by source_schema, source_table, verdict
            """
        ),
    )
