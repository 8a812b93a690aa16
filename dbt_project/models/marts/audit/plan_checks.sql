{{ config(materialized='view', schema='retention', post_hook="{{ readable_to_people() }}") }}
-- The rows of plans that may still be carried out, against what blocks each of them, record by record: an
-- assignment's hold does not cover the person's other records. A view, so that a plan made or a hold placed
-- since the classification is seen.
--
-- `is_unblocked` is false for a row that was blocked when the plan was frozen: the plan should never have
-- held it. What was blocked since is counted in `blocked_since`; the purge skips it and says so.
with live_plans as (
    select
        plan_id,
        planned_at
    from {{ source('ledger', 'plans') }}
    where state in ('proposed', 'approved', 'executing')
),

items as (
    select
        live_plans.plan_id,
        live_plans.planned_at,
        items.item_no,
        items.rule_id,
        cases.row_id,
        cases.source_schema,
        cases.source_table,
        cases.record_key,
        cases.subject_token,
        cases.assignment_id,
        -- A rights request is a record of its person's case: an unchanged case knew it when it was frozen.
        fingerprints.fingerprint = items.case_fingerprint as is_unchanged
    from live_plans
    inner join {{ source('ledger', 'plan_items') }} as items on live_plans.plan_id = items.plan_id
    inner join {{ ref('int_record_cases') }} as cases
        on
            items.source_schema = cases.source_schema
            and items.source_table = cases.source_table
            and items.record_key = cases.record_key
    left join {{ ref('int_case_fingerprints') }} as fingerprints on cases.case_id = fingerprints.case_id
    where items.state = 'planned'
),

blockers as (
    select
        blockers.scope,
        blockers.target,
        blockers.placed_at
    from {{ source('ledger', 'blockers') }} as blockers
    cross join {{ ref('int_clock') }} as clock
    where
        blockers.released_at is null
        and (blockers.kind <> 'lock' or blockers.until_on >= clock.as_of)
),

requests as (
    -- Those that the register has taken in hold by a blocker of their own.
    select distinct cases.subject_token
    from {{ ref('int_records_unioned') }} as landed
    inner join {{ ref('int_record_cases') }} as cases on landed.row_id = cases.row_id
    cross join {{ ref('int_clock') }} as clock
    left join {{ source('ledger', 'requests') }} as registered
        on cases.source_schema = registered.source_schema
            and cases.source_table = registered.source_table
            and cases.record_key = registered.record_key
    where
        coalesce(registered.state = 'received' and registered.hold_id is null, landed.request_is_pending)
        and cases.subject_token is not null
        and coalesce(cases.anchor_on <= clock.as_of, true)
),

-- Every blocker on every row, by each of the four ways in which one can reach it; a person's also where the
-- record may be that person's.
reached as (
    select
        items.plan_id,
        items.item_no,
        blockers.placed_at <= items.planned_at as was_known
    from items
    cross join
        lateral (
            values
            ('subject', items.subject_token::text),
            ('assignment', items.assignment_id),
            ('record', items.source_schema || '.' || items.source_table || ':' || items.record_key),
            ('table', items.source_schema || '.' || items.source_table)
        ) as targets (scope, target)
    inner join blockers on targets.scope = blockers.scope and targets.target = blockers.target
    union all
    select
        items.plan_id,
        items.item_no,
        blockers.placed_at <= items.planned_at
    from items
    inner join {{ ref('int_record_candidates') }} as candidates on items.row_id = candidates.row_id
    inner join {{ source('ledger', 'subject_tokens') }} as tokens on candidates.subject_id = tokens.subject_id
    inner join blockers on blockers.scope = 'subject' and tokens.subject_token::text = blockers.target
    union all
    select
        items.plan_id,
        items.item_no,
        items.is_unchanged
    from items
    inner join requests on items.subject_token = requests.subject_token
),

verdicts as (
    select
        plan_id,
        item_no,
        bool_or(coalesce(was_known, false)) as was_blocked
    from reached
    group by plan_id, item_no
)

select
    items.plan_id,
    items.source_schema,
    items.source_table,
    items.rule_id,
    not coalesce(verdicts.was_blocked, false) as is_unblocked,
    count(*) as records,
    count(*) filter (where not verdicts.was_blocked) as blocked_since
from items
left join verdicts on items.plan_id = verdicts.plan_id and items.item_no = verdicts.item_no
group by
    items.plan_id,
    items.source_schema,
    items.source_table,
    items.rule_id,
    not coalesce(verdicts.was_blocked, false)
