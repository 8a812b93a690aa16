-- What an approver may answer besides yes and no: keep a case until a new date, or have a person review it.
set local role retention_owner;

-- Takes the case of a record out of a proposed plan, as the login that asks: `keep` extends it until a new date,
-- `review` moves it to review. The case is every item of the record's assignment, or where it has none, of its
-- case. Whatever shows why these records stay is taken out too, by the rules that decide what can be planned;
-- `tables` describes the declared tables as it does there. What is left has a new digest to be approved.
--
-- Returns null, or why it was refused; a refusal is evidence too. Raises SL002 for wrong usage.
create or replace function ledger.amend_plan(
    plan_id uuid,
    source_schema text,
    source_table text,
    record_key text,
    decision text,
    reason text,
    keep_until date,
    tables jsonb
) returns text
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    plan ledger.plans;
    refusal text;
    of_case text;
    of_assignment text;
    chosen bigint[];
    leaving bigint[];
    followed bigint := 0;
    counts jsonb;
    new_digest text;
begin
    if coalesce(amend_plan.decision, '') not in ('keep', 'review') then
        raise exception using errcode = 'SL002', message = 'a case is kept until a date, or moved to review';
    end if;
    if (amend_plan.decision = 'keep') <> (amend_plan.keep_until is not null) then
        raise exception using errcode = 'SL002', message = 'an extension needs its new date; a review takes none';
    end if;
    if amend_plan.keep_until < ledger.today() then
        raise exception using errcode = 'SL002', message = 'the new date has passed: give the last day to keep it';
    end if;
    if coalesce(btrim(amend_plan.reason), '') = '' then
        raise exception using errcode = 'SL002', message = 'a decision needs a reason';
    end if;
    select * into plan from ledger.plans as p where p.plan_id = amend_plan.plan_id for update;
    if not found then
        return 'there is no such plan: `retention plan list` shows them';
    end if;
    refusal := case
        when not ledger.is_member(session_user, 'retention_approver')
            then 'this login may not change a plan: have an administrator grant retention_approver to it'
        when plan.planned_by = session_user
            then 'planner and approver are the same login: decide as another one'
        when plan.state <> 'proposed' then 'the plan is ' || plan.state || ', not proposed'
        when plan.expires_on < ledger.today()
            then 'the plan expired on ' || plan.expires_on || ': make a new one'
        when plan.digest is distinct from ledger.plan_digest(plan, ledger.tokens_root(plan.plan_id))
            then 'the plan''s rows were changed after it was frozen: reject it and look into it'
        else ledger.classification_objection(plan.code_hash)
    end;
    if refusal is not null then
        perform ledger.append('refusal', jsonb_build_object(
            'plan_id', plan.plan_id, 'of', 'amendment', 'reason', refusal, 'by', session_user
        ));
        return refusal;
    end if;

    select i.case_id, (select g from unnest(i.guard_keys) as g where starts_with(g, 'assignment:'))
    into of_case, of_assignment
    from ledger.plan_items as i
    where
        i.plan_id = plan.plan_id
        and i.source_schema = amend_plan.source_schema
        and i.source_table = amend_plan.source_table
        and i.record_key = amend_plan.record_key
        and i.state = 'planned';
    if not found then
        raise exception using errcode = 'SL002', message = 'the plan holds no such record';
    end if;
    chosen := array(
        select i.item_no from ledger.plan_items as i
        where
            i.plan_id = plan.plan_id
            and i.state = 'planned'
            and case when of_assignment is null then i.case_id = of_case else of_assignment = any(i.guard_keys) end
    );

    -- A batch of another plan that is about to purge from these tables waits for this, or is waited for.
    perform from ledger.guards as g
    where g.guard_key in (
        select 'table:' || i.source_schema || '.' || i.source_table
        from ledger.plan_items as i where i.plan_id = plan.plan_id and i.item_no = any(chosen)
    )
    order by g.guard_key
    for update;
    insert into ledger.review_decisions (
        source_schema, source_table, record_key, decision, keep_until, reason, plan_id
    )
    select
        i.source_schema, i.source_table, i.record_key, amend_plan.decision, amend_plan.keep_until,
        amend_plan.reason, plan.plan_id
    from ledger.plan_items as i
    where i.plan_id = plan.plan_id and i.item_no = any(chosen);
    select jsonb_agg(jsonb_build_object('table', counted.qualified, 'records', counted.records)
        order by counted.qualified collate "C")
    into counts
    from (
        select i.source_schema || '.' || i.source_table as qualified, count(*) as records
        from ledger.plan_items as i
        where i.plan_id = plan.plan_id and i.item_no = any(chosen)
        group by i.source_schema, i.source_table
    ) as counted;

    leaving := chosen;
    loop
        update ledger.plan_items as i
        set state = 'withdrawn', record_key = null, case_id = null, subject_token = null, guard_keys = '{}'
        where i.plan_id = plan.plan_id and i.item_no = any(leaving);
        leaving := array(
            select i.item_no from ledger.plan_items as i
            where
                i.plan_id = plan.plan_id
                and i.state = 'planned'
                and not exists (
                    select
                    from ledger.plannable(
                        amend_plan.tables, plan.as_of, plan.plan_id, 1, 9223372036854775807
                    ) as free
                    where
                        free.waits_for is null
                        and free.source_schema = i.source_schema
                        and free.source_table = i.source_table
                        and free.record_key = i.record_key
                )
        );
        exit when cardinality(leaving) = 0;
        followed := followed + cardinality(leaving);
    end loop;

    update ledger.plans as p
    set
        items = plan.items - cardinality(chosen) - followed,
        tokens_root = ledger.tokens_root(plan.plan_id),
        digest = ledger.plan_digest(plan, ledger.tokens_root(plan.plan_id)),
        state = case when plan.items = cardinality(chosen) + followed then 'empty' else p.state end
    where p.plan_id = plan.plan_id
    returning p.digest into new_digest;
    perform ledger.append('plan_amended', jsonb_build_object(
        'plan_id', plan.plan_id, 'decision', amend_plan.decision, 'keep_until', amend_plan.keep_until,
        'old_digest', plan.digest, 'new_digest', new_digest, 'decided', cardinality(chosen),
        'waiting_for_them', followed, 'items', plan.items - cardinality(chosen) - followed, 'tables', counts,
        'decided_by', session_user
    ));
    return null;
end
$$;

grant execute on function ledger.amend_plan to retention_approver;

reset role;
