{{ config(post_hook="{{ readable_to_people() }}") }}
-- One row: the as-of date of this classification and the policy in force.
select
    day.as_of,
    policy_settings.policy_version,
    policy_settings.policy_hash,
    policy_settings.due_soon_days,
    policy_settings.review_by_days,
    policy_settings.grace_days,
    policy_settings.idle_active_months
from {{ ref('policy_settings') }} as policy_settings
cross join {{ ref('int_day') }} as day
