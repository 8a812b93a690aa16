-- Plans: which rows may be planned, the one function that freezes them, approval, and the gate before
-- each batch. Rule ids here name the engine's own rules (R1 and R2 run from the lead's own date).
set local role retention_owner;

-- Overdue records, each with the reason why it must wait, or null where it may be purged now.
--
-- `tables` describes the declared tables: [{source_schema, source_table, position, refused, is_person,
-- is_lead, is_anchor, is_assignment, keeps}]; keeps is 'person' or 'assignment' where the table's rows
-- stand on facts of that kind, and null where they have an anchor of their own.
--
-- Facts outlive their evidence (requirements § 2), in three steps, each on what the step before left:
-- an assignment's own rows wait for every record that follows the assignment; a lead under R1 or R2 waits
-- for the other leads of the same hand-over, because their date is the first one's; a person's row, its
-- contacts, hand-overs and the leads that follow it wait for every record of the case that stands on them.
--
-- With `plan`, only its items from `first_item` to `last_item` that are still planned are candidates: what
-- a batch may purge after some of its items were skipped is decided by this same text.
create function ledger.plannable(
    tables jsonb,
    as_of date,
    plan uuid default null,
    first_item bigint default null,
    last_item bigint default null
) returns table (
    source_schema text,
    source_table text,
    record_key text,
    case_id text,
    assignment_id text,
    subject_token uuid,
    case_fingerprint text,
    category text,
    rule_id text,
    disposition text,
    anchor_on date,
    due_on date,
    "position" integer,
    waits_for text
)
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    candidates text;
    scope text;
begin
    if plan is null then
        candidates := 'records.status = ''overdue'' and records.disposition = ''purge'' and records.as_of = $2';
        scope := 'true';
    else
        candidates := 'items.item_no is not null';
        scope := 'cases.case_id in (select case_id from items)
            or cases.assignment_id in (
                select own.assignment_id
                from items
                inner join intermediate.int_record_cases as own using (source_schema, source_table, record_key)
            )';
    end if;
    return query execute replace(replace($sql$
        with declared as materialized (
            select * from jsonb_to_recordset($1) as t (
                source_schema text, source_table text, "position" integer, refused text, is_person boolean,
                is_lead boolean, is_anchor boolean, is_assignment boolean, keeps text
            )
        ),
        guarded as materialized (
            select guard_key from ledger.guards where blockers > 0
        ),
        records_guarded as materialized (
            select guard_key || ':' || unnest(records) as record_guard from ledger.guards where records <> '{}'
        ),
        items as materialized (
            select item_no, source_schema, source_table, record_key, case_id
            from ledger.plan_items
            where plan_id = $3 and item_no between $4 and $5 and state = 'planned'
        ),
        base as materialized (
            select
                cases.source_schema,
                cases.source_table,
                cases.record_key,
                cases.case_id,
                cases.assignment_id,
                cases.subject_token,
                fingerprints.fingerprint,
                records.category,
                records.rule_id,
                records.disposition,
                records.anchor_on,
                records.due_on,
                declared.position,
                declared.is_lead,
                declared.is_assignment,
                declared.keeps,
                declared.is_anchor or (declared.is_lead and records.rule_id not in ('R1', 'R2')) as is_anchor,
                case
                    when declared.source_table is null then 'its table is not declared'
                    when declared.refused is not null then declared.refused
                    when
                        'subject:' || cases.subject_token::text in (select guard_key from guarded)
                        or 'assignment:' || cases.assignment_id in (select guard_key from guarded)
                        or 'table:' || cases.source_schema || '.' || cases.source_table in (select guard_key from guarded)
                        or 'table:' || cases.source_schema || '.' || cases.source_table || ':' || cases.record_key
                        in (select record_guard from records_guarded)
                        then 'held, restricted or locked since the classification'
                end as refused,
                coalesce(/*candidates*/, false) as is_overdue
            from intermediate.int_record_cases as cases
            inner join retention.records as records using (source_schema, source_table, record_key)
            inner join intermediate.int_case_fingerprints as fingerprints on cases.case_id = fingerprints.case_id
            left join declared using (source_schema, source_table)
            left join items using (source_schema, source_table, record_key)
            where /*scope*/
        ),
        assignments_kept as (
            select assignment_id from base
            where keeps = 'assignment' and assignment_id is not null and (refused is not null or not is_overdue)
            group by assignment_id
        ),
        after_assignments as materialized (
            select
                base.*,
                case
                    when not base.is_overdue then 'not due'
                    when base.refused is not null then base.refused
                    when base.is_assignment and assignments_kept.assignment_id is not null
                        then 'its assignment has records that stay'
                end as waits
            from base
            left join assignments_kept on base.assignment_id = assignments_kept.assignment_id
        ),
        leads_kept as (
            select case_id, rule_id, anchor_on from after_assignments
            where is_lead and waits is not null
            group by case_id, rule_id, anchor_on
        ),
        after_leads as materialized (
            select
                after_assignments.*,
                case
                    when after_assignments.waits is not null then after_assignments.waits
                    when after_assignments.is_lead and leads_kept.case_id is not null
                        then 'another lead of the same hand-over stays'
                end as waits_now
            from after_assignments
            left join leads_kept
                on after_assignments.case_id = leads_kept.case_id
                and after_assignments.rule_id = leads_kept.rule_id
                and after_assignments.anchor_on = leads_kept.anchor_on
        ),
        cases_kept as (
            select case_id from after_leads
            where keeps is not null and waits_now is not null
            group by case_id
        )
        select
            after_leads.source_schema,
            after_leads.source_table,
            after_leads.record_key,
            after_leads.case_id,
            after_leads.assignment_id,
            after_leads.subject_token,
            after_leads.fingerprint,
            after_leads.category,
            after_leads.rule_id,
            after_leads.disposition,
            after_leads.anchor_on,
            after_leads.due_on,
            after_leads.position,
            case
                when after_leads.waits_now is not null then after_leads.waits_now
                when after_leads.is_anchor and cases_kept.case_id is not null
                    then 'other records stand on what it shows'
            end as waits_for
        from after_leads
        left join cases_kept on after_leads.case_id = cases_kept.case_id
        where after_leads.is_overdue
    $sql$, '/*candidates*/', candidates), '/*scope*/', scope)
    using tables, as_of, plan, first_item, last_item;
end
$$;

-- The hash over every frozen row: 'schema.table|token|disposition' in byte order, a line each.
create function ledger.tokens_root(plan uuid) returns text
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select encode(sha256(convert_to(coalesce(string_agg(line, E'\n' order by line), ''), 'UTF8')), 'hex')
    from (
        select
            (source_schema || '.' || source_table || '|' || encode(token, 'hex') || '|' || disposition)
                collate "C" as line
        from ledger.plan_items
        where plan_id = plan
    ) as lines
$$;

-- Promise 3: the digest covers the rows, the policy, the as-of date and the code that classified.
create function ledger.plan_digest(plan ledger.plans, root text) returns text
language sql immutable
set search_path = pg_catalog, ledger, pg_temp
return encode(sha256(convert_to(ledger.canonical_json(jsonb_build_object(
    'as_of', (plan).as_of,
    'policy_version', (plan).policy_version,
    'policy_hash', (plan).policy_hash,
    'code_hash', (plan).code_hash,
    'tokens_root', root
)), 'UTF8')), 'hex');

-- Why nothing may be planned or purged on the last classification, or null where it may.
create function ledger.classification_objection(code_hash text) returns text
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    last ledger.classifications;
    hash_in_force text;
begin
    select * into last from ledger.classifications order by classification_id desc limit 1;
    if not found then
        return 'nothing was classified yet: `retention run` does';
    end if;
    if last.finished_at is null then
        return 'a classification is going on, or was cut short: wait for it, or run `retention run`';
    end if;
    if last.as_of <> ledger.today() then
        return 'the records were classified as of ' || last.as_of || ', not today: run `retention run` first';
    end if;
    if last.code_hash <> classification_objection.code_hash then
        return 'declarations or models changed since the records were classified: run `retention run` first';
    end if;
    if last.marked_schemas <> ledger.marked_schemas() then
        return 'the sample''s marker was set or taken away since the records were classified:'
            || ' run `retention run` first';
    end if;
    select policy_hash into hash_in_force from policy.policy_settings;
    if last.policy_hash is distinct from hash_in_force then
        return 'the policy changed since the records were classified: run `retention run` first';
    end if;
    return null;
end
$$;

-- The one writer of a plan. `key_tables`, `inner_pads` and `outer_pads` are the derived keys, a table each:
-- bound, used for the tokens (HMAC-SHA-256), kept nowhere.
create function ledger.freeze_plan(
    tables jsonb,
    key_tables text[],
    inner_pads bytea[],
    outer_pads bytea[],
    key_id text,
    key_epoch integer,
    code_hash text
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    objection text := ledger.classification_objection(freeze_plan.code_hash);
    plan ledger.plans;
begin
    if current_setting('transaction_isolation') <> 'repeatable read' then
        raise exception using errcode = 'SL003',
        message = 'a plan is frozen in one repeatable-read transaction, so that it shows one moment';
    end if;
    if objection is not null then
        raise exception using errcode = 'SL003', message = objection;
    end if;

    perform ledger.lift_ended_locks();
    perform ledger.close_plan(p.plan_id, 'expired', 'planned', 'withdrawn')
    from ledger.plans as p where p.state in ('proposed', 'approved') and p.expires_on < ledger.today();
    perform ledger.close_plan(p.plan_id, 'superseded', 'planned', 'withdrawn')
    from ledger.plans as p where p.state = 'proposed';

    insert into ledger.plans (
        as_of, classification_id, policy_version, policy_hash, code_hash, key_id, key_epoch, state, expires_on
    )
    select
        last.as_of, last.classification_id, settings.policy_version, settings.policy_hash,
        freeze_plan.code_hash, freeze_plan.key_id, freeze_plan.key_epoch, 'proposed',
        last.as_of + settings.plan_valid_days
    from (select * from ledger.classifications order by classification_id desc limit 1) as last
    cross join policy.policy_settings as settings
    returning * into plan;

    with found as materialized (
        select * from ledger.plannable(freeze_plan.tables, plan.as_of)
    ),
    written as (
        insert into ledger.plan_items (
            plan_id, item_no, source_schema, source_table, record_key, token, case_id, subject_token,
            case_fingerprint, guard_keys, category, rule_id, disposition, anchor_on, due_on
        )
        select
            plan.plan_id,
            -- Whole cases side by side, children before parents. Records of nobody known come first: what
            -- belongs to an assignment goes before the assignment itself, which stands in a person's case.
            row_number() over (
                order by
                    found.subject_token is not null, found.case_id, found."position", found.source_schema,
                    found.source_table, found.record_key
            ),
            found.source_schema, found.source_table, found.record_key,
            sha256(keys.outer_pad || sha256(keys.inner_pad || convert_to(found.record_key, 'UTF8'))),
            found.case_id, found.subject_token, found.case_fingerprint,
            array_remove(array[
                'subject:' || found.subject_token::text,
                'assignment:' || found.assignment_id,
                'table:' || found.source_schema || '.' || found.source_table
            ], null),
            found.category, found.rule_id, found.disposition, found.anchor_on, found.due_on
        from found
        inner join unnest(freeze_plan.key_tables, freeze_plan.inner_pads, freeze_plan.outer_pads)
            as keys (qualified, inner_pad, outer_pad)
            on found.source_schema || '.' || found.source_table = keys.qualified
        where found.waits_for is null
        returning 1
    ),
    waiting as (
        select jsonb_object_agg(reason, records) as reasons
        from (
            select waits_for as reason, count(*) as records
            from found where waits_for is not null group by waits_for
        ) as counted
    )
    update ledger.plans as p
    set
        items = (select count(*) from written),
        waiting = coalesce((select reasons from waiting), '{}')
    where p.plan_id = plan.plan_id
    returning * into plan;

    -- The planner knows nothing of rows that were just written, and every batch joins them.
    analyze ledger.plan_items;

    insert into ledger.guards (guard_key)
    select distinct unnest(guard_keys) from ledger.plan_items where plan_id = plan.plan_id
    order by 1
    on conflict do nothing;

    update ledger.plans as p
    set
        tokens_root = ledger.tokens_root(plan.plan_id),
        digest = ledger.plan_digest(plan, ledger.tokens_root(plan.plan_id)),
        state = case when plan.items = 0 then 'empty' else 'proposed' end
    where p.plan_id = plan.plan_id
    returning * into plan;

    perform ledger.append('plan', jsonb_build_object(
        'plan_id', plan.plan_id, 'as_of', plan.as_of, 'policy_version', plan.policy_version,
        'policy_hash', plan.policy_hash, 'code_hash', plan.code_hash, 'key_id', plan.key_id,
        'key_epoch', plan.key_epoch, 'tokens_root', plan.tokens_root, 'digest', plan.digest,
        'items', plan.items, 'waiting', plan.waiting, 'counts', ledger.plan_counts(plan.plan_id),
        'planned_by', plan.planned_by, 'expires_on', plan.expires_on, 'at', ledger.iso_time(plan.planned_at)
    ));
    return plan.plan_id;
end
$$;

-- What a plan holds, counted per table and rule.
create function ledger.plan_counts(plan uuid) returns jsonb
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select coalesce(jsonb_agg(
        jsonb_build_object('table', qualified, 'rule_id', rule_id, 'records', records)
        order by qualified collate "C", rule_id collate "C"
    ), '[]')
    from (
        select source_schema || '.' || source_table as qualified, rule_id, count(*) as records
        from ledger.plan_items where plan_id = plan
        group by source_schema, source_table, rule_id
    ) as counted
$$;

-- Ends a plan that is not executed: its items keep their tokens and lose their keys.
create function ledger.close_plan(plan uuid, final_state text, from_item_state text, to_item_state text) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    update ledger.plan_items
    set state = to_item_state, record_key = null, case_id = null, subject_token = null, guard_keys = '{}'
    where plan_id = plan and state = from_item_state;
    update ledger.plans set state = final_state where plan_id = plan;
    perform ledger.append('plan_closed', jsonb_build_object(
        'plan_id', plan, 'state', final_state, 'by', session_user, 'at', ledger.iso_time(now())
    ));
end
$$;

-- Membership as granted: pg_has_role would say yes to every superuser.
create function ledger.is_member(login name, of_role name) returns boolean
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
create function ledger.approve_plan(plan_id uuid, digest text, kind text default 'person') returns text
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
            'plan_id', plan.plan_id, 'of', 'approval', 'reason', refusal, 'by', session_user,
            'at', ledger.iso_time(now())
        ));
        return refusal;
    end if;
    update ledger.plans as p
    set state = 'approved', approved_by = session_user, approved_at = now(), approval_kind = approve_plan.kind
    where p.plan_id = plan.plan_id;
    perform ledger.append('approval', jsonb_build_object(
        'plan_id', plan.plan_id, 'digest', plan.digest, 'kind', approve_plan.kind,
        'approved_by', session_user, 'at', ledger.iso_time(now())
    ));
    return null;
end
$$;

create function ledger.reject_plan(plan_id uuid, reason text) returns text
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

-- The gate before each batch: locks the plan, and says why nothing may be purged from it now, or null.
-- `recount` also recomputes the digest from the frozen rows; a purge asks for it once, at its start.
create function ledger.enter_plan(plan_id uuid, code_hash text, key_id text, recount boolean) returns text
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
create function ledger.finish_plan(plan_id uuid) returns boolean
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

revoke all on function ledger.plannable, ledger.tokens_root, ledger.plan_digest,
ledger.classification_objection, ledger.freeze_plan, ledger.plan_counts, ledger.close_plan, ledger.is_member,
ledger.approve_plan, ledger.reject_plan, ledger.enter_plan, ledger.finish_plan from public;
grant execute on function ledger.plannable, ledger.classification_objection, ledger.plan_counts
to retention_reader, retention_purger;
grant execute on function ledger.freeze_plan, ledger.enter_plan, ledger.finish_plan to retention_purger;
grant execute on function ledger.approve_plan, ledger.reject_plan to retention_approver;
grant execute on function ledger.reject_plan to retention_purger;

reset role;
