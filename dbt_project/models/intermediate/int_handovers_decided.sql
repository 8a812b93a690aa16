{{ config(indexes=[{'columns': ['subject_id'], 'unique': true}]) }}
-- Each person's hand-overs to partners (§ 1): jointly controlled inside our business area; after a referral
-- outside it we are the partner's processor, and its recorded instruction decides.
with handovers as (
    select
        subject_id,
        handover_at,
        partner_key,
        how = 'outside' as handover_is_outside
    from {{ ref('int_person_partners') }}
    where how <> 'lead'
),

referrals as (
    select distinct on (subject_id)
        subject_id,
        handover_at,
        partner_key
    from handovers
    where handover_is_outside
    -- The first makes us a processor; two at the same instant are told apart the same way every day.
    order by subject_id asc, handover_at asc, partner_key asc
),

partners as (
    select distinct on (partner_key)
        partner_key,
        instruction_id,
        case
            when instruction_id is not null and instruction_period ~ '^P(?=\d)(\d{1,3}Y)?(\d{1,4}M)?(\d{1,5}D)?$'
                then instruction_period::interval
        end as instruction_period
    from {{ ref('int_records_unioned') }}
    where instruction_id is not null
    order by partner_key asc, is_current desc
)

select
    people.subject_id,
    people.has_joint_handover,
    referrals.handover_at as referred_at,
    partners.instruction_id,
    partners.instruction_period
from (
    select subject_id, bool_or(not handover_is_outside) as has_joint_handover
    from handovers
    group by subject_id
) as people
left join referrals on people.subject_id = referrals.subject_id
left join partners on referrals.partner_key = partners.partner_key
