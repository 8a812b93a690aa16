{{ config(schema='retention') }}
-- Each governed table: the rows that lie in landing now, the records, and the sum over the statuses. They are
-- one number. A table that is set aside (absent, or without a column that its declaration reads) has none.
with landed as (
{%- for table in governed_landing() %}
    {%- set relation = api.Relation.create(
        database=target.database, schema=table.schema, identifier=table.table
    ) %}
    {%- set exists = execute and adapter.get_relation(relation.database, relation.schema, relation.identifier) %}
    select
        '{{ table.schema }}'::text as source_schema,
        '{{ table.table }}'::text as source_table,
        {{ not landing_is_usable(relation, table.columns) }} as is_set_aside,
        {% if exists %}(select count(*) from {{ relation }}){% else %}0::bigint{% endif %} as landing_rows
    {%- if not loop.last %}
    union all
    {%- endif %}
{%- endfor %}
),

records as (
    select
        source_schema,
        source_table,
        count(*) as records
    from {{ ref('records') }}
    group by source_schema, source_table
),

summed as (
    select
        source_schema,
        source_table,
        sum(records)::bigint as records_by_status
    from {{ ref('summary') }}
    group by source_schema, source_table
),

joined as (
    select
        coalesce(landed.source_schema, records.source_schema, summed.source_schema) as source_schema,
        coalesce(landed.source_table, records.source_table, summed.source_table) as source_table,
        coalesce(landed.is_set_aside, false) as is_set_aside,
        coalesce(landed.landing_rows, 0) as landing_rows,
        coalesce(records.records, 0) as records,
        coalesce(summed.records_by_status, 0) as records_by_status
    from landed
    full join records
        on landed.source_schema = records.source_schema and landed.source_table = records.source_table
    full join summed
        on coalesce(landed.source_schema, records.source_schema) = summed.source_schema
        and coalesce(landed.source_table, records.source_table) = summed.source_table
)

select
    joined.source_schema,
    joined.source_table,
    joined.is_set_aside,
    joined.landing_rows,
    joined.records,
    joined.records_by_status,
    joined.records = joined.records_by_status
    and joined.records = case when joined.is_set_aside then 0 else joined.landing_rows end as is_reconciled,
    clock.as_of
from joined
cross join {{ ref('int_clock') }} as clock
