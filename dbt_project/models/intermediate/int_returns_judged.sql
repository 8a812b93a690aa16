{{ config(indexes=[
    {'columns': ['row_id'], 'unique': true},
    {'columns': ['source_schema', 'source_table', 'record_key']},
], post_hook="{{ readable_to_people(['source_schema', 'source_table', 'verdict', 'purged_on']) }}") }}
-- Rows that were purged and landed again, each with what that makes of them (docs/decisions/0007):
-- `resurrection` (nothing about it is newer: purged again), `new` (an event after the one it was purged for: a
-- person who came back), `unknown` (no date to tell by) and `reopened` (no clock runs any more): a person decides.
with returned as (
    select
        cases.row_id,
        cases.source_schema,
        cases.source_table,
        cases.record_key,
        cases.is_ambiguous,
        returned.anchor_on as purged_anchor_on,
        returned.rule_id as purged_rule_id,
        returned.own_on as purged_own_on,
        sletteplikt.local_date(returned.purged_at) as purged_on,
        sletteplikt.local_date(returned.found_at) as found_on,
        coalesce(cases.anchor_on, sletteplikt.local_date(cases.collected_at)) as own_on
    from {{ source('ledger', 'returned_records') }} as returned
    inner join {{ ref('int_record_cases') }} as cases
        on returned.source_schema = cases.source_schema
            and returned.source_table = cases.source_table
            and returned.record_key = cases.record_key
    cross join {{ ref('int_clock') }} as clock
    where
        cases.has_unique_key
        -- A replay of an earlier day knows only what was found by then.
        and sletteplikt.local_date(returned.found_at) <= clock.as_of
),

judged as (
    select
        returned.row_id,
        returned.source_schema,
        returned.source_table,
        returned.record_key,
        returned.purged_anchor_on,
        returned.purged_rule_id,
        returned.purged_on,
        returned.found_on,
        rule.category as purged_category,
        rule.clause as purged_clause,
        {{ approved('rule.mark', 'rule.approval', 'marked.is_sample') }} as is_approved,
        case
            when returned.purged_anchor_on is null then 'unknown'
            -- Without its person or assignment, and as a mere supporting record, a row is dated by itself.
            when
                returned.own_on <= returned.purged_own_on
                and (
                    (winners.rule_id = 'UNCLASSIFIED' and not returned.is_ambiguous)
                    or (
                        winners.path = 'supporting'
                        and not (declared.is_contact_event or declared.is_handover)
                    )
                )
                then 'resurrection'
            when winners.anchor_on is null then 'unknown'
            -- An event that was purged itself and is as it was then makes nothing newer.
            when winners.anchor_on > returned.purged_anchor_on and event.row_id is null then 'new'
            when winners.rule_id = 'ACTIVE' then 'reopened'
            else 'resurrection'
        end as verdict
    from returned
    inner join {{ ref('int_record_grounds') }} as winners
        on returned.row_id = winners.row_id and winners.wins and winners.column_group = 'row'
    inner join {{ ref('declared_tables') }} as declared
        on returned.source_schema = declared.source_schema and returned.source_table = declared.source_table
    left join returned as event
        on winners.event_id = event.source_schema || '.' || event.source_table || ':' || event.record_key
            and winners.anchor_on = event.own_on
            and event.own_on <= event.purged_own_on
    left join {{ ref('policy_rules') }} as rule on returned.purged_rule_id = rule.rule_id
    left join {{ ref('int_marked_schemas') }} as marked on returned.source_schema = marked.source_schema
)

select * from judged
