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

reset role;

grant select on ledger.disclosures, ledger.packages to retention_rights_officer;
