{{ config(indexes=[{'columns': ['subject_token', 'purpose'], 'unique': true}]) }}
-- Each human's consent to each purpose: in force, or withdrawn (§ 1, § 5). In force is what was given later than it was
-- last withdrawn; on the same instant, and on the day of a request, the withdrawal wins. A withdrawal counts whether it
-- landed or came as a request. What a source has deleted since has happened all the same.
with landed as (
    select
        cases.subject_token,
        records.consent_purpose as purpose,
        records.consent_given_at as given_at,
        records.consent_withdrawn_at as withdrawn_at,
        sletteplikt.local_date(records.consent_withdrawn_at) as withdrawn_on,
        null::uuid as request_id
    from {{ ref('int_record_cases') }} as cases
    inner join {{ ref('int_records_unioned') }} as records on cases.row_id = records.row_id
    where records.consent_purpose is not null and cases.subject_token is not null
),

asked as (
    select
        requests.subject_token,
        requests.purpose,
        null::timestamp as given_at,
        sletteplikt.utc_time(requests.received_on + 1) as withdrawn_at,
        requests.received_on as withdrawn_on,
        requests.request_id
    from {{ source('ledger', 'requests') }} as requests
    cross join {{ ref('int_day') }} as clock
    where
        requests.asserted = 'withdrawal'
        and requests.purpose is not null
        and requests.subject_token is not null
        and requests.outcome is distinct from 'refused'
        and sletteplikt.local_date(requests.decided_at) <= clock.as_of
),

events as (
    select * from landed
    union all
    select * from asked
),

-- A day that has not come, or cannot be, has given and withdrawn nothing.
happened as (
    select
        events.subject_token,
        events.purpose,
        events.request_id,
        case
            when sletteplikt.local_date(events.given_at) between '1970-01-02' and clock.as_of then events.given_at
        end as given_at,
        case when events.withdrawn_on between '1970-01-02' and clock.as_of then events.withdrawn_at end as withdrawn_at,
        case when events.withdrawn_on between '1970-01-02' and clock.as_of then events.withdrawn_on end as withdrawn_on
    from events
    cross join {{ ref('int_day') }} as clock
),

last_events as (
    select
        subject_token,
        purpose,
        max(given_at) as given_at,
        max(withdrawn_at) as withdrawn_at,
        max(withdrawn_on) as withdrawn_on,
        (array_agg(request_id order by withdrawn_at desc nulls last, request_id asc))[1] as request_id
    from happened
    group by subject_token, purpose
)

select
    subject_token,
    purpose,
    given_at,
    withdrawn_at,
    case when withdrawn_at >= coalesce(given_at, withdrawn_at) then withdrawn_on end as withdrawn_on,
    case when withdrawn_at >= coalesce(given_at, withdrawn_at) then request_id end as request_id,
    coalesce(withdrawn_at >= coalesce(given_at, withdrawn_at), false) as is_withdrawn
from last_events
