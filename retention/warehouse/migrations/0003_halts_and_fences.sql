-- The kill switch, and which executor a plan belongs to.
set local role retention_owner;

create table ledger.halts (
    halt_id bigint generated always as identity primary key,
    halted_at timestamptz not null default now(),
    halted_by text not null default session_user,
    reason text not null check (btrim(reason) <> ''),
    resumed_at timestamptz,
    resumed_by text,
    resume_reason text check (btrim(resume_reason) <> ''),
    check ((resumed_at is null) = (resumed_by is null)),
    check ((resumed_at is null) = (resume_reason is null))
);
create unique index on ledger.halts ((true)) where resumed_at is null;
comment on table ledger.halts is
'The kill switch: while a row is not resumed, nothing destructive begins anywhere. At most one row is not.';

alter table ledger.plans add column fence bigint not null default 0 check (fence >= 0);
comment on column ledger.plans.fence is
'How often an execution was begun. Only the latest executor, which knows this number, may go on.';

-- The gate takes the executor's number now, and its start recounts.
drop function if exists ledger.enter_plan(uuid, text, text, boolean);

reset role;

grant select on ledger.halts to retention_purger, retention_approver;
