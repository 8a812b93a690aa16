{{ config(indexes=[{'columns': ['subject_id']}]) }}
-- Every ground on which a person's own row may stand, each with the event that starts its clock.
with contacts as (
    select distinct on (subject_id)
        subject_id,
        contact_on,
        event_id
    from {{ ref('int_contacts_counted') }}
    order by subject_id asc, contact_on desc, event_id asc
),

timeliness as (
    select
        subject_id,
        bool_or(outcome in ('already', 'in_time')) filter (where outcome <> 'anew') as is_timely,
        bool_or(outcome = 'late') as is_late
    from {{ ref('int_leads_decided') }}
    group by subject_id
),

advice as (
    select
        subject_id,
        max(last_day) as last_day
    from {{ ref('int_assignments_decided') }}
    where outcome = 'ended'
    group by subject_id
),

relationships as (
    select
        contacts.subject_id,
        'R3' as rule_id,
        contacts.contact_on as anchor_on,
        contacts.event_id,
        sletteplikt.last_day(contacts.contact_on, rule.period_months, rule.period_days) as last_day,
        case
            when not coalesce(timeliness.is_timely, true) then 'contact came after the period had ended'
        end as review_reason
    from contacts
    inner join {{ ref('policy_rules') }} as rule on rule.rule_id = 'R3'
    left join timeliness on contacts.subject_id = timeliness.subject_id
    left join advice on contacts.subject_id = advice.subject_id
    where
        -- Advice was given, or a product delivered, in this relationship: R4 speaks, not R3.
        coalesce(advice.last_day < contacts.contact_on, true)
        -- A relationship that had lapsed before the lead came is over.
        and (coalesce(timeliness.is_timely, true) or timeliness.is_late)
)

select
    subject_id,
    rule_id,
    anchor_on,
    event_id,
    last_day,
    last_day + 1 as due_on,
    null::text as review_reason
from {{ ref('int_leads_decided') }}
where outcome = 'none'
union all
select
    subject_id,
    rule_id,
    anchor_on,
    event_id,
    last_day,
    last_day + 1 as due_on,
    review_reason
from relationships
union all
select
    subject_id,
    case when outcome = 'open' then 'ACTIVE' else 'R4' end as rule_id,
    case when outcome = 'open' then opened_on else anchor_on end as anchor_on,
    event_id,
    last_day,
    due_on,
    case when outcome = 'review' then 'assignment: ' || review_reason end as review_reason
from {{ ref('int_assignments_decided') }}
where subject_id is not null and outcome <> 'draft'
