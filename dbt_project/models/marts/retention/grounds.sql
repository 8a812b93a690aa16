{{ config(indexes=[{'columns': ['source_schema', 'source_table', 'record_key']}]) }}
-- Every ground of every record, winning and losing. Those of a locked record are not shown.
select
    records.source_schema,
    records.source_table,
    records.record_key,
    grounds.column_group,
    grounds.rule_id,
    grounds.category,
    grounds.clause as policy_clause,
    grounds.anchor_on,
    grounds.event_id as anchor_event,
    grounds.last_day,
    grounds.due_on,
    grounds.review_reason is not null as needs_review,
    coalesce(grounds.is_approved, false) as approved,
    grounds.wins,
    records.as_of
from {{ ref('int_record_grounds') }} as grounds
inner join {{ ref('int_records_decided') }} as records on grounds.row_id = records.row_id
where not records.is_locked
