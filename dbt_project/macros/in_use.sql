{#- The rows of a landing table without those of locked and restricted records, for a from clause:

        from {{ in_use(source('crm', 'person')) }} as person

    A row is known by its declared key; where the table keeps versions, by what they are versions of, so that one
    that lands after the classification is left out too; without a key, by the whole row, as staging knows it.
    A table that is not declared has no records, and nothing tells which of its rows are out of use. -#}
{% macro in_use(relation) -%}
    {#- While dbt parses, it wants to know what is read; which table it is it tells later. -#}
    {%- set left_out = ref('int_out_of_use') -%}
    {%- set table = relation.schema ~ '.' ~ relation.identifier -%}
    {%- set known_by = landing_keys().get(table) -%}
    {%- if not execute -%}
        {{ relation }}
    {%- elif known_by is none -%}
        {{ exceptions.raise_compiler_error(
            "in_use: " ~ table ~ " is no governed table: declare it, or exempt it and read it by its source"
        ) }}
    {%- else -%}
    (
        select landed.*
        from {{ relation }} as landed
        where not exists (
            select
            from {{ left_out }} as out_of_use
            where
                out_of_use.source_schema = {{ dbt.string_literal(relation.schema) }}
                and out_of_use.source_table = {{ dbt.string_literal(relation.identifier) }}
                and out_of_use.{{ known_by['column'] }} = {{ known_by['expression'] }}
        )
    )
    {%- endif -%}
{%- endmacro %}
