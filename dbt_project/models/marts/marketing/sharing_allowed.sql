-- Who may be shared back to the partner they came from (§ 5): persons with a consent to it in force. A withdrawal takes
-- them off the list, and erases nothing.
select
    records.source_schema,
    records.source_table,
    records.record_key,
    records.subject_token,
    consents.purpose,
    sletteplikt.local_date(consents.given_at) as given_on
from {{ ref('int_records_decided') }} as records
inner join {{ ref('declared_tables') }} as declared
    on records.source_schema = declared.source_schema and records.source_table = declared.source_table
inner join {{ ref('int_consents_decided') }} as consents on records.subject_token = consents.subject_token
inner join {{ ref('policy_consent_purposes') }} as purposes
    on consents.purpose = purposes.purpose and purposes.on_withdrawal = 'stop'
where
    declared.is_person
    and not consents.is_withdrawn
    and consents.given_at is not null
    and not records.is_out_of_use
