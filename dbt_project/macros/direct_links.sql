{#- How a record finds its subject and its assignment without another record between: by itself, by foreign
    key, by a contact point that one person alone has; `records`, `subjects` and `matched` are the aliases of
    record facts with their declaration, int_subjects and int_contact_points_matched. -#}
{% macro direct_subject() -%}
case records.subject_link
            when 'self' then records.qualified || ':' || records.entity_key
            when 'foreign_key' then subjects.subject_id
            when 'contact_point' then case when matched.subjects = 1 then matched.subject_id end
        end
{%- endmacro %}

{% macro direct_assignment() -%}
case
            when records.assignment_state is not null then records.qualified || ':' || records.entity_key
            when records.assignment_link = 'foreign_key' then records.assignment_to || ':' || records.assignment_key
        end
{%- endmacro %}
