{{ config(indexes=[{'columns': ['row_id']}, {'columns': ['subject_id']}]) }}
-- The persons whose record another's may be, a row each. Of an ambiguous record: all that have its contact point, or
-- that of the record through which it finds its person. Of a person's records: who may be the same human, or is and
-- bears another token, for a token once given stays. What blocks one of them blocks the record.
-- Few, and none where no table says that its persons are in another's: found before any record is looked at.
with alike as materialized (
    select distinct
        one.subject_id,
        others.subject_id as other_id
    from {{ ref('int_humans') }} as one
    inner join {{ ref('int_humans') }} as others
        on one.human = others.human and one.subject_id <> others.subject_id and (one.is_own or others.is_own)
    inner join {{ source('ledger', 'subject_tokens') }} as token on one.subject_id = token.subject_id
    inner join {{ source('ledger', 'subject_tokens') }} as other_token on others.subject_id = other_token.subject_id
    where token.subject_token <> other_token.subject_token
)

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
    alike.other_id
from {{ ref('int_record_cases') }} as cases
inner join alike on cases.subject_id = alike.subject_id
