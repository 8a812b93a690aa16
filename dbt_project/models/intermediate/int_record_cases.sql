{{ config(indexes=[
    {'columns': ['source_schema', 'source_table', 'record_key']},
    {'columns': ['case_id']},
]) }}
{%- set hops = 3 %}
-- Each record with its data subject, its assignment and its case. A record finds its subject by itself,
-- by foreign key, by a contact point, or through another record, at most {{ hops }} records away.
-- The case is what is purged together or not at all: the subject, else the assignment, else the record.
with records as (
    select
        records.*,
        declared_tables.follows,
        declared_tables.subject_link,
        declared_tables.subject_to,
        declared_tables.assignment_link,
        declared_tables.assignment_to,
        records.source_schema || '.' || records.source_table as qualified
    from {{ ref('int_records_unioned') }} as records
    inner join {{ ref('declared_tables') }} as declared_tables
        on records.source_schema = declared_tables.source_schema
        and records.source_table = declared_tables.source_table
    where declared_tables.is_governed
),

not_unique as (
    select source_schema, source_table, record_key
    from {{ ref('int_records_unioned') }}
    group by source_schema, source_table, record_key
    having count(*) > 1
),

linked_0 as (
    select
        records.row_id,
        records.qualified,
        records.entity_key,
        records.is_current,
        records.record_key,
        records.subject_link,
        records.subject_to,
        records.link_key,
        records.assignment_link,
        records.assignment_to,
        records.assignment_key,
        case records.subject_link
            when 'self' then records.qualified || ':' || records.entity_key
            when 'foreign_key' then subjects.subject_id
            when 'contact_point' then case when matched.subjects = 1 then matched.subject_id end
        end as subject_id,
        coalesce(matched.subjects > 1, false) as is_ambiguous,
        case
            when records.assignment_state is not null then records.qualified || ':' || records.entity_key
            when records.assignment_link = 'foreign_key' then records.assignment_to || ':' || records.assignment_key
        end as assignment_id
    from records
    left join {{ ref('int_subjects') }} as subjects
        on records.subject_link = 'foreign_key'
        and records.subject_to = subjects.source_schema || '.' || subjects.source_table
        and records.link_key = subjects.entity_key
    left join {{ ref('int_contact_points_matched') }} as matched
        on records.row_id = matched.row_id
),

{% for hop in range(1, hops + 1) %}
parents_{{ hop }} as (
    select distinct on (qualified, entity_key)
        qualified,
        entity_key,
        subject_id,
        is_ambiguous,
        assignment_id
    from linked_{{ hop - 1 }}
    where qualified in (
        select subject_to from {{ ref('declared_tables') }} where subject_link = 'through'
        union
        select assignment_to from {{ ref('declared_tables') }} where assignment_link = 'through'
    )
    order by qualified asc, entity_key asc, is_current desc, record_key desc
),

linked_{{ hop }} as (
    select
        linked.row_id,
        linked.qualified,
        linked.entity_key,
        linked.is_current,
        linked.record_key,
        linked.subject_link,
        linked.subject_to,
        linked.link_key,
        linked.assignment_link,
        linked.assignment_to,
        linked.assignment_key,
        coalesce(linked.subject_id, subject_parents.subject_id) as subject_id,
        linked.is_ambiguous or coalesce(subject_parents.is_ambiguous, false) as is_ambiguous,
        coalesce(linked.assignment_id, assignment_parents.assignment_id) as assignment_id
    from linked_{{ hop - 1 }} as linked
    left join parents_{{ hop }} as subject_parents
        on linked.subject_link = 'through'
        and linked.subject_to = subject_parents.qualified
        and linked.link_key = subject_parents.entity_key
    left join parents_{{ hop }} as assignment_parents
        on linked.assignment_link = 'through'
        and linked.assignment_to = assignment_parents.qualified
        and linked.assignment_key = assignment_parents.entity_key
),

{% endfor %}
final as (
    select
        records.row_id,
        records.source_schema,
        records.source_table,
        records.record_key,
        coalesce(linked.subject_id, linked.assignment_id, records.qualified || ':' || records.record_key) as case_id,
        linked.subject_id,
        tokens.subject_token,
        linked.is_ambiguous,
        linked.assignment_id,
        not_unique.record_key is null as has_unique_key,
        records.follows,
        records.anchor_on,
        records.otherwise_on,
        records.collected_at,
        records.inputs_hash
    from records
    inner join linked_{{ hops }} as linked on records.row_id = linked.row_id
    left join {{ source('ledger', 'subject_tokens') }} as tokens on linked.subject_id = tokens.subject_id
    left join not_unique
        on records.source_schema = not_unique.source_schema
        and records.source_table = not_unique.source_table
        and records.record_key = not_unique.record_key
)

select * from final
