{{ config(indexes=[{'columns': ['source_schema', 'source_table', 'record_key']}]) }}
-- The records that no ordinary model may show: locked (§ 8) and restricted (GDPR art. 18) ones, also where a hold
-- stands above that. The macro `in_use` leaves their rows out of whatever reads landing.
select
    decided.source_schema,
    decided.source_table,
    decided.record_key,
    facts.entity_key,
    case when decided.record_key like 'row:%' then 'row:' || split_part(decided.record_key, ':', 2) end as row_hash,
    decided.out_of_use_as as status
from {{ ref('int_records_decided') }} as decided
inner join {{ ref('int_records_unioned') }} as facts on decided.row_id = facts.row_id
where decided.is_out_of_use
