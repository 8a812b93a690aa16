{{ config(indexes=[
    {'columns': ['source_schema', 'source_table', 'record_key']},
    {'columns': ['case_id']},
    {'columns': ['subject_token']},
    {'columns': ['row_id']},
]) }}
-- Each record with its data subject, its assignment and its case. A record finds its subject by itself,
-- by foreign key, by a contact point, or through another record (int_parents_linked).
-- The case is what is purged together or not at all: the subject, else the assignment, else the record.
with records as (
    select
        facts.row_id,
        facts.source_schema,
        facts.source_table,
        declared.qualified,
        facts.record_key,
        facts.entity_key,
        facts.link_key,
        facts.assignment_key,
        facts.assignment_state,
        facts.anchor_on,
        facts.otherwise_on,
        facts.collected_at,
        facts.inputs_hash,
        facts.has_minimisable,
        coalesce(facts.received_via_partner, facts.partner_key is not null) as is_via_partner,
        declared.follows,
        declared.subject_link,
        declared.subject_to,
        declared.assignment_link,
        declared.assignment_to
    from {{ ref('int_records_unioned') }} as facts
    inner join (
        select
            declared_tables.*,
            source_schema || '.' || source_table as qualified
        from {{ ref('declared_tables') }} as declared_tables
        where is_governed
    ) as declared
        on facts.source_schema = declared.source_schema and facts.source_table = declared.source_table
),

not_unique as (
    select
        source_schema,
        source_table,
        record_key
    from {{ ref('int_records_unioned') }}
    group by source_schema, source_table, record_key
    having count(*) > 1
),

linked as (
    select
        records.row_id,
        records.source_schema,
        records.source_table,
        records.qualified,
        records.record_key,
        records.follows,
        records.anchor_on,
        records.otherwise_on,
        records.collected_at,
        records.inputs_hash,
        records.has_minimisable,
        records.is_via_partner,
        case when matched.subjects > 1 then records.row_id else of_subject.ambiguous_row_id end as ambiguous_row_id,
        coalesce({{ direct_subject() }}, of_subject.subject_id) as subject_id,
        coalesce({{ direct_assignment() }}, of_assignment.assignment_id) as assignment_id
    from records
    left join {{ ref('int_subjects') }} as subjects
        on records.subject_link = 'foreign_key'
            and records.subject_to = subjects.qualified
            and records.link_key = subjects.entity_key
    left join {{ ref('int_contact_points_matched') }} as matched on records.row_id = matched.row_id
    left join {{ ref('int_parents_linked') }} as of_subject
        on records.subject_link = 'through'
            and records.subject_to = of_subject.qualified
            and records.link_key = of_subject.entity_key
    left join {{ ref('int_parents_linked') }} as of_assignment
        on records.assignment_link = 'through'
            and records.assignment_to = of_assignment.qualified
            and records.assignment_key = of_assignment.entity_key
)

select
    linked.row_id,
    linked.source_schema,
    linked.source_table,
    linked.record_key,
    coalesce(linked.subject_id, linked.assignment_id, linked.qualified || ':' || linked.record_key) as case_id,
    linked.subject_id,
    tokens.subject_token,
    linked.ambiguous_row_id,
    linked.ambiguous_row_id is not null as is_ambiguous,
    linked.assignment_id,
    not_unique.record_key is null as has_unique_key,
    linked.follows,
    linked.anchor_on,
    linked.otherwise_on,
    linked.collected_at,
    linked.is_via_partner or remembered.record_key is not null as is_via_partner,
    linked.inputs_hash,
    linked.has_minimisable
from linked
-- depends_on: {{ ref('int_humans') }}
left join {{ source('ledger', 'subject_tokens') }} as tokens on linked.subject_id = tokens.subject_id
left join not_unique
    on linked.source_schema = not_unique.source_schema
        and linked.source_table = not_unique.source_table
        and linked.record_key = not_unique.record_key
left join {{ source('ledger', 'received_via_partner') }} as remembered
    on linked.source_schema = remembered.source_schema
        and linked.source_table = remembered.source_table
        and linked.record_key = remembered.record_key
