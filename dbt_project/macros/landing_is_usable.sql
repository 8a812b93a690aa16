{#- True where the landing table exists with every column that its declaration reads. A table that
    does not is set aside: its staging model is empty, and `retention.coverage` reports it. -#}
{% macro landing_is_usable(relation, columns) %}
    {%- if not execute -%}{{ return(true) }}{%- endif -%}
    {%- set landed = adapter.get_relation(relation.database, relation.schema, relation.identifier) -%}
    {%- if landed is none -%}{{ return(false) }}{%- endif -%}
    {%- set present = adapter.get_columns_in_relation(landed) | map(attribute='name') | list -%}
    {%- for column in columns if column not in present -%}
        {{ return(false) }}
    {%- endfor -%}
    {{ return(true) }}
{% endmacro %}
