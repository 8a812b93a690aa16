-- The register of requests (§ 8), and the two roles of the people who answer them.
--
-- rights_officer: registers, verifies, decides and exports. custodian: reads what is locked, through the one
-- function that logs it. Neither reads landing.
do $$
declare
    group_role text;
begin
    foreach group_role in array array['retention_rights_officer', 'retention_custodian']
    loop
        if not exists (select from pg_catalog.pg_roles where rolname = group_role) then
            begin
                execute format('create role %I nologin', group_role);
            exception
                when duplicate_object or unique_violation then
                    raise notice 'role % was created by someone else meanwhile', group_role;
            end;
        end if;
    end loop;
end
$$;

grant usage on schema ledger to retention_rights_officer, retention_custodian;

set local role retention_owner;

create table ledger.requests (
    request_id uuid primary key default gen_random_uuid(),
    asserted text not null check (
        asserted in (
            'access', 'portability', 'rectification', 'erasure', 'restriction', 'objection', 'withdrawal'
        )
    ),
    state text not null default 'received' check (
        state in ('received', 'identity_verified', 'decided', 'carried_out', 'closed')
    ),
    received_on date not null,
    answer_by date not null check (answer_by > received_on),
    source_schema text,
    source_table text,
    record_key text,
    subject_token uuid,
    purpose text,
    hold_id uuid references ledger.blockers,
    registered_by text not null default session_user,
    registered_at timestamptz not null default now(),
    extended_on date,
    extension_reason text,
    verified_by text,
    verified_at timestamptz,
    decided_by text,
    decided_at timestamptz,
    outcome text check (outcome in ('granted', 'partly', 'refused')),
    carried_out_by text,
    carried_out_at timestamptz,
    closed_by text,
    closed_at timestamptz,
    check ((source_schema is null) = (source_table is null)),
    check (record_key is null or source_table is not null),
    check ((extended_on is null) = (extension_reason is null)),
    check (state = 'received' or verified_at is not null or closed_at is not null),
    check (state <> 'decided' or decided_at is not null),
    check ((state = 'closed') = (closed_at is not null))
);
create unique index on ledger.requests (source_schema, source_table, record_key) where record_key is not null;
create index on ledger.requests (subject_token);
comment on table ledger.requests is
'Requests by which persons use their rights. Holds tokens and dates; no name, address or word of the person.';
comment on column ledger.requests.purpose is
'withdrawal: the purpose, as the policy names it, whose consent was withdrawn.';
comment on column ledger.requests.subject_token is
'Null until it is known whose request it is, and again when nothing of the person is left.';

reset role;

grant select on ledger.requests to retention_rights_officer, retention_purger;
