{{ config(indexes=[{'columns': ['row_id']}, {'columns': ['subject_id']}]) }}
-- The persons whose record another's may be, a row each. Of an ambiguous record: all that have its contact point, or
-- that of the record through which it finds its person. Of a person's records: who may be the same human, or is and
-- bears another token, for a token once given stays. What blocks one of them blocks the record.
select distinct
    cases.row_id,
    owners.subject_id
from {{ ref('int_record_cases') }} as cases
inner join {{ ref('int_contact_points_matched') }} as matched on cases.ambiguous_row_id = matched.row_id
inner join {{ ref('int_contact_points') }} as owners
    on matched.subject_table = owners.subject_table and owners.link_hash = any(matched.link_hashes)
union
select
    cases.row_id,
    others.subject_id
from {{ ref('int_record_cases') }} as cases
inner join {{ ref('int_humans') }} as one on cases.subject_id = one.subject_id
inner join {{ ref('int_humans') }} as others
    on one.human = others.human and one.subject_id <> others.subject_id and (one.is_own or others.is_own)
inner join {{ source('ledger', 'subject_tokens') }} as tokens on others.subject_id = tokens.subject_id
where cases.subject_token <> tokens.subject_token
