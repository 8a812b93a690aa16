{#- The last day of a period, moved to the next working day where it is a minimum period.
    `days` is the alias under which int_working_days is joined on the unmoved last day. -#}
{% macro on_working_day(last_day, is_minimum, days) -%}
case when {{ is_minimum }} then coalesce({{ days }}.working_day, {{ last_day }}) else {{ last_day }} end
{%- endmacro %}
