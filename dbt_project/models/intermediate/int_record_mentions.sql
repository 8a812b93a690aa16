{{ config(indexes=[{'columns': ['row_id']}, {'columns': ['subject_id']}]) }}
-- Records that no link makes anybody's, such as objections to marketing, each with the persons whose e-mail address
-- or telephone number it bears. They block nothing: who answers a person looks at them.
with bearing as (
    select
        records.row_id,
        unnest(string_to_array(records.link_hashes, ' ')) as link_hash
    from {{ ref('int_records_unioned') }} as records
    inner join {{ ref('declared_tables') }} as declared_tables
        on records.source_schema = declared_tables.source_schema
            and records.source_table = declared_tables.source_table
    where declared_tables.subject_link is null and records.link_hashes is not null
)

select distinct
    bearing.row_id,
    points.subject_id
from bearing
inner join {{ ref('int_contact_points') }} as points on bearing.link_hash = points.link_hash
