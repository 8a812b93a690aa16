{#- The expression that is true where one of the columns of `landed` holds a value. Columns that have not landed
    hold none: a connector makes a column when it first has something for it. -#}
{% macro any_value(relation, columns) -%}
    {%- set found = adapter.get_relation(relation.database, relation.schema, relation.identifier) if execute -%}
    {%- set present = adapter.get_columns_in_relation(found) | map(attribute='name') | list if found else [] -%}
    {%- set held = [] -%}
    {%- for column in columns if column in present -%}
        {%- do held.append('landed.' ~ adapter.quote(column)) -%}
    {%- endfor -%}
    {{ 'num_nonnulls(' ~ held | join(', ') ~ ') > 0' if held else 'false' }}
{%- endmacro %}
