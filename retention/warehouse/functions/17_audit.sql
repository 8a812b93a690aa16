-- What an auditor sees: how much of what there is, what was decided and by whom. Never a value, a key or a token,
-- and no text that a person wrote: a reason may name somebody.
set local role retention_owner;

create or replace view ledger.audit_plans as
select
    plan_id, as_of, scope, policy_version, policy_hash, code_hash, digest, state, items, planned_by, planned_at,
    expires_on, approved_by, approved_at, approval_kind, rejected_by, rejected_at, started_at, executed_at, run_by
from ledger.plans;
comment on view ledger.audit_plans is 'Purge plans: what was frozen, who approved it, what became of it.';

create or replace view ledger.audit_plan_counts as
select plan_id, source_schema, source_table, category, rule_id, disposition, state, skip_reason, count(*) as records
from ledger.plan_items
group by plan_id, source_schema, source_table, category, rule_id, disposition, state, skip_reason;
comment on view ledger.audit_plan_counts is 'What each plan held and what became of it, counted.';

create or replace view ledger.audit_entries as
select e.entry_id, e.kind, e.body, e.leaf_hash, e.at, l.leaf_index
from ledger.entries as e left join ledger.leaves as l on e.entry_id = l.entry_id;
comment on view ledger.audit_entries is 'The evidence, as it was written, with its number in the tree.';

create or replace view ledger.audit_checkpoints as
select size, root, note, exported_at from ledger.checkpoints;
comment on view ledger.audit_checkpoints is 'The signed heads of the tree that were exported.';

create or replace view ledger.audit_blockers as
select
    blocker_id, kind, scope, from_on, until_on, placed_by, placed_at, released_at, released_by,
    guard_lifted_at
from ledger.blockers;
comment on view ledger.audit_blockers is 'Holds, restrictions and locks without what they are on and why.';

create or replace view ledger.audit_control_runs as
select control_run_id, as_of, code_hash, policy_hash, passed, outcomes, run_by, run_at from ledger.control_runs;
comment on view ledger.audit_control_runs is 'Each run of the control persons, who are made up.';

create or replace view ledger.audit_halts as
select halt_id, halted_at, halted_by, resumed_at, resumed_by from ledger.halts;
comment on view ledger.audit_halts is 'When everything that deletes was stopped, and by whom.';

create or replace view ledger.audit_orders as
select
    order_id, plan_id, source_schema, source_table, store, state, ordered_at, acknowledged_at, acknowledged_by,
    erased_at
from ledger.deletion_orders_shown;
comment on view ledger.audit_orders is 'Deletion orders to stores outside the warehouse, without what they point to.';

-- dbt makes the models anew, and what depends on them would go with them: so these two are asked by a function.
create or replace function ledger.records_without_keys() returns table (
    source_schema text, source_table text, controller_role text, category text, rule_id text, policy_clause text,
    policy_version text, anchor_on date, last_day date, due_on date, disposition text, status text, as_of date
)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if to_regclass('retention.records') is not null then
        return query
            select
                r.source_schema, r.source_table, r.controller_role, r.category, r.rule_id, r.policy_clause,
                r.policy_version, r.anchor_on, r.last_day, r.due_on, r.disposition, r.status, r.as_of
            from retention.records as r;
    end if;
end
$$;

create or replace function ledger.records_counted() returns table (
    source_schema text, source_table text, category text, status text, records bigint, oldest_due_on date, as_of date
)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if to_regclass('retention.summary') is not null then
        return query
            select s.source_schema, s.source_table, s.category, s.status, s.records::bigint, s.oldest_due_on, s.as_of
            from retention.summary as s;
    end if;
end
$$;

create or replace view ledger.audit_records as select * from ledger.records_without_keys();
comment on view ledger.audit_records is 'Every governed record without its key: category, rule, dates, status.';

create or replace view ledger.audit_population as select * from ledger.records_counted();
comment on view ledger.audit_population is 'How many records per table, category and status.';

grant select on
ledger.audit_plans, ledger.audit_plan_counts, ledger.audit_entries, ledger.audit_checkpoints, ledger.audit_blockers,
ledger.audit_control_runs, ledger.audit_halts, ledger.audit_orders, ledger.audit_records, ledger.audit_population
to retention_auditor;
-- A view is read with its owner's rights, a function in it is called with the reader's.
grant execute on function ledger.records_without_keys, ledger.records_counted to retention_auditor;

reset role;
