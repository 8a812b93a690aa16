{{ config(indexes=[{'columns': ['row_id']}, {'columns': ['subject_id']}]) }}
-- The persons whose record an ambiguous one may be, a row each: all that have its contact point, or that of
-- the record through which it finds its person. What blocks one of them blocks the record.
select distinct
    cases.row_id,
    owners.subject_id
from {{ ref('int_record_cases') }} as cases
inner join {{ ref('int_contact_points_matched') }} as matched on cases.ambiguous_row_id = matched.row_id
inner join {{ ref('int_contact_points') }} as owners
    on matched.subject_table = owners.subject_table and owners.link_hash = any(matched.link_hashes)
