{{ config(indexes=[{'columns': ['case_id'], 'unique': true}]) }}
-- What the classification of a case was computed from, as one value: a plan holds it, and a purge that
-- finds another one leaves the case alone. Independent of row order, so that nothing has to be sorted.
select
    case_id,
    count(*)::text || ':' || sum(
        hashtextextended(source_schema || '.' || source_table || ':' || record_key || ':' || inputs_hash, 0)::numeric
    )::text as fingerprint
from {{ ref('int_record_cases') }}
group by case_id
