"""The figures about what went: purged, minimised, erased in stores outside, rewritten on disk.

Belongs here: the queries on tombstones, deletion orders and rewritten tables. Does not belong here: the
plans that led to it (`plans`).
"""

from __future__ import annotations

from retention.language import N_
from retention.lineage.model import NAMES, RECORD, SCHEMAS
from retention.policy import Policy
from retention.report.figures.figure import Code, Figure, Reader

# The latest ones; the ledger has an entry of each.
RUNS_SHOWN = 10


def purged(reader: Reader) -> Figure:
    """What was purged so far, by table and rule."""
    return reader.ask(
        "purged",
        N_("Records purged so far, by table and rule"),
        {
            "table": "table",
            "rule_id": Code("rule"),
            "records": "count",
            "first_at": "moment",
            "last_at": "moment",
        },
        reader.classification.query(
            """
            select source_schema || '.' || source_table as "table", rule_id, count(*) as records,
                min(purged_at) as first_at, max(purged_at) as last_at
            from ledger.tombstones
            where %(until)s::date is null
                or sletteplikt.local_date(purged_at) <= %(until)s::date
            group by source_schema, source_table, rule_id
            order by source_schema, source_table, rule_id
            """
        ),
        {"until": reader.until},
    )


def minimised(reader: Reader) -> Figure:
    """Rows that were kept and of which columns were made null, by table and the columns' rule."""
    return reader.ask(
        "minimised",
        N_("Records minimised so far, by table and rule of the columns"),
        {
            "table": "table",
            "rule_id": Code("rule"),
            "records": "count",
            "first_at": "moment",
            "last_at": "moment",
        },
        reader.classification.query(
            """
            select source_schema || '.' || source_table as "table", rule_id, count(*) as records,
                min(minimised_at) as first_at, max(minimised_at) as last_at
            from ledger.column_tombstones
            where %(until)s::date is null
                or sletteplikt.local_date(minimised_at) <= %(until)s::date
            group by source_schema, source_table, rule_id
            order by source_schema, source_table, rule_id
            """
        ),
        {"until": reader.until},
    )


def orders(reader: Reader) -> Figure:
    """What stores outside the warehouse were told to delete, and what they answered."""
    return reader.ask(
        "orders",
        N_("Deletion orders to stores outside the warehouse"),
        {
            "store": "text",
            "table": "table",
            "state": Code("order_state"),
            "orders": "count",
            "first_ordered_at": "moment",
            "last_answered_at": "moment",
        },
        reader.classification.query(
            """
            select store, source_schema || '.' || source_table as "table", state, count(*) as orders,
                min(ordered_at) as first_ordered_at, max(acknowledged_at) as last_answered_at
            from ledger.deletion_orders_shown
            where %(until)s::date is null or sletteplikt.local_date(ordered_at) <= %(until)s::date
            group by 1, 2, 3
            order by 1, 2, 3
            """
        ),
        {"until": reader.until},
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
