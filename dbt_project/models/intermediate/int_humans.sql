{{ config(
    indexes=[{'columns': ['subject_id']}, {'columns': ['human']}],
    post_hook="{% if not var('dry_run', false) %}select ledger.assign_subject_tokens('{{ this }}'){% endif %}"
) }}
-- Which persons of several tables are one human, by what is declared of their tables (`same_as`): a key, or a contact
-- point that one person alone has on either side. Never a guess: a person who may be one of several is a human of
-- her own, and has a row for each that she may be besides (`is_own` false).
-- Tokens are random and live in the ledger; the post-hook gives one to each human who has none, and a new person
-- of a human who has one the same; a dry run gives none. `human` is a hash, so that a row names one person only.
with persons as (
    select
        subjects.subject_id,
        subjects.qualified,
        subjects.link_key,
        declared.same_as,
        declared.same_as_link
    from {{ ref('int_subjects') }} as subjects
    inner join {{ ref('declared_tables') }} as declared
        on subjects.source_schema = declared.source_schema and subjects.source_table = declared.source_table
),

alike as (
    select
        persons.subject_id,
        persons.qualified,
        others.subject_id as other_id,
        true as is_by_key
    from persons
    inner join {{ ref('int_subjects') }} as others
        on persons.same_as = others.qualified and persons.link_key = others.entity_key
    where persons.same_as_link = 'foreign_key'
    union
    select
        persons.subject_id,
        persons.qualified,
        others.subject_id as other_id,
        false as is_by_key
    from persons
    inner join {{ ref('int_contact_points') }} as points on persons.subject_id = points.subject_id
    inner join {{ ref('int_contact_points') }} as others
        on points.link_hash = others.link_hash and persons.same_as = others.subject_table
    where persons.same_as_link = 'contact_point'
),

judged as (
    select
        subject_id,
        other_id,
        is_by_key or (
            count(*) over (partition by subject_id) = 1 and count(*) over (partition by other_id, qualified) = 1
        ) as is_same
    from alike
)

select
    persons.subject_id,
    sletteplikt.link_hash('human', coalesce(judged.other_id, persons.subject_id)) as human,
    true as is_own,
    judged.other_id is null as is_leader
from persons
left join judged on persons.subject_id = judged.subject_id and judged.is_same
union all
select
    subject_id,
    sletteplikt.link_hash('human', other_id) as human,
    false as is_own,
    false as is_leader
from judged
where not is_same
