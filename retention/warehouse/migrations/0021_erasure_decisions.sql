-- What was decided on the records of persons who asked for erasure, or withdrew a consent: a row a record.
set local role retention_owner;

create table ledger.erasure_decisions (
    decision_id uuid primary key default gen_random_uuid(),
    basis text not null check (basis in ('request', 'withdrawal')),
    request_id uuid references ledger.requests,
    source_schema text not null,
    source_table text not null,
    record_key text,
    category text,
    outcome text not null check (outcome in ('erase', 'minimise', 'lock', 'refuse', 'relay', 'person')),
    columns text[] not null default '{}',
    rule_id text,
    law text,
    until_on date,
    reason text check (btrim(reason) <> ''),
    blocker_id uuid references ledger.blockers,
    decided_by text not null default session_user,
    decided_at timestamptz not null default clock_timestamp(),
    carried_out_at timestamptz,
    check (basis <> 'request' or request_id is not null),
    check (outcome not in ('minimise', 'lock', 'refuse') or law is not null),
    check (outcome not in ('minimise', 'lock') or until_on is not null)
);
create index on ledger.erasure_decisions (source_schema, source_table, record_key);
create index on ledger.erasure_decisions (request_id);
create index on ledger.erasure_decisions (blocker_id) where blocker_id is not null;
comment on table ledger.erasure_decisions is
'Per record: erased, minimised, locked until a day by a law, refused, relayed, or left to a person. The latest of a '
'record counts. Its key is forgotten when the record is purged.';
comment on column ledger.erasure_decisions.columns is
'withdrawal: the columns that become null; empty where the row goes.';
comment on column ledger.erasure_decisions.rule_id is
'The rule that hinders the erasure; with outcome person or erase, the one of which nobody could say whether it does.';
comment on column ledger.erasure_decisions.reason is 'What a person gave as reason who decided this record by itself.';
comment on column ledger.erasure_decisions.carried_out_at is
'When the record was purged, or its columns became null.';

-- A lock that keeps the row and lets go of columns that nothing requires: a batch may still make those null.
alter table ledger.blockers
add column row_only boolean not null default false,
add constraint blockers_row_only_check check (not row_only or (kind = 'lock' and scope = 'record'));
comment on column ledger.blockers.row_only is
'The lock keeps the row: columns that accounting does not need may still become null.';

alter table ledger.guards add column row_only text[] not null default '{}';
comment on column ledger.guards.row_only is
'Records of which nothing may go but columns that accounting does not need.';

-- Plans of what was decided, which the decisions approve.
alter table ledger.plans
drop constraint plans_scope_check,
add constraint plans_scope_check check (scope in ('ordinary', 'unattended', 'decided')),
drop constraint plans_approval_kind_check,
add constraint plans_approval_kind_check check (
    approval_kind in ('person', 'demonstration', 'policy', 'control', 'decision')
);
comment on column ledger.plans.scope is
'unattended: only cases that the policy leaves to a job; decided: only records whose erasure was decided; ordinary: '
'whatever else is overdue, for a person.';

-- It takes the plan's scope from now on.
drop function if exists ledger.plannable(jsonb, date, uuid, bigint, bigint);

reset role;

grant select on ledger.erasure_decisions to retention_rights_officer, retention_purger, retention_classifier;
-- A purge forgets which record it was.
grant update (record_key, carried_out_at) on ledger.erasure_decisions to retention_purger;
