{{ config(indexes=[{'columns': ['qualified', 'entity_key'], 'unique': true}]) }}
{%- set hops = 2 %}
-- The records through which others find their subject or assignment, each with its own: directly, or through
-- at most {{ hops }} further records. A history table speaks by its current version. `ambiguous_row_id` is the
-- record on the way whose contact point several persons have.
with targets as (
    select subject_to as qualified from {{ ref('declared_tables') }}
    where subject_link = 'through'
    union
    select assignment_to as qualified from {{ ref('declared_tables') }}
    where assignment_link = 'through'
),

records as (
    select distinct on (targets.qualified, facts.entity_key)
        facts.row_id,
        targets.qualified,
        facts.entity_key,
        facts.link_key,
        facts.assignment_key,
        facts.assignment_state,
        declared.subject_link,
        declared.subject_to,
        declared.assignment_link,
        declared.assignment_to
    from {{ ref('int_records_unioned') }} as facts
    inner join {{ ref('declared_tables') }} as declared
        on facts.source_schema = declared.source_schema and facts.source_table = declared.source_table
    inner join targets on facts.source_schema || '.' || facts.source_table = targets.qualified
    where facts.entity_key is not null
    order by targets.qualified asc, facts.entity_key asc, facts.is_current desc, facts.record_key desc
),

linked_0 as (
    select
        records.qualified,
        records.entity_key,
        records.subject_link,
        records.subject_to,
        records.link_key,
        records.assignment_link,
        records.assignment_to,
        records.assignment_key,
        case when matched.subjects > 1 then records.row_id end as ambiguous_row_id,
        {{ direct_subject() }} as subject_id,
        {{ direct_assignment() }} as assignment_id
    from records
    left join {{ ref('int_subjects') }} as subjects
        on records.subject_link = 'foreign_key'
            and records.subject_to = subjects.qualified
            and records.link_key = subjects.entity_key
    left join {{ ref('int_contact_points_matched') }} as matched on records.row_id = matched.row_id
),

{% for hop in range(1, hops + 1) -%}
linked_{{ hop }} as (
    select
        linked.qualified,
        linked.entity_key,
        linked.subject_link,
        linked.subject_to,
        linked.link_key,
        linked.assignment_link,
        linked.assignment_to,
        linked.assignment_key,
        coalesce(linked.ambiguous_row_id, of_subject.ambiguous_row_id) as ambiguous_row_id,
        coalesce(linked.subject_id, of_subject.subject_id) as subject_id,
        coalesce(linked.assignment_id, of_assignment.assignment_id) as assignment_id
    from linked_{{ hop - 1 }} as linked
    left join linked_{{ hop - 1 }} as of_subject
        on linked.subject_link = 'through'
            and linked.subject_to = of_subject.qualified
            and linked.link_key = of_subject.entity_key
    left join linked_{{ hop - 1 }} as of_assignment
        on linked.assignment_link = 'through'
            and linked.assignment_to = of_assignment.qualified
            and linked.assignment_key = of_assignment.entity_key
),

{% endfor -%}
final as (
    select
        qualified,
        entity_key,
        subject_id,
        ambiguous_row_id,
        assignment_id
    from linked_{{ hops }}
)

select * from final
