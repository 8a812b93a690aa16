"""The figures about plans: who planned, who approved or refused, and whether what went has its evidence.

Belongs here: the queries on plans and what became of their items. Does not belong here: what went, over
all plans (`purges`), one plan's deletion report (`retention.report.deletion`), and how anything looks.
"""

from __future__ import annotations

from retention.language import N_
from retention.report.figures.figure import Code, Figure, Reader

# The latest ones; every plan stays in ledger.plans and has a deletion report of its own.
PLANS_SHOWN = 30


def plans(reader: Reader) -> Figure:
    """The latest plans: who planned and approved them, and what came of each."""
    return reader.ask(
        "plans",
        N_("Purge plans and their approvals"),
        {
            "plan_id": "id",
            "as_of": "day",
            "scope": Code("plan_scope"),
            "state": Code("plan_state"),
            "items": "count",
            "planned_by": "text",
            "planned_at": "moment",
            "expires_on": "day",
            "approved_by": "text",
            "approved_at": "moment",
            "approval_kind": Code("approval_kind"),
            "rejected_by": "text",
            "rejected_at": "moment",
            "executed_at": "moment",
            "run_by": "text",
            "policy_version": "text",
            "digest": "hash",
        },
        reader.classification.query(
            """
            select plan_id, as_of, scope, state, items, planned_by, planned_at, expires_on,
                approved_by, approved_at, approval_kind, rejected_by, rejected_at, executed_at, run_by,
                policy_version, digest
            from ledger.plans
            where as_of <= %(as_of)s::date
            order by planned_at desc, plan_id
            limit %(most)s
            """
        ),
        {"as_of": reader.as_of, "most": PLANS_SHOWN},
    )


def approvals(reader: Reader) -> Figure:
    """All plans by what they may hold, what approved them and what became of them."""
    return reader.ask(
        "approvals",
        N_("Plans by scope, kind of approval and outcome"),
        {
            "scope": Code("plan_scope"),
            "approval_kind": Code("approval_kind"),
            "state": Code("plan_state"),
            "plans": "count",
            "items": "count",
            "approvers": "count",
            "last_planned_at": "moment",
        },
        reader.classification.query(
            """
            select scope, approval_kind, state, count(*) as plans, sum(items)::bigint as items,
                count(distinct approved_by) as approvers, max(planned_at) as last_planned_at
            from ledger.plans
            where as_of <= %(as_of)s::date
            group by scope, approval_kind, state
            order by scope, approval_kind nulls last, state
            """
        ),
        {"as_of": reader.as_of},
    )


def evidence(reader: Reader) -> Figure:
    """Per plan that was begun: rows purged against tombstones and evidence written with them."""
    return reader.ask(
        "evidence",
        N_("Rows purged against the evidence of it, by plan"),
        {
            "plan_id": "id",
            "purged": "count",
            "minimised": "count",
            "tombstones": "count",
            "skipped": "count",
            "open": "count",
            "batches": "count",
            "entries": "count",
            "read_backs": "count",
            "read_back_findings": "count",
        },
        reader.classification.query(
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
        ),
        {"as_of": reader.as_of, "most": PLANS_SHOWN},
    )


def refusals(reader: Reader) -> Figure:
    """What a guard refused, and the plans that a person rejected, each with how often."""
    return reader.ask(
        "refusals",
        N_("Refusals and rejections"),
        {
            "what": Code("refusal"),
            "reason": "text",
            "times": "count",
            "plans": "count",
            "first_at": "moment",
            "last_at": "moment",
        },
        reader.classification.query(
            """
            select replace(body::jsonb ->> 'of', ' ', '_') as what, body::jsonb ->> 'reason' as reason,
                count(*) as times, count(distinct body::jsonb ->> 'plan_id') as plans,
                min(at) as first_at, max(at) as last_at
            from ledger.entries
            where kind = 'refusal'
                and (%(until)s::date is null or sletteplikt.local_date(at) <= %(until)s::date)
            group by 1, 2
            union all
            -- Why a person rejected a plan stands in the ledger alone: the words may name somebody.
            select 'rejected' as what, null as reason, count(*) as times, count(*) as plans,
                min(rejected_at) as first_at, max(rejected_at) as last_at
            from ledger.plans
            where rejected_at is not null
                and (%(until)s::date is null or sletteplikt.local_date(rejected_at) <= %(until)s::date)
            having count(*) > 0
            order by what, reason, first_at
            """
        ),
        {"until": reader.until},
    )


def skipped(reader: Reader) -> Figure:
    """Records that stood in a plan and were not purged with it, by what spared them."""
    return reader.ask(
        "skipped",
        N_("Planned records that were skipped, by reason"),
        {
            "table": "table",
            "rule_id": Code("rule"),
            "reason": "text",
            "records": "count",
            "plans": "count",
        },
        reader.classification.query(
            """
            select items.source_schema || '.' || items.source_table as "table", items.rule_id,
                items.skip_reason as reason, count(*) as records,
                count(distinct items.plan_id) as plans
            from ledger.plan_items as items
            inner join ledger.plans as plans on plans.plan_id = items.plan_id
            where items.state = 'skipped' and plans.as_of <= %(as_of)s::date
            group by items.source_schema, items.source_table, items.rule_id, items.skip_reason
            order by items.source_schema, items.source_table, items.rule_id, items.skip_reason
            """
        ),
        {"as_of": reader.as_of},
    )
