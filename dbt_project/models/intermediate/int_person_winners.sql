{{ config(indexes=[{'columns': ['subject_id'], 'unique': true}]) }}
-- The ground that decides a person's own row: an open assignment before all, then what a person must look
-- at, then the latest due date (of equal ones the rule that follows from the closer tie).
select distinct on (subject_id)
    subject_id,
    rule_id,
    anchor_on,
    event_id,
    last_day,
    due_on,
    review_reason
from {{ ref('int_person_grounds') }}
order by
    subject_id asc,
    (rule_id = 'ACTIVE') desc,
    (review_reason is not null) desc,
    due_on desc nulls last,
    rule_id desc,
    event_id asc
