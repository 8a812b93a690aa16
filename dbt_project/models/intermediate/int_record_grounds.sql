{{ config(indexes=[{'columns': ['row_id']}]) }}
-- Every ground on which a record stands: for the row, for the columns that accounting does not need, and for those
-- that a withdrawn consent erases.
-- A person's own row lists all of the person's grounds; what follows a person or an assignment takes the
-- one that decides. `basis_rule_id` is the rule whose approval counts.
-- Not materialized: a copy would have no statistics.
with records as not materialized (
    select * from {{ ref('int_record_paths') }}
),

-- The person's own row: everything the person stands on. A row without a usable date of its own keeps
-- the rule it would follow.
of_persons as (
    select
        records.row_id,
        coalesce(grounds.rule_id, case when records.is_via_partner then 'R1' else 'R2' end) as rule_id,
        grounds.anchor_on,
        grounds.event_id,
        grounds.last_day,
        grounds.due_on,
        case when grounds.subject_id is null then 'nothing dates this person' else grounds.review_reason end
            as review_reason
    from records
    left join {{ ref('int_person_grounds') }} as grounds on records.subject_id = grounds.subject_id
    where records.path = 'person'
),

of_leads as (
    select
        records.row_id,
        coalesce(
            case when leads.outcome in ('already', 'in_time') then winners.rule_id else leads.rule_id end,
            case when records.is_via_partner then 'R1' else 'R2' end
        ) as rule_id,
        case when leads.outcome in ('already', 'in_time') then winners.anchor_on else leads.anchor_on end as anchor_on,
        case when leads.outcome in ('already', 'in_time') then winners.event_id else leads.event_id end as event_id,
        case when leads.outcome in ('already', 'in_time') then winners.last_day else leads.last_day end as last_day,
        case when leads.outcome in ('already', 'in_time') then winners.due_on else leads.due_on end as due_on,
        case
            when leads.outcome = 'late' then 'contact came after the period had ended'
            when leads.outcome in ('already', 'in_time') then winners.review_reason
        end as review_reason
    from records
    left join {{ ref('int_leads_decided') }} as leads
        on records.row_id = leads.row_id and not leads.is_registration
    left join {{ ref('int_person_winners') }} as winners on records.subject_id = winners.subject_id
    where records.path = 'lead'
),

-- Supporting records and drafts go with the person; a shorter configured period ends them sooner.
of_followers as (
    select
        records.row_id,
        'SUPPORTING' as rule_id,
        case when own.decides then 'SUPPORTING' else winners.rule_id end as basis_rule_id,
        case when own.decides then records.anchor_on else winners.anchor_on end as anchor_on,
        case when own.decides then records.record_id else winners.event_id end as event_id,
        case when own.decides then own.last_day else winners.last_day end as last_day,
        case when own.decides then own.last_day else winners.last_day end + 1 as due_on,
        case
            when own.decides then null
            when winners.subject_id is null then 'nothing dates this person'
            else winners.review_reason
        end as review_reason
    from records
    left join {{ ref('int_person_winners') }} as winners on records.subject_id = winners.subject_id
    left join {{ ref('policy_supporting_periods') }} as periods
        on records.period_key = periods.period_key
            and {{ approved('periods.mark', 'periods.approval', 'records.is_sample') }}
    left join lateral (
        -- A person who is active or under review sets no end; the row's own period is one in any case.
        select
            ends.last_day,
            ends.last_day is not null
            and (
                winners.last_day is null or winners.review_reason is not null or winners.last_day >= ends.last_day
            ) as decides
        from (
            select sletteplikt.last_day(records.anchor_on, periods.period_months, periods.period_days) as last_day
        ) as ends
    ) as own on true
    where records.path = 'supporting'
),

of_assignments as (
    select
        records.row_id,
        case
            when assignments.outcome = 'open' then 'ACTIVE'
            when assignments.outcome = 'draft' and subjects.subject_id is null then 'UNCLASSIFIED'
            when assignments.outcome = 'draft'
                then coalesce(winners.rule_id, case when subjects.received_via_partner then 'R1' else 'R2' end)
            when assignments.assignment_id is null then 'UNCLASSIFIED'
            else 'R4'
        end as rule_id,
        case assignments.outcome
            when 'draft' then winners.anchor_on
            when 'open' then assignments.opened_on
            else assignments.anchor_on
        end as anchor_on,
        case when assignments.outcome = 'draft' then winners.event_id else assignments.event_id end as event_id,
        case assignments.outcome when 'draft' then winners.last_day else assignments.last_day end as last_day,
        case assignments.outcome when 'draft' then winners.due_on else assignments.due_on end as due_on,
        case
            when assignments.assignment_id is null then 'the assignment it names is not known'
            when assignments.outcome = 'draft' and winners.subject_id is null then 'nothing dates this person'
            when assignments.outcome = 'draft' then winners.review_reason
            when assignments.outcome = 'review' then 'assignment: ' || assignments.review_reason
        end as review_reason
    from records
    left join {{ ref('int_assignments_decided') }} as assignments
        on records.assignment_id = assignments.assignment_id
    left join {{ ref('int_person_winners') }} as winners on assignments.subject_id = winners.subject_id
    left join {{ ref('int_subjects') }} as subjects on assignments.subject_id = subjects.subject_id
    where records.path = 'assignment'
),

of_accounting as (
    select
        records.row_id,
        ended.unmoved_last_day,
        records.anchor_on,
        records.record_id,
        records.is_sample,
        classes.mark,
        classes.approval,
        {{ on_working_day('ended.unmoved_last_day', 'rule.is_minimum', 'days') }} as last_day
    from records
    inner join {{ ref('policy_rules') }} as rule on rule.rule_id = 'R5'
    left join {{ ref('policy_accounting_classes') }} as classes
        on records.accounting_class = classes.accounting_class
    -- The period runs from the end of the fiscal year, which is the calendar year.
    left join lateral (
        select
            sletteplikt.last_day(
                make_date(extract(year from records.anchor_on)::int, 12, 31), classes.period_months, null
            ) as unmoved_last_day
    ) as ended on true
    left join {{ ref('int_working_days') }} as days on ended.unmoved_last_day = days.on_day
    where records.path = 'accounting'
),

of_own_rules as (
    select
        records.row_id,
        rule.rule_id,
        records.record_id,
        case records.path when 'rule' then records.anchor_on else records.otherwise_on end as anchor_on,
        sletteplikt.last_day(
            case records.path when 'rule' then records.anchor_on else records.otherwise_on end,
            rule.period_months, rule.period_days
        ) as last_day,
        records.path = 'otherwise' and (
            records.otherwise_on is null
            or records.otherwise_on > records.as_of
            or records.otherwise_on <= '1970-01-01'
        ) as is_undated
    from records
    inner join {{ ref('policy_rules') }} as rule
        on rule.rule_id = case records.path when 'rule' then records.own_rule_id else records.otherwise_rule end
    where records.path in ('rule', 'otherwise')
),

-- The columns follow the person. Where the person was purged, the dates that were kept then decide (facts outlive
-- their evidence), so that values which a sync restores are due at once.
columns_of_accounting as (
    select
        records.row_id,
        winners.rule_id,
        winners.anchor_on,
        winners.event_id,
        winners.last_day,
        winners.due_on,
        winners.review_reason
    from records
    inner join {{ ref('int_person_winners') }} as winners on records.subject_id = winners.subject_id
    where records.path = 'accounting' and records.minimised_with_person
    union all
    select
        records.row_id,
        kept.rule_id,
        kept.anchor_on,
        records.record_id,
        kept.due_on - 1,
        kept.due_on,
        null
    from records
    inner join {{ source('ledger', 'column_grounds') }} as kept
        on records.source_schema = kept.source_schema
            and records.source_table = kept.source_table
            and records.record_key = kept.record_key
            and kept.column_group = 'person'
    left join {{ ref('int_person_winners') }} as winners on records.subject_id = winners.subject_id
    where records.path = 'accounting' and records.minimised_with_person and winners.subject_id is null
),

-- A withdrawn consent erases them at once, by the decision that was made of it, whatever the row stands on.
columns_of_consent as (
    select
        withdrawn.row_id,
        records.record_id,
        withdrawn.withdrawn_on
    from {{ ref('int_withdrawn_records') }} as withdrawn
    inner join records on withdrawn.row_id = records.row_id
    inner join {{ source('ledger', 'erasure_decisions') }} as decisions
        on decisions.basis = 'withdrawal'
            and decisions.columns <> '{}'
            and withdrawn.source_schema = decisions.source_schema
            and withdrawn.source_table = decisions.source_table
            and withdrawn.record_key = decisions.record_key
            and sletteplikt.local_date(decisions.decided_at) <= records.as_of
),

grounds as (
    select
        row_id,
        'row' as column_group,
        rule_id,
        rule_id as basis_rule_id,
        anchor_on,
        event_id,
        last_day,
        due_on,
        review_reason
    from of_persons
    union all
    select row_id, 'row', rule_id, rule_id, anchor_on, event_id, last_day, due_on, review_reason
    from of_leads
    union all
    select row_id, 'row', rule_id, basis_rule_id, anchor_on, event_id, last_day, due_on, review_reason
    from of_followers
    union all
    select row_id, 'row', rule_id, rule_id, anchor_on, event_id, last_day, due_on, review_reason
    from of_assignments
    union all
    select
        row_id, 'row', 'R5', 'R5', anchor_on, record_id, last_day, last_day + 1,
        case
            when mark is null then 'its accounting class is not in the policy'
            when not {{ approved('mark', 'approval', 'is_sample') }} then 'nobody approved the period of its class'
        end
    from of_accounting
    union all
    select
        row_id, 'row', rule_id, rule_id, anchor_on, record_id, last_day, last_day + 1,
        case when is_undated then 'its own date is missing, unreadable or impossible' end
    from of_own_rules
    union all
    select
        row_id, 'row', 'UNCLASSIFIED', 'UNCLASSIFIED', null, record_id, null, null,
        case
            when is_ambiguous then 'several persons have its contact point'
            else 'no person, assignment or rule is known for it'
        end
    from records
    where path = 'unclassified'
    union all
    select row_id, 'person', rule_id, rule_id, anchor_on, event_id, last_day, due_on, review_reason
    from columns_of_accounting
    union all
    select
        row_id, 'consent', 'CONSENT', 'CONSENT', withdrawn_on, record_id, withdrawn_on - 1, withdrawn_on, null
    from columns_of_consent
),

judged as (
    select
        grounds.*,
        records.controller_role,
        records.path,
        records.record_id,
        records.collected_on,
        records.instruction_period,
        records.as_of,
        records.is_sample,
        rule.category,
        -- What we process for a partner follows the partner's instruction, not § 6 (requirements § 3). Accounting
        -- and requests are duties of our own, whoever decides on the rest.
        records.controller_role = 'processor' and records.path not in ('accounting', 'rule') as is_instructed,
        row_number() over (
            partition by grounds.row_id, grounds.column_group
            order by
                (grounds.rule_id = 'ACTIVE') desc,
                (grounds.review_reason is not null) desc,
                grounds.due_on desc nulls last,
                grounds.rule_id desc,
                grounds.event_id asc
        ) = 1 as wins
    from grounds
    inner join records on grounds.row_id = records.row_id
    left join {{ ref('policy_rules') }} as rule on grounds.rule_id = rule.rule_id
),

-- An instructed record stands on the instruction alone, and keeps the category of what it is.
standing as (
    select
        row_id,
        controller_role,
        path,
        column_group,
        category,
        is_sample,
        wins,
        case when is_instructed then 'PROCESSOR' else rule_id end as rule_id,
        case when is_instructed then 'PROCESSOR' else basis_rule_id end as basis_rule_id,
        case when is_instructed then collected_on else anchor_on end as anchor_on,
        case when is_instructed then record_id else event_id end as event_id,
        case when is_instructed then (collected_on + instruction_period)::date else last_day end as last_day,
        case when is_instructed then (collected_on + instruction_period)::date + 1 else due_on end as due_on,
        case
            when not is_instructed then review_reason
            when instruction_period is null then 'the partner has recorded no instruction'
            when collected_on > as_of or collected_on <= '1970-01-01'
                then 'its own date is missing, unreadable or impossible'
        end as review_reason
    from judged
    where wins or not is_instructed
)

select
    standing.row_id,
    standing.controller_role,
    standing.path,
    standing.column_group,
    standing.rule_id,
    standing.basis_rule_id,
    standing.category,
    rule.clause,
    rule.disposition,
    standing.anchor_on,
    standing.event_id,
    standing.last_day,
    standing.due_on,
    standing.review_reason,
    {{ approved('basis.mark', 'basis.approval', 'standing.is_sample') }} as is_approved,
    standing.wins
from standing
left join {{ ref('policy_rules') }} as rule on standing.rule_id = rule.rule_id
left join {{ ref('policy_rules') }} as basis on standing.basis_rule_id = basis.rule_id
