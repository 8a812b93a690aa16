-- Plans of what was decided: which records a decision covers, and the approval that the decision itself is.
-- Outside of what it covers nothing is approved, and the plan waits for a person.
set local role retention_owner;

-- The records that a standing decision lets go, with what may happen to each: `erase`; `minimise`, of a row that is
-- locked; `lock_ended`, of one whose lock was placed with the refusal; `columns`, of a withdrawn consent. The latest
-- decision on a record counts, and a withdrawn consent before any: no later refusal revives it. Not for readers, who
-- are told nothing of a locked record.
create or replace function ledger.covered_records()
returns table (
    source_schema text, source_table text, record_key text, covers text, rule_id text, category text,
    decided_on date, until_on date, decided_by text, basis text
)
language sql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    select
        d.source_schema,
        d.source_table,
        d.record_key,
        case
            when d.columns <> '{}' then 'columns'
            when d.outcome = 'erase' then 'erase'
            when d.until_on < ledger.today() then 'lock_ended'
            else 'minimise'
        end,
        case d.basis when 'withdrawal' then 'CONSENT' else 'ERASURE' end,
        d.category,
        sletteplikt.local_date(d.decided_at),
        d.until_on,
        d.decided_by,
        d.basis
    from ledger.erasure_decisions as d
    left join ledger.blockers as b on d.blocker_id = b.blocker_id
    where
        d.record_key is not null
        and case
            when d.columns <> '{}' then d.carried_out_at is null
            when d.outcome = 'erase' then true
            when d.outcome in ('lock', 'minimise') and d.until_on < ledger.today() then b.released_at is null
            -- Values that a sync restored go again.
            when d.outcome = 'minimise' then b.released_at is null
            else false
        end
        and not exists (
            select from ledger.erasure_decisions as later
            where
                later.source_schema = d.source_schema and later.source_table = d.source_table
                and later.record_key = d.record_key and (later.columns = '{}') = (d.columns = '{}')
                and (later.basis = 'withdrawal', later.decided_at) > (d.basis = 'withdrawal', d.decided_at)
        )
$$;

-- Items of a plan that no standing decision covers any more; of the whole plan, or of a range.
create or replace function ledger.uncovered_items(
    plan uuid, first_item bigint default null, last_item bigint default null
) returns table (item_no bigint)
language sql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    with covered as materialized (
        select c.source_schema, c.source_table, c.record_key, c.covers from ledger.covered_records() as c
    )
    select i.item_no
    from ledger.plan_items as i
    left join covered as c
        on
            i.source_schema = c.source_schema and i.source_table = c.source_table and i.record_key = c.record_key
            and (i.disposition = 'minimise') = (c.covers in ('minimise', 'columns'))
    where
        i.plan_id = uncovered_items.plan and i.state = 'planned' and c.record_key is null
        and coalesce(i.item_no between first_item and last_item, true)
$$;

-- Raises where the plan holds what was decided, and an item of the batch is covered no more.
create or replace function ledger.refuse_undecided(plan uuid, first_item bigint, last_item bigint) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if (select p.scope from ledger.plans as p where p.plan_id = refuse_undecided.plan) = 'decided'
        and exists (select from ledger.uncovered_items(refuse_undecided.plan, first_item, last_item))
    then
        raise exception using errcode = 'SL003',
        message = 'records of the plan were decided otherwise: nothing of the batch was done';
    end if;
end
$$;

-- Why the decisions behind a plan do not approve it, in words, or null where they do. A decision on a request approves
-- where a rights officer made it who did not make the plan; a withdrawn consent where somebody approved its rule.
create or replace function ledger.decisions_objection(plan ledger.plans) returns text
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    uncovered bigint := (select count(*) from ledger.uncovered_items((plan).plan_id));
    unapproved text := (
        select string_agg(distinct i.rule_id, ', ')
        from ledger.plan_items as i
        left join policy.policy_rules as rules on i.rule_id = rules.rule_id
        where
            i.plan_id = (plan).plan_id and i.state = 'planned' and i.rule_id in ('ERASURE', 'CONSENT')
            and not coalesce(
                rules.mark = 'text' or rules.approval = 'approved'
                or (rules.approval = 'example' and ledger.only_samples()),
                false
            )
    );
    strangers text := (
        select string_agg(d.decided_by, ', ' order by d.decided_by)
        from ledger.deciders((plan).plan_id) as d
        where not ledger.is_member(d.decided_by::name, 'retention_rights_officer')
    );
begin
    return case
        when uncovered > 0
            then uncovered || ' of its records stand under no decision any more: make a new plan'
        when unapproved is not null
            then 'nobody approved the policy''s rule ' || unapproved || ': a person decides'
        when exists (select from ledger.deciders((plan).plan_id) as d where d.decided_by = (plan).planned_by)
            then (plan).planned_by || ' decided and planned: another login approves it'
        when strangers is not null
            then strangers || ' decided and has the role retention_rights_officer no more: a person approves it'
    end;
end
$$;

-- Who decided on the requests behind a plan's items. Withdrawn consents are decided by the policy.
create or replace function ledger.deciders(plan uuid) returns table (decided_by text, records bigint)
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select c.decided_by, count(*)
    from ledger.plan_items as i
    inner join ledger.covered_records() as c using (source_schema, source_table, record_key)
    where i.plan_id = deciders.plan and i.state = 'planned' and c.basis = 'request'
    group by c.decided_by
$$;

-- Approves a plan by the decisions it carries out. Returns null, or why it was refused; either is evidence.
create or replace function ledger.approve_decided(plan_id uuid) returns text
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    plan ledger.plans;
    checked jsonb;
    approver text;
    refusal text;
begin
    select * into plan from ledger.plans as p where p.plan_id = approve_decided.plan_id for update;
    if not found then
        return 'there is no such plan: `retention plan list` shows them';
    end if;
    refusal := case
        when plan.scope <> 'decided' then 'the plan is no plan of what was decided: a person approves it'
        else coalesce(ledger.frozen_objection(plan), ledger.decisions_objection(plan))
    end;
    checked := jsonb_build_object(
        'records', plan.items,
        'by_withdrawal', plan.items - coalesce((select sum(d.records) from ledger.deciders(plan.plan_id) as d), 0),
        'deciders', (
            select coalesce(jsonb_agg(
                jsonb_build_object('decided_by', d.decided_by, 'records', d.records) order by d.decided_by collate "C"
            ), '[]')
            from ledger.deciders(plan.plan_id) as d
        )
    );
    if refusal is not null then
        perform ledger.append('refusal', jsonb_build_object(
            'plan_id', plan.plan_id, 'of', 'approval by decision', 'reason', refusal, 'checked', checked,
            'by', session_user
        ));
        return refusal;
    end if;
    approver := 'the decisions of ' || concat_ws(
        ', ',
        (select string_agg(d.decided_by, ', ' order by d.decided_by) from ledger.deciders(plan.plan_id) as d),
        case when (checked ->> 'by_withdrawal')::bigint > 0 then 'policy ' || plan.policy_version end
    );
    update ledger.plans as p
    set state = 'approved', approved_by = approver, approved_at = now(), approval_kind = 'decision'
    where p.plan_id = plan.plan_id;
    perform ledger.append('approval', jsonb_build_object(
        'plan_id', plan.plan_id, 'digest', plan.digest, 'kind', 'decision', 'approved_by', approver,
        'checked', checked, 'by', session_user
    ));
    return null;
end
$$;

grant execute on function ledger.covered_records to retention_planner, retention_purger;
grant execute on function ledger.uncovered_items to retention_purger;
grant execute on function ledger.approve_decided to retention_planner;

reset role;
