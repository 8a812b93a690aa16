{{ config(
    indexes=[{'columns': ['subject_id'], 'unique': true}, {'columns': ['qualified', 'entity_key']}]
) }}
-- The persons that records link to: one row a person of each table of persons.
select distinct on (records.source_schema, records.source_table, records.entity_key)
    records.source_schema || '.' || records.source_table || ':' || records.entity_key as subject_id,
    records.source_schema,
    records.source_table,
    records.source_schema || '.' || records.source_table as qualified,
    records.entity_key,
    records.link_hashes,
    records.link_key,
    records.anchor_on as registered_on,
    coalesce(records.received_via_partner, false) as received_via_partner,
    records.record_key
from {{ ref('int_records_unioned') }} as records
inner join {{ ref('declared_tables') }} as declared_tables
    on records.source_schema = declared_tables.source_schema
        and records.source_table = declared_tables.source_table
where declared_tables.subject_link = 'self'
order by
    records.source_schema asc,
    records.source_table asc,
    records.entity_key asc,
    records.is_current desc,
    records.record_key desc
