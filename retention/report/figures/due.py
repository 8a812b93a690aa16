"""The figures about what is due, what keeps it from going, what a person must decide, and what comes next.

Belongs here: records by due date. Does not belong here: holds and locks themselves (`blockers`), and the
plans (`plans`).
"""

from __future__ import annotations

from collections.abc import Mapping

from retention.language import N_
from retention.report.figures.figure import Code, Figure, Reader

# The calendar looks as far ahead as a year's planning does.
CALENDAR_MONTHS = 12


def overdue(reader: Reader) -> Figure:
    """Overdue records per table and rule: how old, how many beyond the policy's grace."""
    return reader.ask(
        "overdue",
        N_("Overdue records by table and rule"),
        {
            "table": "table",
            "rule_id": Code("rule"),
            "category": Code("category"),
            "policy_clause": "text",
            "disposition": Code("disposition"),
            "records": "count",
            "oldest_due_on": "day",
            "beyond_grace": "count",
        },
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
            order by source_schema, source_table, rule_id, category, policy_clause, disposition
            """
        ),
        {"as_of": reader.as_of, "grace_days": reader.classification.grace_days},
    )


def overdue_because(reader: Reader, withheld: Mapping[str, str]) -> Figure:
    """What every overdue record waits for. `withheld` are tables that nothing is purged from, and why.

    A plan holds keys only until it is carried out or ended. What it left out or skipped is counted by
    reason in figures of its own. A replay knows no plan."""
    return reader.ask(
        "overdue_because",
        N_("What overdue records wait for"),
        {
            "table": "table",
            "rule_id": Code("rule"),
            "waits_for": Code("waits_for"),
            "detail": "text",
            "records": "count",
            "oldest_due_on": "day",
        },
        reader.classification.query(
            """
            with overdue as (
                select source_schema, source_table, record_key, rule_id, due_on
                from {records}
                where status = 'overdue'
            ),
            withheld as (
                select * from unnest(%(withheld)s::text[], %(reasons)s::text[]) as t (qualified, why)
            ),
            -- A record may stand in several plans: the latest tells.
            planned as (
                select distinct on (items.source_schema, items.source_table, items.record_key)
                    items.source_schema, items.source_table, items.record_key, plans.state
                from ledger.plan_items as items
                inner join ledger.plans as plans using (plan_id)
                where %(until)s::date is null and items.state = 'planned'
                    and plans.state in ('proposed', 'approved', 'executing')
                order by items.source_schema, items.source_table, items.record_key,
                    plans.planned_at desc, plans.plan_id
            ),
            latest as (
                select plans.classification_id = (
                    select max(classification_id) from ledger.classifications
                    where finished_at is not null
                ) as is_of_this
                from ledger.plans as plans
                where %(until)s::date is null and plans.scope = 'ordinary'
                order by plans.planned_at desc, plans.plan_id
                limit 1
            )
            select overdue.source_schema || '.' || overdue.source_table as "table", overdue.rule_id,
                case
                    when withheld.qualified is not null then 'withheld'
                    when planned.state is not null then 'plan_' || planned.state
                    when (select is_of_this from latest) then 'left_out'
                    else 'no_plan'
                end as waits_for,
                withheld.why as detail, count(*) as records, min(overdue.due_on) as oldest_due_on
            from overdue
            left join withheld
                on withheld.qualified = overdue.source_schema || '.' || overdue.source_table
            left join planned using (source_schema, source_table, record_key)
            group by 1, 2, 3, 4
            order by 1, 2, 3, 4
            """
        ),
        {
            "withheld": sorted(withheld),
            "reasons": [withheld[table] for table in sorted(withheld)],
            "until": reader.until,
        },
    )


def left_out(reader: Reader) -> Figure:
    """Why overdue records are not in the latest plan, or were not purged with it."""
    return reader.ask(
        "left_out",
        N_("Overdue records left out of the latest plan, by reason"),
        {"stage": Code("plan_stage"), "reason": "text", "records": "count"},
        reader.classification.query(
            """
            with latest as (
                select plan_id, waiting
                from ledger.plans
                where as_of <= %(as_of)s::date
                order by planned_at desc, plan_id
                limit 1
            )
            select 'not planned' as stage, reasons.key as reason, reasons.value::bigint as records
            from latest
            cross join lateral jsonb_each_text(latest.waiting) as reasons
            union all
            select 'skipped' as stage, items.skip_reason as reason, count(*) as records
            from ledger.plan_items as items
            inner join latest on latest.plan_id = items.plan_id
            where items.state = 'skipped'
            group by items.skip_reason
            order by stage, records desc, reason
            """
        ),
        {"as_of": reader.as_of},
    )


def minimisable(reader: Reader) -> Figure:
    """Records kept for accounting alone, some columns of which are due."""
    return reader.ask(
        "minimisable",
        N_("Records with columns due although the row is kept"),
        {"table": "table", "rule_id": Code("rule"), "records": "count", "row_kept_until": "day"},
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
        N_("Records under review by reason"),
        {"reason": "text", "table": "table", "category": Code("category"), "records": "count"},
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


def review_deadlines(reader: Reader) -> Figure:
    """How long the records under review have waited for their decision."""
    return reader.ask(
        "review_deadlines",
        N_("Records under review by the day they must be decided"),
        {
            "table": "table",
            "records": "count",
            "past_deadline": "count",
            "oldest_since": "day",
            "first_deadline": "day",
        },
        reader.classification.query(
            """
            select source_schema || '.' || source_table as "table", count(*) as records,
                count(*) filter (where not is_in_time) as past_deadline,
                min(review_since) as oldest_since, min(review_by) as first_deadline
            from {review_queue}
            group by source_schema, source_table
            order by source_schema, source_table
            """
        ),
    )


def calendar(reader: Reader) -> Figure:
    """What falls due in the coming months, by calendar month and category."""
    return reader.ask(
        "calendar",
        N_("Records falling due, by month"),
        {"month": "month", "category": Code("category"), "records": "count", "blocked": "count"},
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
        {"as_of": reader.as_of, "months": CALENDAR_MONTHS},
    )
