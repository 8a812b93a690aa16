{{ config(schema='retention', post_hook="{{ readable_to_people() }}") }}
-- What the expectations judge: the verdicts of checked_records, counted. A verdict is about one record; the
-- counting only spares a copy of every key.
select
    source_schema,
    source_table,
    rule_id,
    category,
    status,
    has_one_category_and_status,
    is_due_after_anchor,
    has_possible_anchor,
    is_flagged_when_overdue,
    is_not_overdue,
    has_no_due_columns,
    is_classified,
    sum(greatest(landing_rows, record_rows))::bigint as records,
    -- Where columns are due, the row itself is not.
    min(coalesce(columns_due_on, due_on)) as oldest_due_on,
    as_of
from {{ ref('checked_records') }}
group by
    source_schema,
    source_table,
    rule_id,
    category,
    status,
    has_one_category_and_status,
    is_due_after_anchor,
    has_possible_anchor,
    is_flagged_when_overdue,
    is_not_overdue,
    has_no_due_columns,
    is_classified,
    as_of
