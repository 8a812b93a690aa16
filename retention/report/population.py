"""The figures about records: how many there are, under which rule, in which status, due when.

Belongs here: the queries on the classification and on landing that count. Does not belong here:
plans, purges and blockers (purges.py), and how any of it looks (html.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from retention.report.figures import Figure, Reader

# The calendar looks as far ahead as a year's planning does.
CALENDAR_MONTHS = 12


def population(reader: Reader) -> Figure:
    """Records per table, category and status."""
    return reader.ask(
        "population",
        "Records by table, category and status",
        reader.classification.query(
            """
            select source_schema || '.' || source_table as "table", category, status,
                records, oldest_due_on
            from {summary}
            order by source_schema, source_table, category nulls last, status
            """
        ),
    )


def landed(reader: Reader, tables: Sequence[tuple[str, str]]) -> Figure:
    """Rows that stand in each governed landing table now, beside the records classified."""
    # Who reads a report reads no landing table: the database counts for them.
    counted = sql.SQL(
        "select source_schema || '.' || source_table as qualified, landed\n"
        "    from ledger.rows_landed({schemas}::text[], {tables}::text[])"
    ).format(
        schemas=sql.Literal([schema for schema, _ in tables]),
        tables=sql.Literal([table for _, table in tables]),
    )
    query = (
        sql.SQL("with landing as (\n    ")
        + counted
        + reader.classification.query(
            """
            ),
            classified as (
                select source_schema || '.' || source_table as qualified, sum(records) as records
                from {summary}
                group by 1
            )
            select coalesce(landing.qualified, classified.qualified) as "table",
                coalesce(landing.landed, 0) as landed,
                coalesce(classified.records, 0)::bigint as records,
                coalesce(landing.landed, 0) = coalesce(classified.records, 0) as reconciled
            from landing
            full join classified on classified.qualified = landing.qualified
            order by 1
            """
        )
    )
    return reader.ask("landed", "Rows landed against records classified", query)


def overdue(reader: Reader) -> Figure:
    """Overdue records per table and rule: how old, how many beyond the policy's grace."""
    return reader.ask(
        "overdue",
        "Overdue records by table and rule",
        reader.classification.query(
            """
            select source_schema || '.' || source_table as "table", rule_id, category,
                policy_clause, disposition, count(*) as records, min(due_on) as oldest_due_on,
                count(*) filter (
                    where due_on < %(as_of)s::date - %(grace_days)s::int
                ) as beyond_grace
            from {records}
            where status = 'overdue'
            group by source_schema, source_table, rule_id, category, policy_clause, disposition
            order by source_schema, source_table, rule_id, disposition
            """
        ),
        {
            "as_of": reader.classification.as_of,
            "grace_days": reader.classification.grace_days,
        },
    )


def minimisable(reader: Reader) -> Figure:
    """Records kept for accounting alone, some columns of which are due."""
    return reader.ask(
        "minimisable",
        "Records with columns due although the row is kept",
        reader.classification.query(
            """
            select source_schema || '.' || source_table as "table", rule_id, count(*) as records,
                min(due_on) as row_kept_until
            from {records}
            where disposition = 'minimise'
            group by source_schema, source_table, rule_id
            order by source_schema, source_table, rule_id
            """
        ),
    )


def under_review(reader: Reader) -> Figure:
    """Records that a person must decide on, by reason."""
    return reader.ask(
        "review",
        "Records under review by reason",
        reader.classification.query(
            """
            select reason, source_schema || '.' || source_table as "table", category,
                count(*) as records
            from {records}
            where status = 'review'
            group by reason, source_schema, source_table, category
            order by reason, source_schema, source_table, category
            """
        ),
    )


def blocked(reader: Reader) -> Figure:
    """Records that something keeps from being purged, by what it is."""
    return reader.ask(
        "blocked",
        "Records that are held or restricted, by blocker",
        reader.classification.query(
            """
            select blocker, status, count(*) as records,
                count(*) filter (where due_on <= %(as_of)s::date) as past_due
            from {records}
            cross join lateral unnest(blocked_by) as blocker
            group by blocker, status
            order by blocker, status
            """
        ),
        {"as_of": reader.classification.as_of},
    )


def calendar(reader: Reader) -> Figure:
    """What falls due in the coming months, by calendar month and category."""
    return reader.ask(
        "calendar",
        "Records falling due, by month",
        reader.classification.query(
            """
            with months as (
                select (
                    date_trunc('month', %(as_of)s::date) + make_interval(months => n)
                )::date as month
                from generate_series(0, %(months)s) as n
            ),
            due as (
                select date_trunc('month', due_on)::date as month, category, count(*) as records,
                    count(*) filter (where status in ('held', 'restricted')) as blocked
                from {records}
                where due_on > %(as_of)s::date
                    and due_on <= (%(as_of)s::date + make_interval(months => %(months)s))::date
                    and status in ('held', 'restricted', 'due_soon', 'retained')
                group by 1, 2
            )
            select to_char(months.month, 'YYYY-MM') as month, due.category,
                coalesce(due.records, 0) as records, coalesce(due.blocked, 0) as blocked
            from months
            left join due on due.month = months.month
            order by months.month, due.category
            """
        ),
        {"as_of": reader.classification.as_of, "months": CALENDAR_MONTHS},
    )
