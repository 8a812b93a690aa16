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
    asserted text check (
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
    purpose text check (btrim(purpose) <> ''),
    hold_id uuid references ledger.blockers,
    registered_by text not null default session_user,
    registered_at timestamptz not null default now(),
    extended_on date,
    extension_reason text check (extension_reason in ('complexity', 'number_of_requests')),
    verified_how text check (verified_how in ('identity_document', 'electronic_id', 'known_contact', 'in_person')),
    verified_by text,
    verified_at timestamptz,
    decided_by text,
    decided_at timestamptz,
    outcome text check (outcome in ('granted', 'partly', 'refused')),
    carried_out_by text,
    carried_out_at timestamptz,
    closed_as text check (
        closed_as in ('answered', 'taken_back', 'not_identified', 'duplicate', 'unfounded', 'closed_at_source')
    ),
    closed_by text,
    closed_at timestamptz,
    scan_gone_at timestamptz,
    check ((source_schema is null) = (source_table is null)),
    check (record_key is null or source_table is not null),
    check ((extended_on is null) = (extension_reason is null)),
    check (state = 'received' or verified_at is not null or closed_at is not null),
    check (state not in ('decided', 'carried_out') or num_nonnulls(decided_at, decided_by, outcome) = 3),
    check (state <> 'carried_out' or num_nonnulls(carried_out_at, carried_out_by) = 2),
    check ((state = 'closed') = (closed_at is not null)),
    check (num_nonnulls(closed_at, closed_by, closed_as) in (0, 3)),
    check (num_nonnulls(verified_at, verified_by, verified_how) in (0, 3)),
    -- What is wanted, and by whom, is known before the person's identity can be verified.
    check (state in ('received', 'closed') or asserted is not null)
);
create unique index on ledger.requests (source_schema, source_table, record_key) where record_key is not null;
create index on ledger.requests (subject_token);
create index on ledger.requests (hold_id);
create index on ledger.requests (state) where state <> 'closed';
comment on table ledger.requests is
'Requests by which persons use their rights. Holds tokens and dates; no name, address or word of the person.';
comment on column ledger.requests.asserted is
'Null until a person says which right a landed request uses, where its words are not declared.';
comment on column ledger.requests.hold_id is
'What keeps the person''s records from being purged while the request is pending; released when it is answered.';
comment on column ledger.requests.scan_gone_at is
'Since when the landed row points to no scan of an identity document.';
comment on column ledger.requests.purpose is
'withdrawal: the purpose, as the policy names it, whose consent was withdrawn.';
comment on column ledger.requests.subject_token is
'Null until it is known whose request it is, and again when nothing of the person is left.';

-- The scan of an identity document goes by the request that it proved, and by no plan.
alter table ledger.deletion_orders
alter column plan_id drop not null,
alter column token drop not null,
add column request_id uuid references ledger.requests,
add check (num_nonnulls(plan_id, request_id) = 1),
add check (plan_id is null or token is not null);
create index on ledger.deletion_orders (request_id) where request_id is not null;

reset role;

grant select on ledger.requests
to retention_rights_officer, retention_purger, retention_classifier, retention_reader;
-- A purge forgets which row it was and whose, once that is gone.
grant update (record_key, subject_token) on ledger.requests to retention_purger;
