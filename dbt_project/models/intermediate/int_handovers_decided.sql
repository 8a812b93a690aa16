{{ config(indexes=[{'columns': ['subject_id'], 'unique': true}]) }}
-- Each person's hand-overs to partners (§ 1): jointly controlled inside our business area; after a referral
-- outside it we are the partner's processor, and its recorded instruction decides; its period is remembered where the
-- partner became null because a consent was withdrawn.
with handovers as (
    select
        partners.subject_id,
        partners.handover_at,
        partners.partner_key,
        partners.how = 'outside' as handover_is_outside,
        remembered.instruction_period as remembered_period
    from {{ ref('int_person_partners') }} as partners
    left join {{ source('ledger', 'received_via_partner') }} as remembered
        on partners.source_schema = remembered.source_schema
            and partners.source_table = remembered.source_table
            and partners.record_key = remembered.record_key
    where partners.how <> 'lead'
),

referrals as (
    select distinct on (subject_id)
        subject_id,
        handover_at,
        partner_key,
        remembered_period
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
    coalesce(partners.instruction_period, referrals.remembered_period) as instruction_period
from (
    select subject_id, bool_or(not handover_is_outside) as has_joint_handover
    from handovers
    group by subject_id
) as people
left join referrals on people.subject_id = referrals.subject_id
left join partners on referrals.partner_key = partners.partner_key
