{#- A post-hook: people's roles may read what was just built, or these columns of it. Of what dbt builds they read
    nothing else: the layers before the records would tell of a locked one what the records hide (§ 8). -#}
{% macro readable_to_people(columns=none) -%}
    grant select {{ '(' ~ columns | join(', ') ~ ')' if columns }} on {{ this }} to retention_reader
{%- endmacro %}
