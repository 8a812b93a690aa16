-- A policy that is tried, and one that is put into force.
set local role retention_owner;

-- What a purge `ahead` days from now would take of the classification of `suffix`, in counts: by table, rule and
-- disposition, what of it the policy leaves to a job, what waits for what. By the very text that freezes plans;
-- `tables` as `ledger.plannable` has it.
create or replace function ledger.purge_if(tables jsonb, suffix text default '', ahead integer default 0) returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp set work_mem = '128MB' set jit = off as $$
declare
    objection text;
    limits record;
    counted jsonb;
begin
    -- What is read with the owner's rights is the classifier's alone, whoever asks.
    if purge_if.suffix !~ '^(_as_of_\d{8})?$' or (
        select count(*) from pg_namespace as n
        where
            n.nspname in ('policy' || purge_if.suffix, 'intermediate' || purge_if.suffix, 'retention' || purge_if.suffix)
            and n.nspowner = 'retention_classifier'::regrole
    ) < 3 then
        raise exception 'there is no such classification' using errcode = 'SL002';
    end if;
    objection := ledger.unattended_objection(purge_if.suffix);
    execute format('select * from %I.policy_unattended', 'policy' || purge_if.suffix) into limits;
    with found as materialized (
        select * from ledger.plannable(purge_if.tables, ledger.today(), suffix => purge_if.suffix, ahead => purge_if.ahead)
    ),
    left_to_a_job as materialized (
        select case_id
        from ledger.unattended_cases(
            array(select distinct found.case_id from found where found.waits_for is null), purge_if.suffix, purge_if.ahead
        ) as cases (case_id)
    ),
    taken as materialized (
        select
            found.source_schema || '.' || found.source_table as qualified,
            found.rule_id,
            found.disposition,
            count(*) as records,
            count(left_to_a_job.case_id) as unattended,
            min(found.due_on) filter (where left_to_a_job.case_id is not null) as oldest_unattended,
            max(found.due_on) filter (where left_to_a_job.case_id is not null) as youngest_unattended
        from found
        left join left_to_a_job on found.case_id = left_to_a_job.case_id
        where found.waits_for is null
        group by found.source_schema, found.source_table, found.rule_id, found.disposition
    ),
    waiting as (
        select waits_for, count(*) as records from found where waits_for is not null group by waits_for
    ),
    shares as (
        select taken.qualified, sum(taken.unattended)::bigint as records, (
            select coalesce(sum(summary.records), 0)::bigint
            from retention.summary as summary
            where summary.source_schema || '.' || summary.source_table = taken.qualified
        ) as table_rows
        from taken
        group by taken.qualified
        having sum(taken.unattended) > 0
    )
    select jsonb_build_object(
        'records', (select coalesce(sum(taken.records), 0) from taken),
        'taken', (
            select coalesce(jsonb_agg(
                jsonb_build_object(
                    'table', qualified, 'rule', rule_id, 'disposition', disposition, 'records', records,
                    'unattended', unattended
                ) order by qualified, rule_id, disposition
            ), '[]') from taken
        ),
        'waiting', (select coalesce(jsonb_object_agg(waits_for, records), '{}') from waiting),
        'figures', jsonb_build_object(
            'records', (select coalesce(sum(unattended), 0) from taken),
            'most_records', limits.most_records,
            'tables', (
                select coalesce(jsonb_agg(
                    jsonb_build_object('table', qualified, 'records', records, 'table_rows', table_rows)
                    order by qualified collate "C"
                ), '[]')
                from shares
            ),
            'most_table_share_percent', limits.most_table_share_percent,
            'overdue_days', jsonb_build_object(
                'least', (select min(ledger.today() + ahead - youngest_unattended) from taken),
                'most', (select max(ledger.today() + ahead - oldest_unattended) from taken),
                'at_least', limits.at_least_days,
                'at_most', limits.at_most_days
            ),
            'never_purge', to_jsonb(coalesce(string_to_array(limits.never_purge, ' '), '{}')),
            'cases', (select count(*) from left_to_a_job),
            'cases_left_to_a_job', (select count(*) from left_to_a_job)
        )
    ) into counted;
    -- The whole of what a job may take waits for a person where it lies outside the policy's limits.
    objection := coalesce(objection, case
        when (counted -> 'figures' ->> 'records')::bigint > 0 then ledger.outside_radius(counted -> 'figures')
    end);
    return (counted - 'figures') || jsonb_build_object(
        'left_to_a_job', case when objection is null then counted -> 'figures' -> 'records' else to_jsonb(0) end,
        'needs_a_person_because', objection
    );
end
$$;

-- Why the policy that the records were classified by may not act by itself, or null. The text under which a warehouse
-- was first classified is in force by being installed; every other one is put into force by a person.
create or replace function ledger.policy_objection() returns text
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    in_force record;
begin
    select s.policy_version, s.policy_hash into in_force from policy.policy_settings as s;
    if not found
        or exists (select from ledger.policy_activations as a where a.policy_hash = in_force.policy_hash)
        or in_force.policy_hash is not distinct from coalesce((
            select e.body::jsonb ->> 'policy_hash'
            from ledger.entries as e
            where e.kind = 'policy' order by e.entry_id limit 1
        ), in_force.policy_hash)
    then
        return null;
    end if;
    return 'nobody put this text of the policy into force (' || in_force.policy_version || ', '
        || left(in_force.policy_hash, 12) || '): an approver does, with `retention policy activate '
        || in_force.policy_version || '`';
end
$$;

-- Puts a text of the policy into force, as the login that asks. What a what-if counted of it may be given: whole
-- numbers by name, nothing else.
create or replace function ledger.activate_policy(
    policy_version text,
    policy_hash text,
    effective_from date,
    reason text,
    counted jsonb default null,
    kind text default 'person'
) returns ledger.policy_activations
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    activated ledger.policy_activations;
begin
    if not ledger.is_member(session_user, 'retention_approver') then
        raise exception using errcode = 'SL003',
        message = 'this login may not activate a policy: an approver does (have retention_approver granted to one)';
    end if;
    if activate_policy.kind = 'demonstration' and not ledger.only_samples() then
        raise exception using errcode = 'SL003',
        message = 'the demonstration activates only where every landing schema bears the sample''s marker';
    end if;
    if coalesce(btrim(activate_policy.reason), '') = '' then
        raise exception using errcode = 'SL002', message = 'activating a policy needs a reason: give one';
    end if;
    if activate_policy.counted is not null and (
        jsonb_typeof(activate_policy.counted) <> 'object'
        or exists (
            select from jsonb_each(activate_policy.counted) as c (name, figure)
            where jsonb_typeof(c.figure) <> 'number' or c.figure::text !~ '^[0-9]{1,15}$'
        )
    ) then
        raise exception using errcode = 'SL002', message = 'what was counted is whole numbers by name';
    end if;
    lock table ledger.policy_activations in exclusive mode;
    if activate_policy.policy_hash = (
        select a.policy_hash from ledger.policy_activations as a order by a.activation_id desc limit 1
    ) then
        raise exception using errcode = 'SL003', message = 'this text of the policy is the one activated last: nothing to do';
    end if;
    insert into ledger.policy_activations (policy_version, policy_hash, effective_from, reason, counted, kind)
    values (
        activate_policy.policy_version, activate_policy.policy_hash, activate_policy.effective_from,
        activate_policy.reason, activate_policy.counted, activate_policy.kind
    )
    returning * into activated;
    perform ledger.append('policy_activation', jsonb_build_object(
        'policy_version', activated.policy_version,
        'policy_hash', activated.policy_hash,
        'effective_from', activated.effective_from,
        'reason_sha256', encode(sha256(convert_to(activated.reason, 'UTF8')), 'hex'),
        'counted', activated.counted,
        'kind', activated.kind,
        'activated_by', session_user
    ));
    return activated;
end
$$;

create or replace trigger policy_activations_are_append_only
before update or delete or truncate on ledger.policy_activations
for each statement execute function ledger.refuse_change();

grant select on ledger.policy_activations to retention_reader;
grant execute on function ledger.policy_objection to retention_reader, retention_purger;
grant execute on function ledger.activate_policy to retention_approver;
grant execute on function ledger.purge_if to retention_reader;

reset role;
