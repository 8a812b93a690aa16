{{ config(materialized='view', schema='intermediate') }}
-- For each person, assignment, hand-over and fiscal year the last day on which any period of the policy could
-- still keep it, from dates of landing rows alone. Never earlier than the true last day: an event that turns
-- out not to count, or a hand-over that a relationship has overtaken, can only make it later.
with facts as (
    select * from {{ ref('int_landing_linked') }}
),

rules as (
    select
        rule_id,
        make_interval(months => coalesce(period_months, 0), days => coalesce(period_days, 0)) as period
    from {{ ref('policy_rules') }}
),

-- The same partner's second hand-over of a lead starts nothing anew.
hand_overs as (
    select
        subject_id,
        partner_key,
        min(dated_on) as first_on
    from facts
    where is_lead and partner_key is not null and dated_on is not null and subject_id is not null
    group by subject_id, partner_key
),

-- Only the current version of an assignment states it.
stated as (
    select distinct on (assignment_id) facts.*
    from facts
    where is_assignment and assignment_id is not null
    order by assignment_id asc, is_current desc, record_key desc
),

-- A claim that was acknowledged began the period anew.
restarts as (
    select
        restarted.assignment_id,
        max(restarted.restarted_on) as restarted_on
    from {{ source('ledger', 'assignment_restarts') }} as restarted
    cross join {{ ref('int_clock') }} as clock
    where restarted.restarted_on <= clock.as_of
    group by restarted.assignment_id
),

-- A day that a person gave an assignment, whatever came of it: it can only make the last day later.
given as (
    select
        facts.assignment_id,
        max(decided.anchor_on) as given_on
    from {{ source('ledger', 'review_decisions') }} as decided
    inner join facts
        on
            decided.source_schema = facts.source_schema
            and decided.source_table = facts.source_table
            and decided.record_key = facts.record_key
    where facts.is_assignment and decided.decision = 'anchor' and decided.rule_id = 'R4'
    group by facts.assignment_id
),

ends_of_assignments as (
    select
        stated.assignment_id,
        stated.subject_id,
        stated.is_standing and stated.assignment_state = 'open' as is_open,
        stated.assignment_state = 'draft' as is_draft,
        case
            when
                (
                    stated.assignment_state in ('completed', 'ended')
                    -- What the source has deleted or superseded is not open now.
                    or (given.given_on is not null and not (stated.is_standing and stated.assignment_state = 'open'))
                )
                and {{ approved('types.mark', 'types.approval', 'marked.is_sample') }}
                then
                    (
                        greatest(
                            stated.completed_on,
                            case
                                when stated.completed_on is not null
                                    then greatest(stated.acknowledged_on, restarts.restarted_on)
                            end,
                            given.given_on
                        ) + make_interval(months => types.period_months)
                    )::date
        end as unmoved_day
    from stated
    left join restarts on stated.assignment_id = restarts.assignment_id
    left join {{ ref('policy_assignment_types') }} as types on stated.assignment_type = types.assignment_type
    left join {{ ref('int_marked_schemas') }} as marked on stated.source_schema = marked.source_schema
    left join given on stated.assignment_id = given.assignment_id
),

ends_of_fiscal_years as (
    select distinct
        classes.accounting_class,
        extract(year from facts.dated_on)::int as fiscal_year,
        (
            make_date(extract(year from facts.dated_on)::int, 12, 31)
            + make_interval(months => classes.period_months)
        )::date as unmoved_day
    from facts
    inner join {{ ref('policy_accounting_classes') }} as classes
        on facts.accounting_class = classes.accounting_class
    where facts.dated_on is not null
),

-- The end of a minimum period moves to the next working day (requirements § 6).
moved as (
    select
        ends.unmoved_day,
        min(days.on_day)::date as moved_day
    from (
        select unmoved_day from ends_of_assignments
        union
        select unmoved_day from ends_of_fiscal_years
    ) as ends
    cross join lateral generate_series(ends.unmoved_day, ends.unmoved_day + 20, interval '1 day') as days (on_day)
    left join {{ ref('public_holidays') }} as public_holidays on days.on_day = public_holidays.holiday_on
    where extract(isodow from days.on_day) < 6 and public_holidays.holiday_on is null
    group by ends.unmoved_day
),

assignments as (
    select
        ends.assignment_id,
        ends.subject_id,
        ends.is_draft,
        case when ends.is_open then 'infinity'::date else moved.moved_day end as latest_day
    from ends_of_assignments as ends
    left join moved on ends.unmoved_day = moved.unmoved_day
),

days_of_persons as (
    select
        hand_overs.subject_id,
        (hand_overs.first_on + rules.period)::date as latest_day,
        false as is_relationship
    from hand_overs
    inner join rules on rules.rule_id = 'R1'
    union all
    select
        facts.subject_id,
        (facts.dated_on + rules.period)::date as latest_day,
        false as is_relationship
    from facts
    inner join rules on rules.rule_id = 'R2'
    where facts.is_lead and facts.partner_key is null and facts.subject_id is not null
    union all
    select
        facts.subject_id,
        (facts.dated_on + rules.period)::date as latest_day,
        false as is_relationship
    from facts
    inner join rules on rules.rule_id = case when facts.received_via_partner then 'R1' else 'R2' end
    left join (select distinct subject_id from hand_overs) as handed_over
        on facts.subject_id = handed_over.subject_id
    where
        facts.is_person
        and facts.subject_id is not null
        -- Whom a partner handed over is dated by the hand-overs.
        and not (coalesce(facts.received_via_partner, false) and handed_over.subject_id is not null)
    union all
    select
        facts.subject_id,
        (facts.dated_on + rules.period)::date as latest_day,
        true as is_relationship
    from facts
    inner join rules on rules.rule_id = 'R3'
    where facts.counts_as_contact and facts.dated_on is not null and facts.subject_id is not null
    union all
    -- Nobody knows yet how long an assignment keeps its person that ended without a usable date or period.
    select
        subject_id,
        case when is_draft then null else coalesce(latest_day, 'infinity'::date) end as latest_day,
        not is_draft as is_relationship
    from assignments
    where subject_id is not null
),

persons as (
    select
        subject_id,
        max(latest_day) as latest_day,
        bool_or(is_relationship) as has_relationship
    from days_of_persons
    group by subject_id
)

select
    'person' as kind,
    subject_id as id,
    latest_day,
    has_relationship
from persons
union all
-- The rows of a draft go with the person.
select
    'assignment' as kind,
    assignments.assignment_id as id,
    greatest(assignments.latest_day, case when assignments.is_draft then persons.latest_day end) as latest_day,
    false as has_relationship
from assignments
left join persons on assignments.subject_id = persons.subject_id
union all
select
    'hand-over' as kind,
    hand_overs.subject_id || '/' || hand_overs.partner_key as id,
    (hand_overs.first_on + rules.period)::date as latest_day,
    false as has_relationship
from hand_overs
inner join rules on rules.rule_id = 'R1'
union all
select
    'accounting' as kind,
    ends.accounting_class || ':' || ends.fiscal_year as id,
    moved.moved_day as latest_day,
    false as has_relationship
from ends_of_fiscal_years as ends
inner join moved on ends.unmoved_day = moved.unmoved_day
