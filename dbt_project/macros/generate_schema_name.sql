{#- Schemas are named as configured, not prefixed with the target's; an as-of run in the past writes
    beside today's, under a suffix. Landing schemas are not touched by this. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}{{ env_var('RETENTION_SCHEMA_SUFFIX', '') }}
{%- endmacro %}
