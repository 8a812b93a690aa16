"""The figures about what was done: plans, approvals, purges, their evidence, and what blocks.

Belongs here: the queries on the ledger that count. Does not belong here: the population
(population.py), one plan's deletion report (deletion.py), and how any of it looks (html.py).
"""

from __future__ import annotations

from datetime import date

from psycopg import sql

from retention.report.figures import Figure, Reader

# The latest ones; every plan stays in ledger.plans and has a deletion report of its own.
PLANS_SHOWN = 30


def plans(reader: Reader) -> Figure:
    """The latest plans: who planned and approved them, and what came of each."""
    return reader.ask(
        "plans",
        "Purge plans and their approvals",
        sql.SQL(
            """
            select plan_id, as_of, state, items, planned_by, planned_at, expires_on, approved_by,
                approved_at, approval_kind, rejected_by, rejected_at, executed_at, run_by,
                policy_version, digest
            from ledger.plans
            where as_of <= %(as_of)s::date
            order by planned_at desc, plan_id
            limit %(most)s
            """
        ).format(),
        {"as_of": reader.classification.as_of, "most": PLANS_SHOWN},
    )


def evidence(reader: Reader) -> Figure:
    """Per plan that was begun: rows purged against tombstones and evidence written with them."""
    return reader.ask(
        "evidence",
        "Rows purged against the evidence of it, by plan",
        sql.SQL(
            """
            with begun as (
                select plan_id, planned_at
                from ledger.plans
                where started_at is not null and as_of <= %(as_of)s::date
                order by planned_at desc, plan_id
                limit %(most)s
            ),
            items as (
                select plan_id, count(*) filter (where state = 'purged') as purged,
                    count(*) filter (where state = 'minimised') as minimised,
                    count(*) filter (where state = 'skipped') as skipped,
                    count(*) filter (where state = 'planned') as open
                from ledger.plan_items
                where plan_id in (select plan_id from begun)
                group by plan_id
            ),
            tombstones as (
                select plan_id, count(*) as tombstones
                from ledger.tombstones
                where plan_id in (select plan_id from begun)
                group by plan_id
            ),
            entries as (
                select (body::jsonb ->> 'plan_id')::uuid as plan_id, count(*) as entries,
                    count(*) filter (where kind = 'batch') as batches,
                    count(*) filter (where kind = 'read_back') as read_backs,
                    sum(jsonb_array_length(body::jsonb -> 'findings')) filter (
                        where kind = 'read_back'
                    ) as findings
                from ledger.entries
                where body::jsonb ? 'plan_id'
                    and body::jsonb ->> 'plan_id' in (select plan_id::text from begun)
                group by 1
            )
            select begun.plan_id, coalesce(items.purged, 0) as purged,
                coalesce(items.minimised, 0) as minimised,
                coalesce(tombstones.tombstones, 0) as tombstones,
                coalesce(items.skipped, 0) as skipped, coalesce(items.open, 0) as open,
                coalesce(entries.batches, 0) as batches, coalesce(entries.entries, 0) as entries,
                coalesce(entries.read_backs, 0) as read_backs,
                coalesce(entries.findings, 0)::bigint as read_back_findings
            from begun
            left join items on items.plan_id = begun.plan_id
            left join tombstones on tombstones.plan_id = begun.plan_id
            left join entries on entries.plan_id = begun.plan_id
            order by begun.planned_at desc, begun.plan_id
            """
        ).format(),
        {"as_of": reader.classification.as_of, "most": PLANS_SHOWN},
    )


def purged(reader: Reader) -> Figure:
    """What was purged so far, by table and rule."""
    return reader.ask(
        "purged",
        "Records purged so far, by table and rule",
        sql.SQL(
            """
            select source_schema || '.' || source_table as "table", rule_id, count(*) as records,
                min(purged_at) as first_at, max(purged_at) as last_at
            from ledger.tombstones
            where %(until)s::date is null
                or (purged_at at time zone 'Europe/Oslo')::date <= %(until)s::date
            group by source_schema, source_table, rule_id
            order by source_schema, source_table, rule_id
            """
        ).format(),
        {"until": _until(reader)},
    )


def minimised(reader: Reader) -> Figure:
    """Rows that were kept and of which columns were made null, by table and the columns' rule."""
    return reader.ask(
        "minimised",
        "Records minimised so far, by table and rule of the columns",
        sql.SQL(
            """
            select source_schema || '.' || source_table as "table", rule_id, count(*) as records,
                min(minimised_at) as first_at, max(minimised_at) as last_at
            from ledger.column_tombstones
            where %(until)s::date is null
                or (minimised_at at time zone 'Europe/Oslo')::date <= %(until)s::date
            group by source_schema, source_table, rule_id
            order by source_schema, source_table, rule_id
            """
        ).format(),
        {"until": _until(reader)},
    )


def left_out(reader: Reader) -> Figure:
    """Why overdue records are not in the latest plan, or were not purged with it."""
    return reader.ask(
        "left_out",
        "Overdue records left out of the latest plan, by reason",
        sql.SQL(
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
            join latest on latest.plan_id = items.plan_id
            where items.state = 'skipped'
            group by items.skip_reason
            order by stage, records desc, reason
            """
        ).format(),
        {"as_of": reader.classification.as_of},
    )


def blockers(reader: Reader) -> Figure:
    """Holds, restrictions and locks in force on the report's day, without their reasons' words."""
    return reader.ask(
        "blockers",
        "Holds, restrictions and locks in force",
        sql.SQL(
            """
            select kind, scope,
                case scope
                    when 'subject' then target
                    when 'table' then target
                    else split_part(target, ':', 1)
                end as target,
                from_on, until_on, placed_by, placed_at
            from ledger.blockers_shown
            where released_at is null
                and least(from_on, sletteplikt.local_date(placed_at)) <= %(as_of)s::date
            order by kind, scope, from_on, placed_at, blocker_id
            """
        ).format(),
        {"as_of": reader.classification.as_of},
    )


def entries(reader: Reader) -> Figure:
    """The evidence ledger by kind of entry."""
    return reader.ask(
        "entries",
        "Entries in the evidence ledger, by kind",
        sql.SQL(
            """
            select kind, count(*) as entries, min(at) as first_at, max(at) as last_at
            from ledger.entries
            where %(until)s::date is null
                or (at at time zone 'Europe/Oslo')::date <= %(until)s::date
            group by kind
            order by kind
            """
        ).format(),
        {"until": _until(reader)},
    )


def _until(reader: Reader) -> date | None:
    """A replay knows nothing of what was done after its day; today's report knows everything."""
    return reader.classification.as_of if reader.classification.suffix else None
