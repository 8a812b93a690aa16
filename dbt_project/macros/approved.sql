{#- Whether a value of the policy may lead to a purge. Words of the policy text need no approval; the
    approvals shipped as examples count only where the sample's marker stands. -#}
{% macro approved(mark, approval, is_sample) -%}
({{ mark }} = 'text' or {{ approval }} = 'approved' or ({{ approval }} = 'example' and {{ is_sample }}))
{%- endmacro %}
