-- Four eyes: who may approve or reject a plan.
set local role retention_owner;

-- Membership as granted: pg_has_role would say yes to every superuser.
create or replace function ledger.is_member(login name, of_role name) returns boolean
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    with recursive held (role_oid) as (
        select oid from pg_roles where rolname = login
        union
        select m.roleid from pg_auth_members as m inner join held on m.member = held.role_oid
    )
    select exists (
        select from held inner join pg_roles on held.role_oid = pg_roles.oid where rolname = of_role
    )
$$;

-- Approves a plan as the login that asks. Returns null, or why it was refused; a refusal is evidence too,
-- so it must not undo itself by raising.
create or replace function ledger.approve_plan(plan_id uuid, digest text, kind text default 'person') returns text
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    plan ledger.plans;
    refusal text;
begin
    select * into plan from ledger.plans as p where p.plan_id = approve_plan.plan_id for update;
    if not found then
        return 'there is no such plan: `retention plan list` shows them';
    end if;
    refusal := case
        when coalesce(approve_plan.kind, '') not in ('person', 'demonstration')
            then 'an approval is a person''s or the demonstration''s'
        when not ledger.is_member(session_user, 'retention_approver')
            then 'this login may not approve: have an administrator grant retention_approver to it'
        when plan.planned_by = session_user
            then 'planner and approver are the same login: approve as another one'
        when plan.state <> 'proposed' then 'the plan is ' || plan.state || ', not proposed'
        when plan.expires_on < ledger.today()
            then 'the plan expired on ' || plan.expires_on || ': make a new one'
        when plan.digest is distinct from lower(btrim(approve_plan.digest))
            then 'the digest is not this plan''s: `retention plan show` prints it'
        when plan.digest is distinct from ledger.plan_digest(plan, ledger.tokens_root(plan.plan_id))
            then 'the plan''s rows were changed after it was frozen: reject it and look into it'
        when approve_plan.kind = 'demonstration' and not ledger.only_samples()
            then 'the demonstration approves only where every landing schema bears the sample''s marker'
    end;
    if refusal is not null then
        perform ledger.append('refusal', jsonb_build_object(
            'plan_id', plan.plan_id, 'of', 'approval', 'reason', refusal, 'by', session_user
        ));
        return refusal;
    end if;
    update ledger.plans as p
    set state = 'approved', approved_by = session_user, approved_at = now(), approval_kind = approve_plan.kind
    where p.plan_id = plan.plan_id;
    perform ledger.append('approval', jsonb_build_object(
        'plan_id', plan.plan_id, 'digest', plan.digest, 'kind', approve_plan.kind,
        'approved_by', session_user
    ));
    return null;
end
$$;

create or replace function ledger.reject_plan(plan_id uuid, reason text) returns text
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    plan ledger.plans;
    refusal text;
begin
    select * into plan from ledger.plans as p where p.plan_id = reject_plan.plan_id for update;
    if not found then
        return 'there is no such plan: `retention plan list` shows them';
    end if;
    refusal := case
        when not ledger.is_member(session_user, 'retention_approver') and plan.planned_by <> session_user
            then 'this login may not reject: its planner and approvers may'
        when plan.state not in ('proposed', 'approved') then 'the plan is ' || plan.state || ': it cannot be rejected'
        when coalesce(btrim(reject_plan.reason), '') = '' then 'a rejection needs a reason'
    end;
    if refusal is not null then
        return refusal;
    end if;
    update ledger.plans as p
    set
        rejected_by = session_user, rejected_at = now(), reject_reason = reject_plan.reason
    where p.plan_id = plan.plan_id;
    perform ledger.close_plan(plan.plan_id, 'rejected', 'planned', 'withdrawn');
    return null;
end
$$;

grant execute on function ledger.approve_plan, ledger.reject_plan to retention_approver;
-- Planners may reject what they planned.
grant execute on function ledger.reject_plan to retention_planner;

reset role;
