-- Minimising: columns of a row that stays become null. What remembers it, and what keeps it due.
set local role retention_owner;

create table ledger.column_tombstones (
    source_schema text not null,
    source_table text not null,
    token bytea not null,
    column_group text not null,
    key_id text not null,
    key_epoch integer not null,
    columns text[] not null check (cardinality(columns) > 0),
    anchor_on date,
    rule_id text not null,
    plan_id uuid not null references ledger.plans,
    batch_no integer not null,
    minimised_at timestamptz not null default now(),
    primary key (source_schema, source_table, token, column_group, plan_id)
);
create index on ledger.column_tombstones (plan_id, batch_no);
comment on table ledger.column_tombstones is
'Keyed tokens of rows that stay and of which columns were made null: they recognise values that a sync restores.';

create table ledger.column_grounds (
    source_schema text not null,
    source_table text not null,
    record_key text not null,
    column_group text not null,
    rule_id text not null,
    anchor_on date,
    due_on date not null,
    kept_at timestamptz not null default now(),
    minimised_at timestamptz,
    primary key (source_schema, source_table, record_key, column_group)
);
comment on table ledger.column_grounds is
'Why columns of a record that stays were due: facts outlive their evidence, so the dates are kept when the person '
'behind them is purged. Names records that lie in landing; forgotten when they are purged.';

alter table ledger.plan_items drop constraint plan_items_state_check;
alter table ledger.plan_items add constraint plan_items_state_check
check (state in ('planned', 'purged', 'minimised', 'skipped', 'withdrawn'));
alter table ledger.plan_items add constraint minimised_items_hold_no_key
check (
    state <> 'minimised'
    or (
        record_key is null and case_id is null and subject_token is null and guard_keys = '{}'
        and batch_no is not null
    )
);

reset role;

grant select, insert on ledger.column_tombstones to retention_purger;
grant select, insert, update, delete on ledger.column_grounds to retention_purger;
