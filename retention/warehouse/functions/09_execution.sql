-- The gate before each batch, and the end of a plan.
set local role retention_owner;

-- The gate before each batch: locks the plan, and says why nothing may be purged from it now, or null.
-- `recount` also recomputes the digest from the frozen rows; a purge asks for it once, at its start.
create or replace function ledger.enter_plan(plan_id uuid, code_hash text, key_id text, recount boolean) returns text
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    plan ledger.plans;
    refusal text;
begin
    select * into plan from ledger.plans as p where p.plan_id = enter_plan.plan_id for update;
    if not found then
        return 'there is no such plan: `retention plan list` shows them';
    end if;
    refusal := case
        when plan.state = 'executed' then 'the plan was carried out on ' || plan.executed_at::date
        when plan.state not in ('approved', 'executing')
            then 'the plan is ' || plan.state || ': only an approved one is carried out'
        when plan.approved_by = plan.planned_by then 'planner and approver are the same login'
        when not exists (
            select from ledger.entries as e
            where
                e.kind = 'approval'
                and e.body::jsonb ? 'plan_id'
                and e.body::jsonb ->> 'plan_id' = plan.plan_id::text
                and e.body::jsonb ->> 'digest' = plan.digest
        ) then 'there is no evidence of its approval'
        when plan.expires_on < ledger.today()
            then 'the plan expired on ' || plan.expires_on || ': make a new one'
        when plan.key_id <> enter_plan.key_id
            then 'the HMAC key is not the one the plan was frozen with: give the key ' || plan.key_id
        when plan.code_hash <> enter_plan.code_hash
            then 'declarations or models changed since the plan was frozen: make a new one'
        when plan.policy_hash is distinct from (select s.policy_hash from policy.policy_settings as s)
            then 'the policy changed since the plan was frozen: make a new one'
        else ledger.classification_objection(enter_plan.code_hash)
    end;
    if refusal is null and recount
        and plan.digest is distinct from ledger.plan_digest(plan, ledger.tokens_root(plan.plan_id))
    then
        refusal := 'the plan''s rows were changed after it was frozen: reject it and look into it';
    end if;
    if refusal is null and plan.state = 'approved' then
        update ledger.plans as p
        set state = 'executing', started_at = now(), run_by = session_user
        where p.plan_id = plan.plan_id;
        perform ledger.append('execution_started', jsonb_build_object(
            'plan_id', plan.plan_id, 'run_by', session_user, 'at', ledger.iso_time(now())
        ));
    end if;
    return refusal;
end
$$;

-- The end of an execution: nothing is planned any more. An expired plan is ended too; what was left of it
-- is skipped.
create or replace function ledger.finish_plan(plan_id uuid) returns boolean
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    plan ledger.plans;
begin
    select * into plan from ledger.plans as p where p.plan_id = finish_plan.plan_id for update;
    if not found or plan.state not in ('approved', 'executing') then
        return false;
    end if;
    if plan.expires_on < ledger.today() then
        if plan.state = 'approved' then
            perform ledger.close_plan(plan.plan_id, 'expired', 'planned', 'withdrawn');
            return true;
        end if;
        update ledger.plan_items as i
        set state = 'skipped', skip_reason = 'the plan expired'
        where i.plan_id = plan.plan_id and i.state = 'planned';
    end if;
    if exists (select from ledger.plan_items as i where i.plan_id = plan.plan_id and i.state = 'planned') then
        return false;
    end if;
    update ledger.plan_items as i
    set record_key = null, case_id = null, subject_token = null, guard_keys = '{}'
    where i.plan_id = plan.plan_id and i.record_key is not null;
    update ledger.plans as p
    set state = 'executed', executed_at = now()
    where p.plan_id = plan.plan_id;
    perform ledger.append('executed', jsonb_build_object(
        'plan_id', plan.plan_id,
        'purged', (select count(*) from ledger.plan_items as i where i.plan_id = plan.plan_id and i.state = 'purged'),
        'minimised', (
            select count(*) from ledger.plan_items as i
            where i.plan_id = plan.plan_id and i.state = 'minimised'
        ),
        'skipped', coalesce((
            select jsonb_object_agg(skip_reason, records)
            from (
                select i.skip_reason, count(*) as records
                from ledger.plan_items as i
                where i.plan_id = plan.plan_id and i.state = 'skipped'
                group by i.skip_reason
            ) as counted
        ), '{}'),
        'batches', (
            select count(distinct i.batch_no) from ledger.plan_items as i where i.plan_id = plan.plan_id
        ),
        'run_by', session_user, 'at', ledger.iso_time(now())
    ));
    return true;
end
$$;

grant execute on function ledger.enter_plan, ledger.finish_plan to retention_purger;

reset role;
