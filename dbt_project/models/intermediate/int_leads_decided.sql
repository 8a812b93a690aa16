{{ config(indexes=[{'columns': ['subject_id']}, {'columns': ['row_id']}]) }}
-- Each lead row and each person's own registration with what became of it (requirements § 2): `none` (no
-- relationship: R1 or R2 runs), `already` (the person was a customer), `in_time` (contact inside the period),
-- `late` (contact after the period had ended), `anew` (the row was purged and landed again as it was, and the
-- contact came after that purge: it begins something new). The same partner's second hand-over starts nothing.
-- Where the partner became null because a consent was withdrawn, what is remembered speaks for it; and since nothing
-- tells that partner any more from another that reveals the same, such a partner's lead counts from the earliest day
-- remembered of the person (docs/decisions/0017).
with remembered as (
    select
        cases.row_id,
        cases.subject_id,
        kept.received_on
    from {{ source('ledger', 'received_via_partner') }} as kept
    inner join {{ ref('int_record_cases') }} as cases
        on kept.source_schema = cases.source_schema
            and kept.source_table = cases.source_table
            and kept.record_key = cases.record_key
),

remembered_of_persons as (
    select
        subject_id,
        min(received_on) as received_on
    from remembered
    where subject_id is not null and received_on is not null
    group by subject_id
),

revealing as (
    select distinct partner_key from {{ ref('int_records_unioned') }}
    where reveals_purpose is not null
),

leads as (
    select
        cases.row_id,
        cases.subject_id,
        false as is_registration,
        case when records.partner_key is null and remembered.row_id is null then 'R2' else 'R1' end as rule_id,
        case
            when remembered.received_on is not null then remembered.received_on
            when records.partner_key is null then cases.anchor_on
            when revealing.partner_key is not null
                then least(
                        min(cases.anchor_on) over (partition by cases.subject_id, records.partner_key),
                        remembered_of_persons.received_on
                    )
            else min(cases.anchor_on) over (partition by cases.subject_id, records.partner_key)
        end as received_on,
        cases.source_schema || '.' || cases.source_table || ':' || cases.record_key as event_id,
        cases.source_schema
    from {{ ref('int_record_cases') }} as cases
    inner join {{ ref('int_records_unioned') }} as records on cases.row_id = records.row_id
    inner join {{ ref('declared_tables') }} as declared_tables
        on cases.source_schema = declared_tables.source_schema and cases.source_table = declared_tables.source_table
    cross join {{ ref('int_clock') }} as clock
    left join remembered on cases.row_id = remembered.row_id
    left join remembered_of_persons on cases.subject_id = remembered_of_persons.subject_id
    left join revealing on records.partner_key = revealing.partner_key
    where
        declared_tables.is_lead
        and cases.subject_id is not null
        and cases.anchor_on > '1970-01-01'
        and cases.anchor_on <= clock.as_of
),

registrations as (
    select
        cases.row_id,
        subjects.subject_id,
        true as is_registration,
        case when subjects.received_via_partner then 'R1' else 'R2' end as rule_id,
        subjects.registered_on as received_on,
        cases.source_schema || '.' || cases.source_table || ':' || cases.record_key as event_id,
        cases.source_schema
    from {{ ref('int_subjects') }} as subjects
    inner join {{ ref('int_record_cases') }} as cases
        on subjects.source_schema = cases.source_schema
            and subjects.source_table = cases.source_table
            and subjects.record_key = cases.record_key
    cross join {{ ref('int_clock') }} as clock
    where
        subjects.registered_on > '1970-01-01'
        and subjects.registered_on <= clock.as_of
        -- A person whom a partner handed over is dated by those hand-overs, not by the row's own date.
        and not (
            subjects.received_via_partner
            and subjects.subject_id in (
                select leads.subject_id from leads
                where leads.rule_id = 'R1'
            )
        )
),

returned as (
    select
        cases.row_id,
        sletteplikt.local_date(came_back.purged_at) as purged_on
    from {{ source('ledger', 'returned_records') }} as came_back
    inner join {{ ref('int_record_cases') }} as cases
        on came_back.source_schema = cases.source_schema
            and came_back.source_table = cases.source_table
            and came_back.record_key = cases.record_key
            and came_back.own_on >= cases.anchor_on
    cross join {{ ref('int_clock') }} as clock
    where cases.has_unique_key and sletteplikt.local_date(came_back.found_at) <= clock.as_of
),

received as (
    select
        units.row_id,
        units.subject_id,
        units.is_registration,
        units.rule_id,
        units.received_on,
        units.event_id,
        units.source_schema,
        returned.purged_on,
        sletteplikt.last_day(units.received_on, rule.period_months, rule.period_days) as last_day
    from (
        select * from leads
        union all
        select * from registrations
    ) as units
    inner join {{ ref('policy_rules') }} as rule on units.rule_id = rule.rule_id
    left join returned on units.row_id = returned.row_id
),

-- What makes the person a customer: contacts, each keeping the relationship alive for R3's period, and
-- assignments, keeping it alive from their opening to the end of their own deadline.
events as (
    select
        contacts.subject_id,
        contacts.contact_on as on_day,
        sletteplikt.last_day(contacts.contact_on, rule.period_months, rule.period_days) as alive_until
    from {{ ref('int_contacts_counted') }} as contacts
    inner join {{ ref('policy_rules') }} as rule on rule.rule_id = 'R3'
    union all
    select
        subject_id,
        -- Nobody knows when it began: it may have been before anything else.
        coalesce(opened_on, '-infinity'::date) as on_day,
        case when outcome = 'ended' then last_day else 'infinity'::date end as alive_until
    from {{ ref('int_assignments_decided') }}
    where subject_id is not null and outcome <> 'draft'
),

met as (
    select
        received.row_id,
        received.is_registration,
        bool_or(events.on_day < received.received_on and events.alive_until >= received.received_on) as already,
        bool_or(events.on_day between received.received_on and received.last_day) as in_time,
        bool_or(
            events.on_day > received.last_day and coalesce(events.on_day <= received.purged_on, true)
        ) as late,
        bool_or(events.on_day > received.purged_on) as anew
    from received
    inner join events on received.subject_id = events.subject_id
    group by received.row_id, received.is_registration
)

select
    received.row_id,
    received.subject_id,
    received.is_registration,
    received.rule_id,
    received.event_id,
    received.source_schema,
    received.received_on as anchor_on,
    received.last_day,
    received.last_day + 1 as due_on,
    case
        when met.already then 'already'
        when met.in_time then 'in_time'
        when met.late then 'late'
        when met.anew then 'anew'
        else 'none'
    end as outcome
from received
left join met on received.row_id = met.row_id and received.is_registration = met.is_registration
