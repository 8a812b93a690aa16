"""The figures about how thoroughly it went: which level each plan has reached, and which tables were, or
are still to be, rewritten for it.

Belongs here: the queries on rewritten tables. Does not belong here: the rewriting, and what no level covers
(`retention.erasure`).
"""

from __future__ import annotations

from retention.language import N_
from retention.lineage.model import NAMES, RECORD, SCHEMAS
from retention.policy import Policy
from retention.report.figures.figure import Code, Figure, Reader
from retention.report.figures.plans import PLANS_SHOWN

# The latest ones; the ledger has an entry of each.
RUNS_SHOWN = 10


def levels(reader: Reader) -> Figure:
    """The level that each plan has reached, as its deletion report says it (`retention.erasure.level`): by
    the runs that rewrote tables after its last batch, told by then."""
    return reader.ask(
        "levels",
        N_("Level of erasure reached, by plan"),
        {"plan_id": "id", "last_batch_at": "moment", "changed": "count", "level": Code("level")},
        reader.classification.query(
            """
            with batches as (
                select (body::jsonb ->> 'plan_id')::uuid as plan_id, entry_id, at, body::jsonb as body
                from ledger.entries
                where kind = 'batch'
                    and (%(until)s::date is null or sletteplikt.local_date(at) <= %(until)s::date)
            ),
            begun as (
                select plan_id, max(entry_id) as last_batch, max(at) as last_batch_at
                from batches
                group by plan_id
                order by last_batch desc
                limit %(most)s
            ),
            changed as (
                select plan_id, landed ->> 'table' as relation
                from batches
                cross join lateral jsonb_array_elements(body -> 'tables') as landed
                where (landed ->> 'purged')::bigint + (landed ->> 'minimised')::bigint > 0
                union
                select plan_id, copy ->> 'relation'
                from batches
                cross join lateral jsonb_array_elements(body -> 'copies') as copy
                where coalesce((copy ->> 'deleted')::bigint, 0)
                    + coalesce((copy ->> 'minimised')::bigint, 0) > 0
            ),
            -- What each run after the plan's last batch was to rewrite.
            listed as (
                select begun.plan_id, tables.compaction_id, tables.part,
                    tables.relation_schema || '.' || tables.relation_name as relation,
                    tables.rewritten_at is not null as is_done
                from begun
                inner join ledger.compactions as runs
                    on runs.finished_at is not null and runs.covers_entry >= begun.last_batch
                    and (
                        %(until)s::date is null
                        or sletteplikt.local_date(runs.finished_at) <= %(until)s::date
                    )
                inner join ledger.compacted_tables as tables
                    on tables.compaction_id = runs.compaction_id
            ),
            wanted as (
                select plan_id, relation, min(since) as since
                from (
                    select plan_id, relation, 0 as since from changed
                    union all
                    select plan_id, relation, compaction_id from listed where part <> 'statistics'
                ) as asked
                where exists (
                    select
                    from pg_catalog.pg_class as relations
                    inner join pg_catalog.pg_namespace as namespaces
                        on namespaces.oid = relations.relnamespace
                    where namespaces.nspname || '.' || relations.relname = asked.relation
                )
                group by plan_id, relation
            ),
            done as (
                select plan_id, relation, min(compaction_id) as since
                from listed
                where is_done
                group by plan_id, relation
            ),
            -- A run completes a level where it renewed the statistics and nothing asked for is left.
            completing as (
                select plan_id, compaction_id
                from listed
                group by plan_id, compaction_id
                having bool_and(is_done or part <> 'statistics')
                    and not exists (
                        select
                        from wanted
                        left join done
                            on done.plan_id = wanted.plan_id and done.relation = wanted.relation
                            and done.since <= listed.compaction_id
                        where wanted.plan_id = listed.plan_id
                            and wanted.since <= listed.compaction_id and done.relation is null
                    )
            )
            select begun.plan_id, begun.last_batch_at, count(changed.relation) as changed,
                case
                    when count(changed.relation) > 0 and exists (
                        select from completing where completing.plan_id = begun.plan_id
                    ) then 'physical'
                    else 'logical'
                end as level
            from begun
            left join changed on changed.plan_id = begun.plan_id
            group by begun.plan_id, begun.last_batch, begun.last_batch_at
            order by begun.last_batch desc
            """
        ),
        {"until": reader.until, "most": PLANS_SHOWN},
    )


def rewritten(reader: Reader) -> Figure:
    """The latest runs that rewrote tables, so that no file holds what was purged."""
    return reader.ask(
        "rewritten",
        N_("Tables rewritten after purges"),
        {
            "run": "id",
            "begun_at": "moment",
            "finished_at": "moment",
            "rewritten": "count",
            "left_over": "count",
            "bytes_before": "count",
            "bytes_after": "count",
        },
        reader.classification.query(
            """
            select runs.compaction_id as run, runs.begun_at, runs.finished_at,
                count(tables.rewritten_at) as rewritten,
                count(tables.left_because) as left_over,
                coalesce(sum(tables.bytes_before), 0)::bigint as bytes_before,
                coalesce(sum(tables.bytes_after), 0)::bigint as bytes_after
            from ledger.compactions as runs
            left join ledger.compacted_tables as tables using (compaction_id)
            where %(until)s::date is null or sletteplikt.local_date(runs.begun_at) <= %(until)s::date
            group by runs.compaction_id
            order by runs.compaction_id desc
            limit %(most)s
            """
        ),
        {"until": reader.until, "most": RUNS_SHOWN},
    )


def not_rewritten(reader: Reader, policy: Policy) -> Figure:
    """Tables whose files may still hold values of purged records of a category that is to be erased
    physically. A replay does not know."""
    return reader.ask(
        "not_rewritten",
        N_("Tables that wait to be rewritten"),
        {"part": Code("rewritten_part"), "table": "table", "since": "day"},
        reader.classification.query(
            """
            with named as (
                select namespaces.nspname::text as model_schema, relations.relname::text as model_name
                from pg_catalog.pg_class as relations
                inner join pg_catalog.pg_namespace as namespaces
                    on namespaces.oid = relations.relnamespace
                inner join pg_catalog.pg_attribute as attributes
                    on attributes.attrelid = relations.oid
                    and attributes.attnum > 0 and not attributes.attisdropped
                where namespaces.nspname = any(%(schemas)s::text[])
                    and relations.relkind in ('r', 'p') and not relations.relispartition
                group by namespaces.nspname, relations.relname
                having bool_or(attributes.attname = any(%(persons)s::text[]))
                    or count(*) filter (where attributes.attname = any(%(record)s::text[]))
                    = cardinality(%(record)s::text[])
            )
            select waiting.part, waiting.relation_schema || '.' || waiting.relation_name as "table",
                sletteplikt.local_date(waiting.waiting_since) as since
            from ledger.waiting_for_compaction(
                %(categories)s::text[],
                (select coalesce(array_agg(model_schema order by model_schema, model_name), '{{}}')
                from named),
                (select coalesce(array_agg(model_name order by model_schema, model_name), '{{}}')
                from named)
            ) as waiting
            where %(until)s::date is null
            order by 1, 2
            """
        ),
        {
            "categories": list(policy.erasure.physical),
            "schemas": list(SCHEMAS),
            "persons": sorted(NAMES - RECORD),
            "record": sorted(RECORD),
            "until": reader.until,
        },
    )
