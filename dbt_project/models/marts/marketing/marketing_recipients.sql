{{ config(indexes=[{'columns': ['subject_token']}]) }}
-- Existing customers who may be written to with news and offers (§ 4; markedsføringsloven § 15): a relationship that
-- lives, no objection to marketing of any of the human's contact points, and a record that is in use. Keys and tokens;
-- the address stays where it is.
with objected as (
    select distinct cases.subject_token
    from {{ ref('int_subjects') }} as subjects
    inner join {{ ref('int_record_cases') }} as cases
        on subjects.source_schema = cases.source_schema
            and subjects.source_table = cases.source_table
            and subjects.record_key = cases.record_key
    where
        not {{ not_suppressed(link_hashes='subjects.link_hashes') }}
        and cases.subject_token is not null
)

select
    records.source_schema,
    records.source_table,
    records.record_key,
    records.subject_token
from {{ ref('int_records_decided') }} as records
inner join {{ ref('declared_tables') }} as declared
    on records.source_schema = declared.source_schema and records.source_table = declared.source_table
inner join {{ ref('int_subjects') }} as subjects
    on records.source_schema = subjects.source_schema
        and records.source_table = subjects.source_table
        and records.record_key = subjects.record_key
inner join {{ ref('int_person_winners') }} as winners on subjects.subject_id = winners.subject_id
where
    declared.is_person
    and winners.rule_id in ('R3', 'R4', 'ACTIVE')
    and records.controller_role <> 'processor'
    and records.status in ('due_soon', 'retained', 'active')
    and not records.is_out_of_use
    and not exists (
        select from objected
        where records.subject_token = objected.subject_token
    )
