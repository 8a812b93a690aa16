-- What housekeeping must remember to know how old a trace is.
set local role retention_owner;

create table ledger.replays (
    suffix text primary key check (suffix ~ '^_as_of_[0-9]{8}$'),
    made_at timestamptz not null default now()
);
comment on table ledger.replays is
'When the schemas of a replay were last built, or first seen where nobody said: PostgreSQL does not tell.';

create table ledger.tables_gone (
    source_schema text not null,
    source_table text not null,
    gone_on date not null,
    primary key (source_schema, source_table)
);
comment on table ledger.tables_gone is
'Landing tables with tombstones that are neither declared nor there any more, and since when.';

alter table ledger.plans add column tokens_forgotten_at timestamptz;
comment on column ledger.plans.tokens_forgotten_at is
'When its tombstones and items went, because nothing can bring its records back. The evidence stays.';

-- Few among the purged ones, and the only ones that go before their tombstones.
create index on ledger.plan_items (plan_id) where state in ('skipped', 'withdrawn');

reset role;

-- Like every other table of the ledger, for the functions' callers to look.
grant select on ledger.replays, ledger.tables_gone to retention_purger, retention_classifier;
