{{ config(
    schema='retention',
    indexes=[{'columns': ['source_schema', 'source_table', 'record_key'], 'unique': true}],
    post_hook="{{ readable_to_people() }}"
) }}
-- Records that wait for a person's decision, since when, and until when it must be taken. The first day is
-- carried over from the table as it was before; a record that left the queue and comes back starts anew.
{%- set before = adapter.get_relation(this.database, this.schema, this.identifier) if execute else none %}
with waiting as (
    select
        source_schema,
        source_table,
        record_key,
        min(reason) as reason
    from {{ ref('records') }}
    where status = 'review'
    group by source_schema, source_table, record_key
),

dated as (
    select
        waiting.*,
        clock.as_of,
        clock.review_by_days,
        {% if before -%}
        least(coalesce(queued.review_since, clock.as_of), clock.as_of)
        {%- else -%}
        clock.as_of
        {%- endif %} as review_since
    from waiting
    cross join {{ ref('int_clock') }} as clock
    {%- if before %}
    left join {{ this }} as queued
        on
            waiting.source_schema = queued.source_schema
            and waiting.source_table = queued.source_table
            and waiting.record_key = queued.record_key
    {%- endif %}
)

select
    source_schema,
    source_table,
    record_key,
    reason,
    review_since,
    review_since + review_by_days as review_by,
    as_of <= review_since + review_by_days as is_in_time,
    as_of
from dated
