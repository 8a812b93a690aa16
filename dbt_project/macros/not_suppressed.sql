{#- Whether a person may be written to as far as objections to marketing go (§ 4; GDPR art. 21(3)). `email` and `phone`
    are the expressions of what is to be written to, `link_hashes` one of contact points as the models know them. True
    only where every point that is given was looked at in landing and is not on the suppression list, and where there
    is one: what nobody looked at is not allowed. -#}
{% macro not_suppressed(email=none, phone=none, link_hashes=none) -%}
    {%- set points = [] -%}
    {%- if email -%}{%- do points.append("select sletteplikt.link_hash('email', " ~ email ~ "::text)") -%}{%- endif -%}
    {%- if phone -%}{%- do points.append("select sletteplikt.link_hash('phone', " ~ phone ~ "::text)") -%}{%- endif -%}
    {%- if link_hashes -%}
        {%- do points.append("select unnest(string_to_array(" ~ link_hashes ~ ", ' '))") -%}
    {%- endif -%}
    {%- if not points -%}
        {{ exceptions.raise_compiler_error("not_suppressed: give `email`, `phone` or `link_hashes`") }}
    {%- endif -%}
coalesce((
        select bool_and(coalesce(not checked.suppressed, false))
        from ({{ points | join(' union all ') }}) as point (link_hash)
        left join {{ source('ledger', 'contact_points_checked') }} as checked on point.link_hash = checked.link_hash
        where point.link_hash is not null
    ), false)
{%- endmacro %}
