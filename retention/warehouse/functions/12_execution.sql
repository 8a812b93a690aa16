-- Starting an execution, the gate before each batch, and the end of a plan.
set local role retention_owner;

-- Held by a session for as long as it carries out a plan: a sign of life, which keeps nobody out.
create or replace function ledger.executor_lock() returns bigint
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return 1373142531;

-- Why nothing may be purged from the plan now, whoever asks; null where it may.
create or replace function ledger.execution_objection(plan ledger.plans, code_hash text, key_id text) returns text
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    return case
        when ledger.halt_objection() is not null then ledger.halt_objection()
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
                and e.body::jsonb ->> 'kind' = plan.approval_kind
        ) then 'there is no evidence of its approval'
        when plan.approval_kind = 'policy' and plan.scope <> 'unattended'
            then 'the policy approves no ordinary plan: a person does'
        when plan.approval_kind = 'decision' and plan.scope <> 'decided'
            then 'decisions approve the plan of what was decided alone: a person approves this one'
        when plan.approval_kind = 'policy' and ledger.unattended_objection() is not null
            then ledger.unattended_objection()
        when plan.expires_on < ledger.today()
            then 'the plan expired on ' || plan.expires_on || ': make a new one'
        when plan.key_id <> execution_objection.key_id
            then 'the HMAC key is not the one the plan was frozen with: give the key ' || plan.key_id
        when plan.code_hash <> execution_objection.code_hash
            then 'declarations or models changed since the plan was frozen: make a new one'
        when plan.policy_hash is distinct from (select s.policy_hash from policy.policy_settings as s)
            then 'the policy changed since the plan was frozen: make a new one'
        else ledger.classification_objection(execution_objection.code_hash)
    end;
end
$$;

-- Starts an execution: recomputes the digest from the frozen rows and takes the next fence number, which
-- shuts out every executor that began before. Returns the number, or why it was refused.
create or replace function ledger.begin_execution(
    plan_id uuid, code_hash text, key_id text, out fence bigint, out refusal text
)
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    plan ledger.plans;
begin
    select * into plan from ledger.plans as p where p.plan_id = begin_execution.plan_id for update;
    if not found then
        refusal := 'there is no such plan: `retention plan list` shows them';
        return;
    end if;
    refusal := ledger.execution_objection(plan, begin_execution.code_hash, begin_execution.key_id);
    if refusal is null
        and plan.digest is distinct from ledger.plan_digest(plan, ledger.tokens_root(plan.plan_id))
    then
        refusal := 'the plan''s rows were changed after it was frozen: reject it and look into it';
    end if;
    if refusal is null then
        update ledger.plans as p set fence = p.fence + 1 where p.plan_id = plan.plan_id
        returning p.fence into begin_execution.fence;
    end if;
end
$$;

-- The gate before each batch: locks the plan, and says why nothing may be purged from it now, or null.
create or replace function ledger.enter_plan(plan_id uuid, code_hash text, key_id text, fence bigint) returns text
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
    refusal := ledger.execution_objection(plan, enter_plan.code_hash, enter_plan.key_id);
    if refusal is null and plan.fence is distinct from enter_plan.fence then
        refusal := 'another purge of the plan was started since and has taken it over: let that one go on';
    end if;
    if refusal is null and plan.state = 'approved' then
        update ledger.plans as p
        set state = 'executing', started_at = now(), run_by = session_user
        where p.plan_id = plan.plan_id;
        perform ledger.append('execution_started', jsonb_build_object(
            'plan_id', plan.plan_id, 'fence', plan.fence, 'run_by', session_user
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
        perform ledger.withdraw_orders_of_plan(plan.plan_id, 'its plan expired');
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
        'run_by', session_user
    ));
    perform ledger.notify_of_purge(plan.plan_id);
    return true;
end
$$;

grant execute on function ledger.executor_lock to retention_reader, retention_purger;
grant execute on function ledger.begin_execution, ledger.enter_plan, ledger.finish_plan to retention_purger;

reset role;
