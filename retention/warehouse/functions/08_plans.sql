-- The one function that freezes a plan, and what the digest covers.
set local role retention_owner;

-- The hash over every frozen row: 'schema.table|token|disposition' in byte order, a line each. A row that an
-- approver took out of the plan is none of them.
create or replace function ledger.tokens_root(plan uuid) returns text
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select encode(sha256(convert_to(coalesce(string_agg(line, E'\n' order by line), ''), 'UTF8')), 'hex')
    from (
        select
            (source_schema || '.' || source_table || '|' || encode(token, 'hex') || '|' || disposition)
                collate "C" as line
        from ledger.plan_items
        where plan_id = plan and state <> 'withdrawn'
    ) as lines
$$;

-- Promise 3: the digest covers the rows, the policy, the as-of date and the code that classified; and the
-- scope, so that no ordinary plan becomes one that the policy approves.
create or replace function ledger.plan_digest(plan ledger.plans, root text) returns text
language sql immutable
set search_path = pg_catalog, ledger, pg_temp
return encode(sha256(convert_to(ledger.canonical_json(jsonb_build_object(
    'as_of', (plan).as_of,
    'policy_version', (plan).policy_version,
    'policy_hash', (plan).policy_hash,
    'code_hash', (plan).code_hash,
    'scope', (plan).scope,
    'tokens_root', root
)), 'UTF8')), 'hex');

-- Why nothing may be planned or purged on the last classification, or null where it may.
create or replace function ledger.classification_objection(code_hash text) returns text
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
--
-- A plan of scope 'unattended' holds the cases that the policy leaves to a job, one of scope 'decided' the records
-- whose erasure was decided. The scopes of one night stand side by side: none ends another, and none holds a record
-- that stands in another.
create or replace function ledger.freeze_plan(
    tables jsonb,
    key_tables text[],
    inner_pads bytea[],
    outer_pads bytea[],
    key_id text,
    key_epoch integer,
    code_hash text,
    scope text
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
    if freeze_plan.scope = 'unattended' then
        objection := coalesce(objection, ledger.unattended_objection());
    end if;
    if objection is not null then
        raise exception using errcode = 'SL003', message = objection;
    end if;

    perform ledger.lift_ended_locks();
    perform ledger.close_plan(p.plan_id, 'expired', 'planned', 'withdrawn')
    from ledger.plans as p where p.state in ('proposed', 'approved') and p.expires_on < ledger.today();
    perform ledger.close_plan(p.plan_id, 'superseded', 'planned', 'withdrawn')
    from ledger.plans as p
    where
        p.state = 'proposed'
        and (
            p.scope = freeze_plan.scope
            or p.classification_id <> (select max(c.classification_id) from ledger.classifications as c)
        );

    insert into ledger.plans (
        as_of, classification_id, policy_version, policy_hash, code_hash, key_id, key_epoch, state, scope,
        expires_on
    )
    select
        last.as_of, last.classification_id, settings.policy_version, settings.policy_hash,
        freeze_plan.code_hash, freeze_plan.key_id, freeze_plan.key_epoch, 'proposed', freeze_plan.scope,
        last.as_of + settings.plan_valid_days
    from (select * from ledger.classifications order by classification_id desc limit 1) as last
    cross join policy.policy_settings as settings
    returning * into plan;

    with overdue as materialized (
        select * from ledger.plannable(freeze_plan.tables, plan.as_of, scope => plan.scope)
    ),
    -- What a decision changes in a case would be a change of facts to every other plan that holds the case.
    decided_cases as materialized (
        select distinct taken.case_id
        from ledger.plans as other
        inner join ledger.plan_items as taken on other.plan_id = taken.plan_id
        where
            other.scope = 'decided' and plan.scope <> 'decided'
            and other.classification_id = plan.classification_id
            and other.state in ('proposed', 'approved', 'executing')
            and taken.state = 'planned'
    ),
    found as materialized (
        select
            overdue.*,
            coalesce(
                overdue.waits_for,
                case
                    when overdue.case_id in (select case_id from decided_cases)
                        then 'its case stands in a plan of what was decided'
                end
            ) as waiting_for
        from overdue
        where
            case
                when plan.scope = 'unattended'
                    then overdue.case_id in (
                        select ledger.unattended_cases(array(select distinct case_id from overdue))
                    )
                else true
            end
            and not exists (
                select
                from ledger.plans as other
                inner join ledger.plan_items as taken on other.plan_id = taken.plan_id
                where
                    other.scope <> plan.scope
                    and other.classification_id = plan.classification_id
                    and other.state in ('proposed', 'approved', 'executing')
                    and taken.state = 'planned'
                    and taken.source_schema = overdue.source_schema
                    and taken.source_table = overdue.source_table
                    and taken.record_key = overdue.record_key
            )
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
        where found.waiting_for is null
        returning 1
    ),
    waiting as (
        select jsonb_object_agg(reason, records) as reasons
        from (
            select waiting_for as reason, count(*) as records
            from found where waiting_for is not null group by waiting_for
        ) as counted
    )
    update ledger.plans as p
    set
        items = (select count(*) from written),
        waiting = coalesce((select reasons from waiting), '{}')
    where p.plan_id = plan.plan_id
    returning * into plan;

    perform ledger.guard_candidates(plan.plan_id);

    -- The planner knows nothing of rows that were just written, and every batch joins them.
    analyze ledger.plan_items;
    perform ledger.note_partners(plan.plan_id);

    insert into ledger.guards (guard_key)
    select distinct unnest(guard_keys) from ledger.plan_items where plan_id = plan.plan_id
    order by 1
    on conflict do nothing;

    insert into ledger.plan_keys (
        plan_id, source_schema, source_table, columns, is_personal, minimisable, consented
    )
    select
        plan.plan_id, declared.source_schema, declared.source_table, declared.key, declared.key_is_personal,
        declared.minimisable, declared.consented
    from jsonb_to_recordset(freeze_plan.tables) as declared (
        source_schema text, source_table text, key text[], key_is_personal boolean, minimisable text[],
        consented text[]
    )
    where exists (
        select from ledger.plan_items as i
        where
            i.plan_id = plan.plan_id and i.source_schema = declared.source_schema
            and i.source_table = declared.source_table
    );

    update ledger.plans as p
    set
        tokens_root = ledger.tokens_root(plan.plan_id),
        digest = ledger.plan_digest(plan, ledger.tokens_root(plan.plan_id)),
        state = case when plan.items = 0 then 'empty' else 'proposed' end
    where p.plan_id = plan.plan_id
    returning * into plan;

    perform ledger.append('plan', jsonb_build_object(
        'plan_id', plan.plan_id, 'scope', plan.scope, 'as_of', plan.as_of,
        'policy_version', plan.policy_version, 'policy_hash', plan.policy_hash, 'code_hash', plan.code_hash, 'key_id', plan.key_id,
        'key_epoch', plan.key_epoch, 'tokens_root', plan.tokens_root, 'digest', plan.digest,
        'items', plan.items, 'waiting', plan.waiting, 'counts', ledger.plan_counts(plan.plan_id),
        'planned_by', plan.planned_by, 'expires_on', plan.expires_on
    ));
    return plan.plan_id;
end
$$;

-- What a plan holds, counted per table, rule and disposition.
create or replace function ledger.plan_counts(plan uuid) returns jsonb
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select coalesce(jsonb_agg(
        jsonb_build_object(
            'table', qualified, 'rule_id', rule_id, 'disposition', disposition, 'records', records
        )
        order by qualified collate "C", rule_id collate "C", disposition collate "C"
    ), '[]')
    from (
        select source_schema || '.' || source_table as qualified, rule_id, disposition, count(*) as records
        from ledger.plan_items where plan_id = plan and state <> 'withdrawn'
        group by source_schema, source_table, rule_id, disposition
    ) as counted
$$;

-- Ends a plan that is not executed: its items keep their tokens and lose their keys.
create or replace function ledger.close_plan(plan uuid, final_state text, from_item_state text, to_item_state text) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    update ledger.plan_items
    set state = to_item_state, record_key = null, case_id = null, subject_token = null, guard_keys = '{}'
    where plan_id = plan and state = from_item_state;
    delete from ledger.plan_partners where plan_id = plan;
    update ledger.plans set state = final_state where plan_id = plan;
    if final_state = 'rejected' then
        perform ledger.withdraw_orders_of_plan(plan, 'its plan was rejected');
    end if;
    perform ledger.append('plan_closed', jsonb_build_object(
        'plan_id', plan, 'state', final_state, 'by', session_user
    ));
end
$$;

grant execute on function ledger.classification_objection, ledger.plan_counts
to retention_reader, retention_purger;
grant execute on function ledger.freeze_plan to retention_planner;

reset role;
