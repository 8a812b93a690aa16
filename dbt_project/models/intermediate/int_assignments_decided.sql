{{ config(indexes=[{'columns': ['assignment_id'], 'unique': true}, {'columns': ['subject_id']}]) }}
-- One row an assignment (contract, subscription, product order): its state, and its deadline under R4.
-- The state decides (requirements § 2): open runs no clock; an end without a usable date, an unknown type
-- or a type whose period nobody approved goes to a person. An acknowledged claim begins the period anew.
with versions as (
    select distinct on (cases.assignment_id)
        cases.assignment_id,
        cases.subject_id,
        cases.source_schema,
        cases.source_schema || '.' || cases.source_table || ':' || cases.record_key as event_id,
        records.assignment_type,
        records.opened_on,
        records.completed_on,
        records.acknowledged_on,
        -- What the source has deleted or superseded is not open now; that it was completed stays true.
        case
            when records.assignment_state = 'open' and (records.is_soft_deleted or not records.is_current) then 'ended'
            else records.assignment_state
        end as assignment_state
    from {{ ref('int_record_cases') }} as cases
    inner join {{ ref('int_records_unioned') }} as records on cases.row_id = records.row_id
    where records.assignment_state is not null and cases.assignment_id is not null
    order by cases.assignment_id asc, records.is_current desc, cases.record_key desc
),

restarts as (
    select distinct on (restarts.assignment_id)
        restarts.assignment_id,
        restarts.restarted_on,
        restarts.law
    from {{ source('ledger', 'assignment_restarts') }} as restarts
    cross join {{ ref('int_clock') }} as clock
    where restarts.restarted_on <= clock.as_of
    order by restarts.assignment_id asc, restarts.restarted_on desc, restarts.restarted_at desc
),

-- What a person decided last on one of its own rows. A corrected anchor dates an assignment that has no usable
-- date or state of its own, so that whatever follows it follows that day; what the source states comes first.
decisions as (
    select distinct on (cases.assignment_id)
        cases.assignment_id,
        case when decisions.decision = 'anchor' and decisions.rule_id = 'R4' then decisions.anchor_on end
            as corrected_on
    from {{ source('ledger', 'review_decisions') }} as decisions
    inner join {{ ref('int_record_cases') }} as cases
        on decisions.source_schema = cases.source_schema
            and decisions.source_table = cases.source_table
            and decisions.record_key = cases.record_key
    inner join {{ ref('int_records_unioned') }} as records on cases.row_id = records.row_id
    cross join {{ ref('int_clock') }} as clock
    where
        records.assignment_state is not null
        and cases.assignment_id is not null
        and sletteplikt.local_date(decisions.decided_at) <= clock.as_of
    order by cases.assignment_id asc, decisions.decided_at desc
),

corrected as (
    select
        versions.*,
        case
            when decisions.corrected_on > '1970-01-01' and decisions.corrected_on <= clock.as_of
                then decisions.corrected_on
        end as corrected_on
    from versions
    cross join {{ ref('int_clock') }} as clock
    left join decisions on versions.assignment_id = decisions.assignment_id
),

dated as (
    select
        versions.*,
        restarts.restarted_on,
        restarts.law,
        clock.as_of,
        coalesce(
            case
                when versions.opened_on > '1970-01-01' and versions.opened_on <= clock.as_of then versions.opened_on
            end,
            case
                when versions.completed_on > '1970-01-01' and versions.completed_on <= clock.as_of
                    then versions.completed_on
            end
        ) as usable_opened_on,
        types.period_months,
        types.mark,
        types.approval,
        marked.is_sample,
        case
            when versions.assignment_state in ('open', 'draft') then null
            when versions.assignment_state = 'unknown' and versions.corrected_on is not null then versions.corrected_on
            when versions.completed_on > '1970-01-01' and versions.completed_on <= clock.as_of
                then greatest(
                        versions.completed_on,
                        case when versions.acknowledged_on <= clock.as_of then versions.acknowledged_on end,
                        restarts.restarted_on
                    )
            else versions.corrected_on
        end as anchor_on
    from corrected as versions
    cross join {{ ref('int_clock') }} as clock
    left join {{ ref('policy_assignment_types') }} as types on versions.assignment_type = types.assignment_type
    left join {{ ref('int_marked_schemas') }} as marked on versions.source_schema = marked.source_schema
    left join restarts on versions.assignment_id = restarts.assignment_id
),

decided as (
    select
        dated.*,
        sletteplikt.last_day(dated.anchor_on, dated.period_months, null) as unmoved_last_day,
        case
            when dated.assignment_state in ('open', 'draft') then dated.assignment_state
            when dated.assignment_state = 'unknown' and dated.corrected_on is null then 'review'
            when dated.anchor_on is null or dated.period_months is null then 'review'
            when not {{ approved('dated.mark', 'dated.approval', 'dated.is_sample') }} then 'review'
            else 'ended'
        end as outcome,
        case
            when dated.assignment_state = 'unknown' and dated.corrected_on is null then 'its state is not declared'
            when dated.assignment_state in ('open', 'draft') then null
            when dated.anchor_on is null then 'it ended without a usable date'
            when dated.period_months is null then 'its type is not in the policy'
            when not {{ approved('dated.mark', 'dated.approval', 'dated.is_sample') }}
                then 'nobody approved the period of its type'
        end as review_reason
    from dated
)

select
    decided.assignment_id,
    decided.subject_id,
    decided.event_id,
    decided.assignment_type,
    decided.outcome,
    decided.review_reason,
    decided.usable_opened_on as opened_on,
    decided.anchor_on,
    case when decided.restarted_on = decided.anchor_on then decided.law end as restarted_by_law,
    {{ on_working_day('decided.unmoved_last_day', 'rule.is_minimum', 'days') }} as last_day,
    {{ on_working_day('decided.unmoved_last_day', 'rule.is_minimum', 'days') }} + 1 as due_on
from decided
inner join {{ ref('policy_rules') }} as rule on rule.rule_id = 'R4'
left join {{ ref('int_working_days') }} as days on decided.unmoved_last_day = days.on_day
