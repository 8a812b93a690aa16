-- The control persons: keeping what became of them, and approving their plan.
set local role retention_owner;

create or replace function ledger.record_controls(
    as_of date, code_hash text, policy_hash text, passed boolean, outcomes jsonb
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    recorded bigint;
begin
    insert into ledger.control_runs (as_of, code_hash, policy_hash, passed, outcomes)
    values (
        record_controls.as_of, record_controls.code_hash, record_controls.policy_hash,
        record_controls.passed, record_controls.outcomes
    )
    returning control_run_id into recorded;
    perform ledger.append('controls', jsonb_build_object(
        'control_run_id', recorded, 'as_of', record_controls.as_of, 'code_hash', record_controls.code_hash,
        'policy_hash', record_controls.policy_hash, 'passed', record_controls.passed,
        'outcomes', record_controls.outcomes, 'run_by', session_user
    ));
    return recorded;
end
$$;

-- Approves a plan of control persons. Only in the database that was made for them, which holds nobody
-- else: its name and the comment that its maker gave it say so.
create or replace function ledger.approve_controls(plan_id uuid) returns text
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    plan ledger.plans;
begin
    if current_database() not like '%\_controls' or not exists (
        select from pg_database
        where datname = current_database() and shobj_description(oid, 'pg_database') = 'sletteplikt controls'
    ) then
        return 'this is not the database of the controls: a person approves here';
    end if;
    select * into plan from ledger.plans as p where p.plan_id = approve_controls.plan_id for update;
    if not found or plan.state <> 'proposed' then
        return 'there is no such plan that waits for an approval';
    end if;
    update ledger.plans as p
    set state = 'approved', approved_by = 'the controls', approved_at = now(), approval_kind = 'control'
    where p.plan_id = plan.plan_id;
    perform ledger.append('approval', jsonb_build_object(
        'plan_id', plan.plan_id, 'digest', plan.digest, 'kind', 'control', 'approved_by', 'the controls'
    ));
    return null;
end
$$;

grant execute on function ledger.record_controls to retention_classifier;
grant execute on function ledger.approve_controls to retention_planner;

reset role;
