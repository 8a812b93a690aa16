{{ config(indexes=[{'columns': ['source_schema', 'source_table', 'record_key']}]) }}
-- Each record with the ground that decides it, what blocks it, what a person decided on it, and its status in
-- the precedence of requirements § 2: held, restricted, locked, review, overdue, due_soon, retained, active.
with winners as (
    select * from {{ ref('int_record_grounds') }}
    where wins and column_group = 'row'
),

expired_columns as (
    select int_record_grounds.row_id
    from {{ ref('int_record_grounds') }} as int_record_grounds
    cross join {{ ref('int_clock') }} as clock
    where
        int_record_grounds.wins
        and int_record_grounds.column_group = 'person'
        and int_record_grounds.is_approved
        and int_record_grounds.review_reason is null
        and int_record_grounds.due_on <= clock.as_of
        -- What we process for a partner follows the partner's instruction, not § 6 (requirements § 3).
        and int_record_grounds.controller_role is distinct from 'processor'
),

minimised_before as (
    select
        source_schema,
        source_table,
        record_key
    from {{ source('ledger', 'column_grounds') }}
    where column_group = 'person' and minimised_at is not null
),

last_contacts as (
    select
        subject_id,
        max(contact_on) as contact_on
    from {{ ref('int_contacts_counted') }}
    group by subject_id
),

decisions as (
    select distinct on (decisions.source_schema, decisions.source_table, decisions.record_key)
        decisions.*,
        rule.category,
        rule.clause,
        rule.is_minimum,
        rule.period_months,
        rule.period_days,
        -- Taken out of a plan by whoever was to approve it: then a decision counts although its clock runs.
        bool_or(decisions.plan_id is not null) over (
            partition by decisions.source_schema, decisions.source_table, decisions.record_key
        ) as is_amended
    from {{ source('ledger', 'review_decisions') }} as decisions
    left join {{ ref('policy_rules') }} as rule on decisions.rule_id = rule.rule_id
    cross join {{ ref('int_clock') }} as clock
    -- A past day knows nothing of what was decided after it.
    where sletteplikt.local_date(decisions.decided_at) <= clock.as_of
    order by
        decisions.source_schema asc,
        decisions.source_table asc,
        decisions.record_key asc,
        decisions.decided_at desc
),

facts as (
    select
        cases.row_id,
        cases.source_schema,
        cases.source_table,
        cases.record_key,
        cases.subject_token,
        cases.case_id,
        types.period_months as type_months,
        classes.period_months as class_months,
        winners.controller_role,
        winners.category,
        winners.rule_id,
        winners.clause,
        winners.anchor_on,
        winners.event_id,
        restarted.restarted_by_law,
        winners.last_day,
        winners.due_on,
        winners.disposition,
        clock.as_of,
        clock.policy_version,
        clock.due_soon_days,
        -- Only while they hold a value: a row whose columns are null has been minimised.
        coalesce(expired_columns.row_id is not null and cases.has_minimisable, false) as has_expired_columns,
        coalesce(cases.has_minimisable and minimised_before.record_key is not null, false) as has_restored_columns,
        returns.found_on,
        returns.purged_rule_id,
        returns.purged_category,
        returns.purged_clause,
        returns.purged_anchor_on,
        coalesce(returns.verdict = 'resurrection', false) as is_as_purged,
        erased.decided_on as erased_on,
        erased.rule_id as erased_rule_id,
        erased.clause as erased_clause,
        coalesce(erased.is_approved, false) as is_erased,
        cases.has_unique_key and cases.record_key not like 'row:%' as has_key,
        coalesce(of_subject.is_held or of_assignment.is_held or of_record.is_held or of_table.is_held, false)
            as is_held,
        coalesce(
            of_subject.is_restricted or of_assignment.is_restricted
            or of_record.is_restricted or of_table.is_restricted,
            false
        ) as is_restricted,
        greatest(
            of_subject.locked_until, of_assignment.locked_until, of_record.locked_until, of_table.locked_until
        ) as locked_until,
        string_to_array(
            concat_ws(
                ',', of_subject.blocked_by, of_assignment.blocked_by, of_record.blocked_by, of_table.blocked_by
            ), ','
        ) as blocked_by,
        case
            when of_subject.has_lock_in_doubt
                then 'the hindrance of a lock on its person has ended, who is several data subjects'
            when not erased.is_approved then 'nobody approved the rule by which its erasure was decided'
            when not cases.has_unique_key then 'its key is not unique'
            when cases.record_key like 'row:%' then 'its table has no declared unique key'
            when returns.verdict = 'unknown' then 'it was purged before and its date is not known'
            when returns.verdict = 'reopened' then 'it was purged before and is open again'
            when returns.verdict = 'resurrection' and not coalesce(returns.is_approved, false)
                then 'nobody approved the reading or period it was purged under'
            when
                declared.needs_anchor and winners.path not in ('unclassified', 'otherwise')
                and (cases.anchor_on is null or cases.anchor_on <= '1970-01-01')
                then 'its own date is missing, unreadable or impossible'
            when
                declared.needs_anchor and winners.path not in ('unclassified', 'otherwise')
                and cases.anchor_on > clock.as_of
                then 'its own date lies in the future'
            -- What came back without its person or assignment is known by its tombstone.
            when
                winners.review_reason is not null
                and not (winners.rule_id = 'UNCLASSIFIED' and coalesce(returns.verdict = 'resurrection', false))
                then winners.review_reason
            -- Where no clock runs, nothing is purged, and nothing needs an approval for it.
            when winners.last_day is not null and not coalesce(winners.is_approved, false)
                then 'nobody approved the reading or period it stands on'
        end as review_reason,
        case
            when
                winners.rule_id = 'ACTIVE'
                and coalesce(last_contacts.contact_on, winners.anchor_on)
                < (clock.as_of - make_interval(months => clock.idle_active_months))::date
                then 'open, but idle for longer than the policy expects'
        end as idle_reason
    from {{ ref('int_record_cases') }} as cases
    inner join winners on cases.row_id = winners.row_id
    inner join {{ ref('declared_tables') }} as declared
        on cases.source_schema = declared.source_schema and cases.source_table = declared.source_table
    cross join {{ ref('int_clock') }} as clock
    left join {{ ref('int_assignments_decided') }} as assignments
        on cases.assignment_id = assignments.assignment_id
    -- Whatever stands on that assignment's day: its own records, its person, what follows the person.
    left join {{ ref('int_assignments_decided') }} as restarted
        on
            winners.event_id = restarted.event_id
            and winners.anchor_on = restarted.anchor_on
            and restarted.restarted_by_law is not null
    left join {{ ref('policy_assignment_types') }} as types on assignments.assignment_type = types.assignment_type
    left join {{ ref('policy_accounting_classes') }} as classes
        on declared.accounting_class = classes.accounting_class
    left join {{ ref('int_returns_judged') }} as returns on cases.row_id = returns.row_id
    left join expired_columns on cases.row_id = expired_columns.row_id
    left join {{ ref('int_erasures_decided') }} as erased on cases.row_id = erased.row_id
    left join minimised_before
        on cases.source_schema = minimised_before.source_schema
            and cases.source_table = minimised_before.source_table
            and cases.record_key = minimised_before.record_key
    left join last_contacts on cases.subject_id = last_contacts.subject_id
    left join {{ ref('int_blockers_in_force') }} as of_subject
        on of_subject.scope = 'subject' and cases.subject_token::text = of_subject.target
    left join {{ ref('int_blockers_in_force') }} as of_assignment
        on of_assignment.scope = 'assignment' and cases.assignment_id = of_assignment.target
    left join {{ ref('int_blockers_in_force') }} as of_record
        on of_record.scope = 'record'
            and cases.source_schema || '.' || cases.source_table || ':' || cases.record_key = of_record.target
    left join {{ ref('int_blockers_in_force') }} as of_table
        on of_table.scope = 'table' and cases.source_schema || '.' || cases.source_table = of_table.target
),

-- What a corrected anchor means under the decided rule: R4 and R5 take the period of the record's own type or
-- class, R5 from the end of the fiscal year.
corrected as (
    select
        facts.row_id,
        decisions.decision,
        decisions.keep_until,
        decisions.rule_id,
        decisions.category,
        decisions.clause,
        decisions.anchor_on,
        decisions.is_minimum,
        decisions.decided_at,
        case decisions.rule_id
            when 'R4' then sletteplikt.last_day(decisions.anchor_on, facts.type_months, null)
            when 'R5'
                then sletteplikt.last_day(
                        make_date(extract(year from decisions.anchor_on)::int, 12, 31), facts.class_months, null
                    )
            else sletteplikt.last_day(decisions.anchor_on, decisions.period_months, decisions.period_days)
        end as unmoved_last_day
    from facts
    inner join decisions
        on facts.source_schema = decisions.source_schema
            and facts.source_table = decisions.source_table
            and facts.record_key = decisions.record_key
    where facts.review_reason is not null or decisions.is_amended
),

-- A decision settles a record under review; one that leads to no date settles nothing. A record that was taken
-- out of a plan has a clock of its own, which a decision can only lengthen: what has happened since counts.
settled as (
    select
        facts.*,
        corrected.decision,
        corrected.keep_until,
        -- What a person looks at, or has decided on, is not judged over their head.
        facts.is_as_purged and facts.review_reason is null
        and not coalesce(
            corrected.decision in ('review', 'anchor')
            or (corrected.decision = 'keep' and facts.as_of <= corrected.keep_until),
            false
        ) as is_resurrection,
        coalesce(
            case corrected.decision
                when 'keep'
                    then facts.as_of <= corrected.keep_until
                        and (facts.review_reason is not null or corrected.keep_until > facts.last_day)
                when 'anchor'
                    then corrected.unmoved_last_day is not null
                        and (facts.review_reason is not null or corrected.unmoved_last_day > facts.last_day)
                when 'purge' then facts.review_reason is not null
            end,
            false
        ) as is_settled,
        -- The row's own clock may run longer than that: what it lengthens then is the clock of the columns.
        coalesce(corrected.decision = 'keep' and facts.as_of <= corrected.keep_until, false) as is_kept_whole,
        case
            when corrected.decision = 'review' or (corrected.decision = 'anchor' and corrected.unmoved_last_day is null)
                then 'taken out of a plan for review'
        end as amended_reason,
        corrected.rule_id as decided_rule_id,
        corrected.category as decided_category,
        corrected.clause as decided_clause,
        corrected.anchor_on as decided_anchor_on,
        {{ on_working_day('corrected.unmoved_last_day', 'corrected.is_minimum', 'days') }} as decided_last_day,
        sletteplikt.local_date(corrected.decided_at) as decided_on
    from facts
    left join corrected on facts.row_id = corrected.row_id
    left join {{ ref('int_working_days') }} as days on corrected.unmoved_last_day = days.on_day
),

dated as (
    select
        settled.row_id,
        settled.source_schema,
        settled.source_table,
        settled.record_key,
        settled.subject_token,
        settled.case_id,
        settled.controller_role,
        settled.as_of,
        settled.policy_version,
        settled.due_soon_days,
        settled.disposition,
        settled.has_expired_columns,
        settled.has_restored_columns,
        settled.is_kept_whole,
        settled.is_held,
        settled.is_restricted,
        settled.locked_until,
        coalesce(settled.locked_until >= settled.as_of, false) as is_locked,
        settled.blocked_by,
        settled.event_id,
        settled.restarted_by_law,
        settled.idle_reason,
        settled.is_settled,
        settled.is_resurrection,
        settled.is_erased,
        settled.erased_on,
        settled.has_key,
        settled.decision,
        case
            -- It keeps the category of what it is.
            when settled.is_erased then settled.category
            when settled.is_resurrection then coalesce(settled.purged_category, settled.category)
            when settled.is_settled and settled.decision = 'anchor' then settled.decided_category
            else settled.category
        end as category,
        case
            when settled.is_erased then settled.erased_rule_id
            when settled.is_resurrection then settled.purged_rule_id
            when settled.is_settled and settled.decision = 'anchor' then settled.decided_rule_id
            else settled.rule_id
        end as rule_id,
        case
            when settled.is_erased then settled.erased_clause
            when settled.is_resurrection then coalesce(settled.purged_clause, settled.clause)
            when settled.is_settled and settled.decision = 'anchor' then settled.decided_clause
            else settled.clause
        end as clause,
        case
            when settled.is_erased then settled.erased_on
            when settled.is_resurrection then settled.purged_anchor_on
            when settled.is_settled and settled.decision = 'anchor' then settled.decided_anchor_on
            else settled.anchor_on
        end as anchor_on,
        case
            when settled.is_erased then settled.erased_on - 1
            when settled.locked_until is not null then settled.locked_until
            -- Its time had run out when it was purged; again it is due from the day it was found.
            when settled.is_resurrection then settled.found_on - 1
            when settled.is_settled and settled.decision = 'anchor' then settled.decided_last_day
            when settled.is_settled and settled.decision = 'purge' then settled.decided_on - 1
            when settled.is_settled and settled.decision = 'keep' then settled.keep_until
            else settled.last_day
        end as last_day,
        case when not settled.is_settled then coalesce(settled.review_reason, settled.amended_reason) end
            as review_reason
    from settled
)

select
    row_id,
    source_schema,
    source_table,
    record_key,
    subject_token,
    case_id,
    controller_role,
    category,
    rule_id,
    clause,
    policy_version,
    anchor_on,
    event_id,
    last_day,
    last_day + 1 as due_on,
    as_of,
    blocked_by,
    -- A hold on top of a lock or a restriction brings nothing back into use, nor does it show more.
    is_locked,
    is_restricted or is_locked as is_out_of_use,
    case when is_restricted then 'restricted' when is_locked then 'locked' end as out_of_use_as,
    case
        when is_held then 'held'
        when is_restricted then 'restricted'
        when locked_until >= as_of then 'locked'
        when is_erased or locked_until < as_of then 'overdue'
        when review_reason is not null then 'review'
        when is_resurrection then 'overdue'
        when rule_id = 'ACTIVE' or last_day is null then 'active'
        when as_of > last_day then 'overdue'
        when as_of > last_day - due_soon_days then 'due_soon'
        else 'retained'
    end as status,
    case
        when is_erased then 'purge'
        -- A lock ends with the purge that was approved with it, whatever else is known of the record by then.
        when locked_until < as_of and has_key then 'purge'
        when review_reason is not null then 'review'
        when is_resurrection then 'purge'
        -- A person who decided to keep the record kept all of it.
        when has_expired_columns and as_of <= last_day and not is_kept_whole then 'minimise'
        when is_settled and decision in ('purge', 'anchor') then 'purge'
        else disposition
    end as disposition,
    coalesce(
        case when is_erased then 'its erasure was decided on ' || erased_on end,
        case when locked_until < as_of then 'the hindrance of its lock has ended' end,
        review_reason,
        case when is_resurrection then 'it was purged before and landed again' end,
        idle_reason,
        case when is_settled then 'decided by a person' end,
        case
            when has_restored_columns and has_expired_columns
                then 'columns that were minimised hold values again: a sync restored them'
        end,
        'its clock was restarted on ' || anchor_on || ' by ' || restarted_by_law,
        'its clock starts with ' || event_id
    ) as reason
from dated
