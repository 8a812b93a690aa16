{{ config(materialized='view', schema='intermediate') }}
-- Landing rows with their links and dates, for judging the classification: no ground, winner or status. What
-- a row says of a day after the as-of date has not happened, and a row without a usable date dates nothing.
select
    landed.row_id,
    landed.source_schema,
    landed.source_table,
    landed.record_key,
    landed.anchor_on,
    landed.otherwise_on,
    landed.collected_at,
    landed.counts_as_contact,
    landed.received_via_partner,
    -- Of a partner that became null with a consent, that it was one, and its first day.
    case
        when landed.partner_key is null and remembered.record_key is not null
            then 'remembered ' || coalesce(remembered.received_on::text, '')
        else landed.partner_key
    end as partner_key,
    landed.assignment_state,
    landed.assignment_type,
    landed.is_current,
    landed.is_current and not landed.is_soft_deleted as is_standing,
    case when landed.acknowledged_on <= clock.as_of then landed.acknowledged_on end as acknowledged_on,
    case when landed.completed_on > '1970-01-01' and landed.completed_on <= clock.as_of then landed.completed_on end
        as completed_on,
    case
        when landed.anchor_on > '1970-01-01' and landed.anchor_on <= clock.as_of
            then coalesce(remembered.received_on, landed.anchor_on)
    end as dated_on,
    cases.subject_id,
    cases.assignment_id,
    declared.follows,
    declared.rule_id as own_rule_id,
    declared.otherwise_rule,
    declared.period_key,
    declared.accounting_class,
    declared.is_person,
    declared.is_lead,
    declared.is_assignment,
    declared.needs_anchor,
    -- Neither person nor assignment is known: the declaration names a rule for such a row.
    case when coalesce(cases.is_ambiguous, false) then declared.several else declared.unmatched end = 'own_rule'
    and declared.accounting_class is null
    and (
        (declared.follows = 'person' and cases.subject_id is null)
        or (declared.follows = 'assignment' and cases.assignment_id is null)
    ) as stands_alone,
    clock.as_of
from {{ ref('int_records_unioned') }} as landed
inner join {{ ref('declared_tables') }} as declared
    on landed.source_schema = declared.source_schema and landed.source_table = declared.source_table
cross join {{ ref('int_clock') }} as clock
left join {{ ref('int_record_cases') }} as cases on landed.row_id = cases.row_id
left join {{ source('ledger', 'received_via_partner') }} as remembered
    on landed.source_schema = remembered.source_schema
        and landed.source_table = remembered.source_table
        and landed.record_key = remembered.record_key
where declared.is_governed
