{{ config(materialized='view', schema='retention', post_hook="{{ readable_to_people() }}") }}
-- Every record judged once more, by dates and links of the landing rows and the policy's periods alone, so
-- that a mistake in grounds or deadlines cannot hide behind itself: a record past `latest_day`, on which the
-- last period of the policy ends that could keep it, must not be shown as not yet due.
with rules as (
    select
        rule_id,
        case
            when period_months is not null or period_days is not null
                then make_interval(months => coalesce(period_months, 0), days => coalesce(period_days, 0))
        end as period
    from {{ ref('policy_rules') }}
),

shorter as (
    select
        period_key,
        mark,
        approval,
        make_interval(months => coalesce(period_months, 0), days => coalesce(period_days, 0)) as period
    from {{ ref('policy_supporting_periods') }}
),

-- Computed once: four joins read it.
latest_days as materialized (
    select * from {{ ref('int_latest_days') }}
),

facts as (
    select
        linked.*,
        case when linked.stands_alone then linked.otherwise_on else linked.anchor_on end as own_date
    from {{ ref('int_landing_linked') }} as linked
),

judged as (
    select
        facts.source_schema,
        facts.source_table,
        facts.record_key,
        facts.needs_anchor
        and not coalesce(facts.own_date > '1970-01-01' and facts.own_date <= facts.as_of, false) as lacks_a_date,
        case
            when facts.accounting_class is not null then accounting.latest_day
            when facts.follows = 'rule'
                then case when own.period is null then 'infinity'::date else (facts.anchor_on + own.period)::date end
            -- After a referral the partner's recorded instruction decides; without one a person does.
            when handovers.referred_at < facts.collected_at and not facts.is_assignment
                then (sletteplikt.local_date(facts.collected_at) + handovers.instruction_period)::date
            when facts.is_lead and facts.subject_id is not null and not coalesce(persons.has_relationship, false)
                then coalesce(hand_overs.latest_day, (facts.dated_on + of_direct_leads.period)::date)
            when facts.follows = 'person' and facts.subject_id is not null
                then
                    least(
                        -- A person under review sets no end to what has a period of its own.
                        case
                            when shorter.period is null or winners.review_reason is null
                                then persons.latest_day
                        end,
                        (facts.anchor_on + shorter.period)::date
                    )
            when facts.follows = 'assignment' and facts.assignment_id is not null then assignments.latest_day
            when facts.stands_alone then (facts.otherwise_on + otherwise.period)::date
        end as latest_day
    from facts
    left join latest_days as persons on persons.kind = 'person' and facts.subject_id = persons.id
    left join latest_days as assignments
        on assignments.kind = 'assignment' and facts.assignment_id = assignments.id
    left join latest_days as accounting
        on
            accounting.kind = 'accounting'
            and facts.accounting_class || ':' || extract(year from facts.dated_on)::int = accounting.id
    left join latest_days as hand_overs
        on
            hand_overs.kind = 'hand-over'
            and facts.is_lead
            and facts.subject_id || '/' || facts.partner_key = hand_overs.id
    left join rules as own on facts.own_rule_id = own.rule_id
    left join rules as otherwise on facts.otherwise_rule = otherwise.rule_id
    left join rules as of_direct_leads on of_direct_leads.rule_id = 'R2' and facts.is_lead and facts.partner_key is null
    left join {{ ref('int_marked_schemas') }} as marked on facts.source_schema = marked.source_schema
    left join shorter
        on
            facts.period_key = shorter.period_key
            and {{ approved('shorter.mark', 'shorter.approval', 'marked.is_sample') }}
    left join {{ ref('int_person_winners') }} as winners
        on shorter.period_key is not null and facts.subject_id = winners.subject_id
    left join {{ ref('int_handovers_decided') }} as handovers on facts.subject_id = handovers.subject_id
),

-- A key that comes twice is one line here, with both sides counted: neither can hide the other.
landed as (
    select
        source_schema,
        source_table,
        record_key,
        count(*) as landing_rows,
        bool_or(lacks_a_date) as lacks_a_date,
        case when bool_and(latest_day is not null) then max(latest_day) end as latest_day
    from judged
    group by source_schema, source_table, record_key
),

records as (
    select
        source_schema,
        source_table,
        record_key,
        count(*) as record_rows,
        count(distinct coalesce(category, '') || ':' || status) as answers,
        min(category) as category,
        min(status) as status,
        min(rule_id) as rule_id,
        min(anchor_on) as anchor_on,
        min(last_day) as last_day,
        min(due_on) as due_on,
        bool_or(array_to_string(blocked_by, ',') like '%lock:%') as was_locked,
        bool_or(disposition = 'minimise' and status in ('due_soon', 'retained', 'active')) as has_due_columns
    from {{ ref('records') }}
    group by source_schema, source_table, record_key
),

-- Since when columns of a row that stays are due.
columns_due as (
    select
        source_schema,
        source_table,
        record_key,
        min(due_on) as due_on
    from {{ ref('grounds') }}
    where column_group <> 'row' and wins
    group by source_schema, source_table, record_key
),

decisions as (
    select distinct on (decided.source_schema, decided.source_table, decided.record_key)
        decided.source_schema,
        decided.source_table,
        decided.record_key,
        coalesce(decided.keep_until, (decided.anchor_on + rules.period)::date) as decided_day
    from {{ source('ledger', 'review_decisions') }} as decided
    left join rules on decided.rule_id = rules.rule_id
    cross join {{ ref('int_clock') }} as clock
    where sletteplikt.local_date(decided.decided_at) <= clock.as_of
    order by
        decided.source_schema asc,
        decided.source_table asc,
        decided.record_key asc,
        decided.decided_at desc
),

known_categories as (
    select array_agg(distinct category) as names from {{ ref('policy_rules') }}
),

joined as (
    select
        coalesce(landed.source_schema, records.source_schema) as source_schema,
        coalesce(landed.source_table, records.source_table) as source_table,
        coalesce(landed.record_key, records.record_key) as record_key,
        coalesce(landed.landing_rows, 0) as landing_rows,
        coalesce(records.record_rows, 0) as record_rows,
        records.answers,
        records.category,
        records.status,
        records.rule_id,
        records.anchor_on,
        records.last_day,
        records.due_on,
        coalesce(records.has_due_columns, false) as has_due_columns,
        case when records.has_due_columns then columns_due.due_on end as columns_due_on,
        landed.lacks_a_date,
        greatest(landed.latest_day, decisions.decided_day) as latest_day,
        -- Where a person decided, or a lock has ended, the due date no longer comes from the anchor.
        decisions.record_key is not null or coalesce(records.was_locked, false)
        or coalesce(records.rule_id in ('ERASURE', 'CONSENT'), false) as is_settled
    from landed
    full join records
        on
            landed.source_schema = records.source_schema
            and landed.source_table = records.source_table
            and landed.record_key = records.record_key
    left join decisions
        on
            landed.source_schema = decisions.source_schema
            and landed.source_table = decisions.source_table
            and landed.record_key = decisions.record_key
    left join columns_due
        on
            records.source_schema = columns_due.source_schema
            and records.source_table = columns_due.source_table
            and records.record_key = columns_due.record_key
)

select
    joined.source_schema,
    joined.source_table,
    joined.record_key,
    joined.rule_id,
    joined.category,
    joined.status,
    joined.due_on,
    joined.columns_due_on,
    -- A locked record shows its key and status, nothing else (§ 8).
    case when coalesce(joined.status, '') <> 'locked' then joined.latest_day end as latest_day,
    joined.landing_rows,
    joined.record_rows,
    coalesce(
        joined.landing_rows = joined.record_rows
        and joined.answers = 1
        and joined.status in (
            'held', 'restricted', 'locked', 'review', 'overdue', 'due_soon', 'retained', 'active'
        )
        and case
            when joined.status = 'locked' then joined.category is null
            else joined.category = any(known_categories.names)
        end,
        false
    ) as has_one_category_and_status,
    joined.is_settled
    or (coalesce(joined.due_on > joined.anchor_on, true) and coalesce(joined.due_on = joined.last_day + 1, true))
        as is_due_after_anchor,
    coalesce(
        joined.status in ('held', 'restricted', 'locked', 'review')
        or joined.is_settled
        or (
            not joined.lacks_a_date
            and (
                joined.status = 'active'
                or (joined.anchor_on > '1970-01-01' and joined.anchor_on <= clock.as_of)
            )
        ),
        false
    ) as has_possible_anchor,
    coalesce(
        joined.status not in ('due_soon', 'retained', 'active') or clock.as_of <= joined.latest_day, false
    ) as is_flagged_when_overdue,
    coalesce(joined.status <> 'overdue', false) as is_not_overdue,
    not joined.has_due_columns as has_no_due_columns,
    coalesce(joined.status = 'locked' or joined.category <> 'unclassified', false) as is_classified,
    clock.as_of
from joined
cross join known_categories
cross join {{ ref('int_clock') }} as clock
