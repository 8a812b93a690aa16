-- What became of the control persons, run by run.
set local role retention_owner;

create table ledger.control_runs (
    control_run_id bigint generated always as identity primary key,
    as_of date not null,
    code_hash text not null,
    policy_hash text not null,
    passed boolean not null,
    outcomes jsonb not null,
    run_by text not null default session_user,
    run_at timestamptz not null default now()
);
comment on table ledger.control_runs is
'Each run of the control persons: which should have gone, waited or stayed, and which did.';

alter table ledger.plans drop constraint if exists plans_approval_kind_check;
alter table ledger.plans add constraint plans_approval_kind_check
check (approval_kind in ('person', 'demonstration', 'policy', 'control'));

reset role;

grant select on ledger.control_runs to retention_purger;
