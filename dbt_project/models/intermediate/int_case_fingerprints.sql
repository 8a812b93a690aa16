{{ config(indexes=[{'columns': ['case_id'], 'unique': true}]) }}
-- What the classification of a case was computed from, as one value: a plan holds it, and a purge that
-- finds another one leaves the case alone. Whose an ambiguous record may be is a part of it. Independent of row
-- order, so that nothing has to be sorted.
with candidates as (
    select
        row_id,
        string_agg(subject_id, ' ' order by subject_id) as subject_ids
    from {{ ref('int_record_candidates') }}
    group by row_id
)

select
    cases.case_id,
    count(*)::text || ':' || sum(
        hashtextextended(
            cases.source_schema || '.' || cases.source_table || ':' || cases.record_key || ':' || cases.inputs_hash
            || coalesce(' ' || candidates.subject_ids, ''),
            0
        )::numeric
    )::text as fingerprint
from {{ ref('int_record_cases') }} as cases
left join candidates on cases.row_id = candidates.row_id
group by cases.case_id
