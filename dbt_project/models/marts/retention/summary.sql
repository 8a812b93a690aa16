-- The population: records per table, category and status. Its sum is the number of landing rows.
select
    source_schema,
    source_table,
    category,
    status,
    count(*) as records,
    min(due_on) as oldest_due_on,
    as_of
from {{ ref('records') }}
group by source_schema, source_table, category, status, as_of
