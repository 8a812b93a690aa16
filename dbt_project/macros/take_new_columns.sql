{% macro take_new_columns(relation, column_types) %}
    {#- A seed is emptied and filled, not made anew, so that what others built on it stays. A later version
        of the project may bring it columns. -#}
    {%- if column_types -%}
        alter table if exists {{ relation }}
        {%- for column, type in column_types.items() %}
            add column if not exists {{ adapter.quote(column) }} {{ type }}{{ "," if not loop.last }}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
