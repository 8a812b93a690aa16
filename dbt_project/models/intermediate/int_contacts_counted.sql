{{ config(indexes=[{'columns': ['subject_id', 'contact_on']}]) }}
-- Contact events that make or continue a relationship (§ 6: "kontakt via e-post, telefon eller video"), dated
-- up to the as-of date, of persons that the event names without doubt.
select
    cases.subject_id,
    cases.anchor_on as contact_on,
    cases.source_schema || '.' || cases.source_table || ':' || cases.record_key as event_id
from {{ ref('int_record_cases') }} as cases
inner join {{ ref('int_records_unioned') }} as records on cases.row_id = records.row_id
cross join {{ ref('int_day') }} as clock
where
    records.counts_as_contact
    and cases.subject_id is not null
    and cases.anchor_on > '1970-01-01'
    and cases.anchor_on <= clock.as_of
