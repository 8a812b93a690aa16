-- What was shown to whom: copies made for a person, and reads of what is locked.
set local role retention_owner;

create table ledger.disclosures (
    disclosure_id uuid primary key default gen_random_uuid(),
    kind text not null check (kind in ('package', 'locked_read')),
    request_id uuid references ledger.requests,
    reason text not null check (btrim(reason) <> ''),
    source_schema text,
    source_table text,
    record_key text,
    made_by text not null default session_user,
    made_at timestamptz not null default now(),
    made_in xid8 not null default pg_current_xact_id(),
    expires_at timestamptz not null,
    check (kind <> 'package' or request_id is not null)
);
comment on table ledger.disclosures is
'A disclosure is written and committed first, and shows something only then: whoever reads and rolls back has '
'left its trace.';
comment on column ledger.disclosures.made_in is 'The transaction that wrote it; in that one nothing is shown.';

create table ledger.packages (
    package_id uuid primary key default gen_random_uuid(),
    disclosure_id uuid not null references ledger.disclosures,
    file_name text not null unique,
    file_sha256 text not null,
    records bigint not null,
    made_at timestamptz not null default now(),
    expires_on date not null,
    removed_at timestamptz
);
comment on table ledger.packages is
'Encrypted copies that were made for persons: when they expire, and when they were removed. No key, no value.';

-- Whose an ambiguous record is, as a person decided. The latest word on a record and a person counts.
create table ledger.ambiguity_decisions (
    decision_no bigint generated always as identity primary key,
    source_schema text not null,
    source_table text not null,
    record_key text not null,
    inputs_hash text not null,
    subject_token uuid not null,
    is_theirs boolean not null,
    reason text not null check (btrim(reason) <> ''),
    decided_by text not null default session_user,
    decided_at timestamptz not null default now()
);
create index on ledger.ambiguity_decisions (subject_token);
create index on ledger.ambiguity_decisions (source_schema, source_table, record_key);
comment on table ledger.ambiguity_decisions is
'Whether a record that may be several persons'' is the person''s who asked. Forgotten when the record is gone.';
comment on column ledger.ambiguity_decisions.inputs_hash is
'What the record said of whose it is when that was decided: once it says something else, nothing is decided.';

reset role;

grant select on ledger.disclosures, ledger.packages, ledger.ambiguity_decisions to retention_rights_officer;
-- A purge forgets the keys of what it deletes.
grant select, delete on ledger.ambiguity_decisions to retention_purger;
grant select, update (record_key) on ledger.disclosures to retention_purger;
