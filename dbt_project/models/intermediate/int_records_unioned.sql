{{ config(
    pre_hook="set local parallel_tuple_cost = 0"
) }}
-- One row for each physical landing row, versions and soft-deleted rows included. `row_id` tells two rows
-- apart even where a declared key turns out not to be unique.
select
    unioned.*,
    row_number() over () as row_id
from (
    {% for model in declared_staging() -%}
    select * from {{ ref(model) }}
    {% if not loop.last %}union all
    {% endif -%}
    {%- endfor %}
) as unioned
