{{ config(indexes=[
    {'columns': ['source_schema', 'source_table', 'record_key']},
    {'columns': ['due_on']},
    {'columns': ['subject_token']},
]) }}
-- One row for each physical landing row. A locked record shows its key and its status, nothing else (§ 8); its
-- category too where a hold or a restriction stands above the lock, which the status then tells instead.
select
    source_schema,
    source_table,
    record_key,
    case when not is_locked then subject_token end as subject_token,
    case when not is_locked then controller_role end as controller_role,
    case when status <> 'locked' then category end as category,
    case when not is_locked then rule_id end as rule_id,
    case when not is_locked then clause end as policy_clause,
    policy_version,
    case when not is_locked then anchor_on end as anchor_on,
    case when not is_locked then last_day end as last_day,
    case when not is_locked then due_on end as due_on,
    case when not is_locked then disposition end as disposition,
    status,
    case when not is_locked then blocked_by else '{}'::text[] end as blocked_by,
    case when not is_locked then reason end as reason,
    as_of
from {{ ref('int_records_decided') }}
