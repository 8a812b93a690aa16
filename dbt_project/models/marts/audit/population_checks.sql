{{ config(schema='retention', post_hook="{{ readable_to_people() }}") }}
-- Each governed table: the rows that lie in landing now, the records, and the sum over the statuses. They are
-- one number, but for rows that a load has written since the table was read for the classification: those
-- stem from later transactions, are counted as `landed_since`, and are the next run's. A table that is set
-- aside (absent, without a column that its declaration reads, or with one that reads otherwise now) has none.
with landed as (
{%- for table in governed_landing() %}
    {%- set relation = api.Relation.create(
        database=target.database, schema=table.schema, identifier=table.table
    ) %}
    {%- set found = adapter.get_relation(relation.database, relation.schema, relation.identifier) if execute %}
    {%- set staged = ref('stg_' ~ table.schema ~ '__' ~ table.table) %}
    select
        '{{ table.schema }}'::text as source_schema,
        '{{ table.table }}'::text as source_table,
        {{ not landing_is_usable(relation, table.columns, table.types) }} as is_set_aside,
        counted.landing_rows,
        counted.landed_since
    from (
        {%- if not found %}
        select
            0::bigint as landing_rows,
            0::bigint as landed_since
        {%- elif found.is_table %}
        select
            count(*) as landing_rows,
            -- The transaction that read the table wrote every row of its staging model.
            count(*) filter (
                where age(landed.xmin) < (select age(staged.xmin) from {{ staged }} as staged limit 1)
            ) as landed_since
        from {{ relation }} as landed
        {%- else %}
        select
            count(*) as landing_rows,
            0::bigint as landed_since
        from {{ relation }} as landed
        {%- endif %}
    ) as counted
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
        coalesce(landed.landed_since, 0) as landed_since,
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
    joined.landed_since,
    joined.records,
    joined.records_by_status,
    joined.records = joined.records_by_status
    and case
        when joined.is_set_aside then joined.records = 0
        -- A row that was changed since was read before, a new one was not: both have a new version.
        else joined.records between joined.landing_rows - joined.landed_since and joined.landing_rows
    end as is_reconciled,
    clock.as_of
from joined
cross join {{ ref('int_clock') }} as clock
