{{ config(indexes=[{'columns': ['row_id'], 'unique': true}]) }}
-- Records that name their person by e-mail or phone, with how many persons of the declared table
-- have that contact point. Several is a stated outcome, never a guess.
with points as (
    select
        records.row_id,
        declared_tables.subject_to,
        unnest(string_to_array(records.link_hashes, ' ')) as link_hash
    from {{ ref('int_records_unioned') }} as records
    inner join {{ ref('declared_tables') }} as declared_tables
        on records.source_schema = declared_tables.source_schema
            and records.source_table = declared_tables.source_table
    where declared_tables.subject_link = 'contact_point' and records.link_hashes is not null
)

select
    points.row_id,
    points.subject_to as subject_table,
    array_agg(distinct points.link_hash) as link_hashes,
    count(distinct owners.subject_id) as subjects,
    min(owners.subject_id) as subject_id
from points
inner join {{ ref('int_contact_points') }} as owners
    on points.link_hash = owners.link_hash and points.subject_to = owners.subject_table
group by points.row_id, points.subject_to
