-- What was decided on the records of persons who asked for erasure, or withdrew a consent: a row a record.
set local role retention_owner;

create table ledger.erasure_decisions (
    decision_id uuid primary key default gen_random_uuid(),
    basis text not null check (basis in ('request', 'withdrawal')),
    request_id uuid references ledger.requests,
    source_schema text not null,
    source_table text not null,
    record_key text,
    outcome text not null check (outcome in ('erase', 'minimise', 'lock', 'refuse', 'relay', 'person')),
    columns text[] not null default '{}',
    rule_id text,
    law text,
    until_on date,
    blocker_id uuid references ledger.blockers,
    decided_by text not null default session_user,
    decided_at timestamptz not null default now(),
    check (basis <> 'request' or request_id is not null),
    check (outcome not in ('lock', 'refuse') or law is not null),
    check (outcome <> 'lock' or until_on is not null)
);
create index on ledger.erasure_decisions (source_schema, source_table, record_key);
create index on ledger.erasure_decisions (request_id);
comment on table ledger.erasure_decisions is
'Per record: erased, minimised, locked until a day by a law, refused, relayed, or left to a person. The latest of a '
'record counts. Its key is forgotten when the record is purged.';
comment on column ledger.erasure_decisions.columns is
'withdrawal: the columns that become null; empty where the row goes.';

reset role;

grant select on ledger.erasure_decisions to retention_rights_officer, retention_purger;
