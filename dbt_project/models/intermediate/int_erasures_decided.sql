{{ config(indexes=[{'columns': ['row_id'], 'unique': true}]) }}
-- Records whose erasure was decided, by the latest decision on each; a withdrawn consent before any, and after it no
-- refusal. An erasure on request counts as long as nothing hinders it that was not there, or not judged, by then.
with erasures as (
    select distinct on (decided.source_schema, decided.source_table, decided.record_key)
        decided.source_schema,
        decided.source_table,
        decided.record_key,
        decided.basis,
        decided.outcome,
        decided.rule_id as judged_rule_id,
        sletteplikt.local_date(decided.decided_at) as decided_on
    from {{ source('ledger', 'erasure_decisions') }} as decided
    cross join {{ ref('int_clock') }} as clock
    where
        decided.record_key is not null
        -- Of some, columns alone become null.
        and decided.columns = '{}'
        and sletteplikt.local_date(decided.decided_at) <= clock.as_of
    order by
        decided.source_schema asc,
        decided.source_table asc,
        decided.record_key asc,
        (decided.basis = 'withdrawal') desc,
        decided.decided_at desc
)

select
    cases.row_id,
    erasures.decided_on,
    rule.rule_id,
    rule.clause,
    {{ approved('rule.mark', 'rule.approval', 'coalesce(marked.is_sample, false)') }} as is_approved
from erasures
inner join {{ ref('int_record_cases') }} as cases
    on erasures.source_schema = cases.source_schema
        and erasures.source_table = cases.source_table
        and erasures.record_key = cases.record_key
inner join {{ ref('policy_rules') }} as rule
    on rule.rule_id = case erasures.basis when 'withdrawal' then 'CONSENT' else 'ERASURE' end
left join {{ ref('int_marked_schemas') }} as marked on cases.source_schema = marked.source_schema
cross join {{ ref('int_clock') }} as clock
where
    erasures.outcome = 'erase'
    -- What no key tells from another row is not purged, whatever was decided.
    and cases.has_unique_key
    and cases.record_key not like 'row:%'
    and (
        erasures.basis = 'withdrawal'
        or not exists (
            select 1
            from {{ ref('int_record_grounds') }} as hindering
            inner join {{ ref('policy_hindrances') }} as hindrances
                on hindering.basis_rule_id = hindrances.rule_id
            where
                hindering.row_id = cases.row_id
                and hindering.column_group = 'row'
                and hindrances.rule_id is distinct from erasures.judged_rule_id
                and not coalesce(
                    hindering.review_reason is null and hindering.is_approved
                    and hindering.last_day < clock.as_of,
                    false
                )
        )
    )
