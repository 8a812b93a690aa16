{#- The uniform shape of record facts without a row. -#}
{% macro no_facts() -%}
select
    {%- for name, kind in fact_columns().items() %}
    null::{{ kind }} as {{ name }},
    {%- endfor %}
    null::text as inputs_hash
where false
{%- endmacro %}
