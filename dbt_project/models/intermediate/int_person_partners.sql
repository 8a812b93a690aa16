{{ config(indexes=[{'columns': ['subject_id']}]) }}
-- Which partners have to do with each person, by which row: `joint` handed over inside our business area,
-- `outside` referred out of it (§ 1), `lead` the partner that the person came from (§ 6). A hand-over counts from
-- its day on, and goes on counting where its row was soft-deleted: what a partner was given, it has.
select
    cases.subject_id,
    cases.source_schema,
    cases.source_table,
    cases.record_key,
    records.partner_key,
    records.handover_at,
    case
        when records.handover_at is null then 'lead'
        when records.handover_is_outside then 'outside'
        else 'joint'
    end as how
from {{ ref('int_record_cases') }} as cases
inner join {{ ref('int_records_unioned') }} as records on cases.row_id = records.row_id
inner join {{ ref('declared_tables') }} as declared
    on cases.source_schema = declared.source_schema and cases.source_table = declared.source_table
cross join {{ ref('int_day') }} as clock
where
    cases.subject_id is not null
    and (
        (declared.is_lead and records.partner_key is not null)
        or (
            sletteplikt.local_date(records.handover_at) > '1970-01-01'
            and sletteplikt.local_date(records.handover_at) <= clock.as_of
        )
    )
