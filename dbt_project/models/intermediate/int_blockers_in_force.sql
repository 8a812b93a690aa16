-- What keeps records from being purged at the as-of date, one row a target. A hold stands until somebody
-- releases it (it never lapses silently); a lock until the last day of its hindrance.
with pending as (
    select distinct
        cases.subject_token::text as target,
        'request:' || cases.source_schema || '.' || cases.source_table as blocker
    from {{ ref('int_record_cases') }} as cases
    inner join {{ ref('int_records_unioned') }} as records on cases.row_id = records.row_id
    cross join {{ ref('int_clock') }} as clock
    where records.request_is_pending and cases.subject_token is not null
        and coalesce(cases.anchor_on <= clock.as_of, true)
),

blockers as (
    select
        blockers.scope,
        blockers.target,
        blockers.kind,
        blockers.kind || ':' || blockers.scope as blocker,
        blockers.until_on
    from {{ source('ledger', 'blockers') }} as blockers
    cross join {{ ref('int_clock') }} as clock
    where blockers.released_at is null and blockers.from_on <= clock.as_of
    union all
    select
        'subject' as scope,
        pending.target,
        'hold' as kind,
        pending.blocker,
        null::date as until_on
    from pending
)

select
    blockers.scope,
    blockers.target,
    bool_or(blockers.kind = 'hold') as is_held,
    bool_or(blockers.kind = 'restriction') as is_restricted,
    max(blockers.until_on) filter (where blockers.kind = 'lock') as locked_until,
    string_agg(distinct blockers.blocker, ',' order by blockers.blocker) as blocked_by
from blockers
group by blockers.scope, blockers.target
