{#- True where the landing table exists with every column that its declaration reads, and none of them may
    read otherwise than it did, because its type is another one now than `types` says, or than the first that
    was seen. A table that does not is set aside: its staging model is empty, and `retention.coverage` reports
    it. -#}
{% macro landing_is_usable(relation, columns, types) %}
    {%- if not execute -%}{{ return(true) }}{%- endif -%}
    {%- set landed = adapter.get_relation(relation.database, relation.schema, relation.identifier) -%}
    {%- if landed is none -%}{{ return(false) }}{%- endif -%}
    {%- set present = adapter.get_columns_in_relation(landed) | map(attribute='name') | list -%}
    {%- for column in columns if column not in present -%}
        {{ return(false) }}
    {%- endfor -%}
    {%- set table = {
        'source_schema': relation.schema, 'source_table': relation.identifier,
        'columns': columns, 'types': types
    } -%}
    {%- set otherwise = run_query(
        "select 1 from ledger.columns_read_otherwise(" ~ dbt.string_literal(dbt.escape_single_quotes(tojson([table])))
        ~ "::jsonb)"
    ) -%}
    {{ return(otherwise | length == 0) }}
{% endmacro %}
