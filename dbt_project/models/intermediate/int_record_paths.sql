{{ config(indexes=[{'columns': ['row_id'], 'unique': true}]) }}
-- Which way each record is classified, in whose role, and with what of its declaration. A table of its own, so
-- that the many joins on it are planned from statistics.
select
    cases.row_id,
    cases.source_schema,
    cases.source_table,
    cases.record_key,
    cases.source_schema || '.' || cases.source_table || ':' || cases.record_key as record_id,
    cases.subject_id,
    cases.assignment_id,
    cases.is_ambiguous,
    cases.anchor_on,
    cases.otherwise_on,
    cases.is_via_partner,
    sletteplikt.local_date(cases.collected_at) as collected_on,
    declared.rule_id as own_rule_id,
    declared.otherwise_rule,
    declared.accounting_class,
    declared.period_key,
    declared.minimised_with_person,
    handovers.instruction_id,
    handovers.instruction_period,
    clock.as_of,
    marked.is_sample,
    cases.anchor_on > '1970-01-01' and cases.anchor_on <= clock.as_of as is_dated,
    case
        when handovers.referred_at is not null and cases.collected_at > handovers.referred_at then 'processor'
        when handovers.has_joint_handover then 'joint_controller'
        else 'controller'
    end as controller_role,
    case
        when declared.accounting_class is not null then 'accounting'
        when declared.follows = 'rule' then 'rule'
        when declared.is_person then 'person'
        when declared.is_lead and cases.subject_id is not null then 'lead'
        when declared.follows = 'person' and cases.subject_id is not null then 'supporting'
        when declared.follows = 'assignment' and cases.assignment_id is not null then 'assignment'
        when case when cases.is_ambiguous then declared.several else declared.unmatched end = 'own_rule'
            then 'otherwise'
        else 'unclassified'
    end as path
from {{ ref('int_record_cases') }} as cases
inner join {{ ref('declared_tables') }} as declared
    on cases.source_schema = declared.source_schema and cases.source_table = declared.source_table
cross join {{ ref('int_day') }} as clock
left join {{ ref('int_marked_schemas') }} as marked on cases.source_schema = marked.source_schema
left join {{ ref('int_handovers_decided') }} as handovers on cases.subject_id = handovers.subject_id
