-- Exported deltas that no backup needs any more.
set local role retention_owner;

create table ledger.deltas_gone (
    size bigint primary key,
    removed_at timestamptz not null default now()
);
comment on table ledger.deltas_gone is 'By the checkpoint that they led to: deltas that were removed where they were.';

reset role;

grant select on ledger.deltas_gone to retention_purger;
