-- What keeps records from being purged at the as-of date, one row a target. A hold stands until somebody
-- releases it (it never lapses silently); a lock until the last day of its hindrance. Each counts from its first
-- day or from when it was placed, whichever is earlier: a purge heeds it from when it was placed, and a record
-- must not look due that no purge would take. What blocks a person blocks each record that may be that person's.
with pending as (
    -- A request of one of several persons may be any one's of them. Once the register knows whose a landed
    -- request is, its own hold stands for it; what the source says of its state counts no longer.
    select distinct
        tokens.subject_token::text as target,
        'request:' || cases.source_schema || '.' || cases.source_table as blocker
    from {{ ref('int_record_cases') }} as cases
    inner join {{ ref('int_records_unioned') }} as records on cases.row_id = records.row_id
    cross join {{ ref('int_day') }} as clock
    left join {{ ref('int_record_candidates') }} as candidates on cases.row_id = candidates.row_id
    inner join {{ source('ledger', 'subject_tokens') }} as tokens
        on tokens.subject_id = coalesce(cases.subject_id, candidates.subject_id)
    left join {{ source('ledger', 'requests') }} as registered
        on cases.source_schema = registered.source_schema
            and cases.source_table = registered.source_table
            and cases.record_key = registered.record_key
    where
        case
            when registered.request_id is null then records.request_is_pending
            else registered.state = 'received' and registered.hold_id is null
        end
        and coalesce(cases.anchor_on <= clock.as_of, true)
),

blockers as (
    select
        blockers.scope,
        blockers.target,
        blockers.kind,
        case
            when requests.request_id is null then blockers.kind || ':' || blockers.scope
            else 'request:' || coalesce(requests.source_schema || '.' || requests.source_table, 'ledger.requests')
        end as blocker,
        blockers.until_on
    from {{ source('ledger', 'blockers') }} as blockers
    left join {{ source('ledger', 'requests') }} as requests on blockers.blocker_id = requests.hold_id
    cross join {{ ref('int_day') }} as clock
    where
        -- A past day knows nothing of a release that came after it.
        coalesce(sletteplikt.local_date(blockers.released_at) > clock.as_of, true)
        and least(blockers.from_on, sletteplikt.local_date(blockers.placed_at)) <= clock.as_of
    union all
    select
        'subject' as scope,
        pending.target,
        'hold' as kind,
        pending.blocker,
        null::date as until_on
    from pending
),

reaching as (
    select * from blockers
    union all
    select
        'record' as scope,
        cases.source_schema || '.' || cases.source_table || ':' || cases.record_key as target,
        blockers.kind,
        blockers.blocker,
        blockers.until_on
    from blockers
    inner join {{ source('ledger', 'subject_tokens') }} as tokens
        on blockers.scope = 'subject' and blockers.target = tokens.subject_token::text
    inner join {{ ref('int_record_candidates') }} as candidates on tokens.subject_id = candidates.subject_id
    inner join {{ ref('int_record_cases') }} as cases on candidates.row_id = cases.row_id
    cross join {{ ref('int_day') }} as clock
    -- A lock that has ended makes its person's records due, not those that may be another's.
    where coalesce(blockers.until_on >= clock.as_of, true) or blockers.kind <> 'lock'
),

-- Tokens that several data subjects bear: a lock was placed for one of them, and nothing says which.
shared as (
    select subject_token::text as target
    from {{ source('ledger', 'subject_tokens') }}
    group by subject_token
    having count(*) > 1
),

judged as (
    select
        reaching.*,
        shared.target is not null and reaching.scope = 'subject' and reaching.kind = 'lock'
        and reaching.until_on < clock.as_of as is_lock_in_doubt
    from reaching
    cross join {{ ref('int_day') }} as clock
    left join shared on reaching.target = shared.target
)

select
    scope,
    target,
    bool_or(kind = 'hold') as is_held,
    bool_or(kind = 'restriction') as is_restricted,
    max(until_on) filter (where kind = 'lock' and not is_lock_in_doubt) as locked_until,
    bool_or(is_lock_in_doubt) as has_lock_in_doubt,
    string_agg(distinct blocker, ',' order by blocker) as blocked_by
from judged
group by scope, target
