-- What dbt never builds: classifications, blockers and their guards, decisions, plans, tombstones, evidence.
--
-- Everything here belongs to retention_owner, which neither dbt nor a purge runs as. What others may do is
-- granted table by table below, and through the functions of ../functions.

-- The functions that freeze a plan and place a hold read dbt's tables with the owner's rights.
do $$
begin
    if not pg_catalog.pg_has_role('retention_owner', 'retention_reader', 'member') then
        begin
            grant retention_reader to retention_owner;
        exception
            when unique_violation then
                raise notice 'retention_owner was granted retention_reader meanwhile';
            when insufficient_privilege then
                raise warning 'have an administrator run: grant retention_reader to retention_owner';
        end;
    end if;
end
$$;

set local role retention_owner;

create table ledger.classifications (
    classification_id bigint generated always as identity primary key,
    as_of date not null,
    code_hash text not null,
    policy_hash text,
    marked_schemas text[],
    started_by text not null default session_user,
    started_at timestamptz not null default now(),
    finished_at timestamptz
);
comment on table ledger.classifications is
'Each classification as of today. The last one begun must be finished before anything is planned or purged.';

create table ledger.subject_tokens (
    subject_id text primary key,
    subject_token uuid not null unique default gen_random_uuid(),
    created_at timestamptz not null default now()
);
comment on table ledger.subject_tokens is
'The random token of each data subject; forgotten when the last record of the subject is purged.';

create table ledger.blockers (
    blocker_id uuid primary key default gen_random_uuid(),
    kind text not null check (kind in ('hold', 'restriction', 'lock')),
    scope text not null check (scope in ('subject', 'assignment', 'record', 'table')),
    target text,
    reason text not null check (btrim(reason) <> ''),
    authority text not null check (btrim(authority) <> ''),
    from_on date not null,
    until_on date,
    placed_by text not null default session_user,
    placed_at timestamptz not null default now(),
    released_at timestamptz,
    released_by text,
    guard_lifted_at timestamptz,
    check (until_on is null or until_on >= from_on),
    -- A lock without an end would be passed over by whoever asks whether it has ended.
    check (kind <> 'lock' or until_on is not null),
    check (target is not null or released_at is not null or guard_lifted_at is not null),
    check ((released_at is null) = (released_by is null))
);
create index on ledger.blockers (scope, target) where released_at is null;
comment on table ledger.blockers is
'Legal holds, restrictions (GDPR art. 18) and locks (§ 8). A hold stands until somebody releases it.';
comment on column ledger.blockers.target is
'subject: its token; assignment: schema.table:key; record: schema.table:key; table: schema.table. Null once purged.';
comment on column ledger.blockers.guard_lifted_at is
'When a lock whose hindrance has ended stopped to guard its target; the lock itself still makes it due.';

create table ledger.guards (
    guard_key text primary key,
    blockers integer not null default 0 check (blockers >= 0),
    records text[] not null default '{}'
);
comment on table ledger.guards is
'What a purge locks and tests in one statement. Placing a blocker changes the row that the purge locks, so '
'that one of the two waits for the other. A blocker on one record stands in the guard of its table, so that '
'a purge locks a row per subject, assignment and table and not one per record.';

create table ledger.review_decisions (
    decision_id uuid primary key default gen_random_uuid(),
    source_schema text not null,
    source_table text not null,
    record_key text not null,
    decision text not null check (decision in ('keep', 'purge', 'anchor')),
    rule_id text,
    anchor_on date,
    keep_until date,
    reason text not null check (btrim(reason) <> ''),
    decided_by text not null default session_user,
    decided_at timestamptz not null default now(),
    check ((decision = 'anchor') = (rule_id is not null and anchor_on is not null)),
    check ((decision = 'keep') = (keep_until is not null))
);
create index on ledger.review_decisions (source_schema, source_table, record_key);
comment on table ledger.review_decisions is
'What a person decided on records under review; the latest one counts. Purged with its record.';

create table ledger.plans (
    plan_id uuid primary key default gen_random_uuid(),
    as_of date not null,
    classification_id bigint not null references ledger.classifications,
    policy_version text not null,
    policy_hash text not null,
    code_hash text not null,
    key_id text not null,
    key_epoch integer not null,
    tokens_root text,
    digest text,
    state text not null check (
        state in (
            'proposed', 'approved', 'rejected', 'executing', 'executed', 'expired', 'superseded', 'empty'
        )
    ),
    items bigint not null default 0,
    waiting jsonb not null default '{}',
    planned_by text not null default session_user,
    planned_at timestamptz not null default now(),
    expires_on date not null,
    approved_by text,
    approved_at timestamptz,
    approval_kind text check (approval_kind in ('person', 'demonstration')),
    rejected_by text,
    rejected_at timestamptz,
    reject_reason text,
    started_at timestamptz,
    executed_at timestamptz,
    run_by text,
    check (state not in ('approved', 'executing', 'executed') or approved_by is not null),
    check (approved_by is distinct from planned_by)
);
comment on table ledger.plans is 'Purge plans: what was frozen, who approved it, what became of it.';
comment on column ledger.plans.waiting is 'Overdue records that were left out, counted by reason.';

create table ledger.plan_items (
    plan_id uuid not null references ledger.plans,
    item_no bigint not null,
    source_schema text not null,
    source_table text not null,
    record_key text,
    token bytea not null,
    case_id text,
    subject_token uuid,
    case_fingerprint text,
    guard_keys text[] not null,
    category text not null,
    rule_id text not null,
    disposition text not null,
    anchor_on date,
    due_on date not null,
    state text not null default 'planned' check (state in ('planned', 'purged', 'skipped', 'withdrawn')),
    skip_reason text,
    batch_no integer,
    primary key (plan_id, item_no),
    unique (plan_id, source_schema, source_table, token),
    check (state <> 'planned' or (record_key is not null and case_id is not null)),
    check (
        state not in ('purged', 'withdrawn')
        or (record_key is null and case_id is null and subject_token is null and guard_keys = '{}')
    ),
    check (state <> 'purged' or batch_no is not null),
    check ((state = 'skipped') = (skip_reason is not null))
);
create index on ledger.plan_items (plan_id, item_no) where state = 'planned';
comment on table ledger.plan_items is
'The frozen rows of a plan in the order of their deletion. Afterwards they hold tokens, no keys.';

create table ledger.tombstones (
    source_schema text not null,
    source_table text not null,
    token bytea not null,
    key_id text not null,
    key_epoch integer not null,
    anchor_on date,
    rule_id text not null,
    plan_id uuid not null references ledger.plans,
    batch_no integer not null,
    purged_at timestamptz not null default now(),
    primary key (source_schema, source_table, token, plan_id)
);
create index on ledger.tombstones (plan_id, batch_no);
comment on table ledger.tombstones is
'Keyed tokens of what was purged: they recognise a row that returns, and say nothing without the key.';

create table ledger.entries (
    entry_id bigint generated always as identity primary key,
    kind text not null check (kind ~ '^[a-z_]+$'),
    body text not null,
    leaf_hash bytea not null,
    at timestamptz not null default now(),
    check (leaf_hash = sha256('\x00'::bytea || convert_to(body, 'UTF8')))
);
create index on ledger.entries (kind, entry_id);
create index on ledger.entries ((body::jsonb ->> 'plan_id')) where body::jsonb ? 'plan_id';
comment on table ledger.entries is
'Evidence, one entry an event, never changed. Bodies hold counts, dates, hashes and logins: no key, no value.';

create table ledger.link_salt (
    only_row boolean primary key default true check (only_row),
    salt bytea not null
);
insert into ledger.link_salt (salt) values (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
comment on table ledger.link_salt is
'Makes the hashes of e-mail addresses and phone numbers useless outside this warehouse.';

reset role;

-- What the purge does itself, in one transaction with its deletes.
grant select on all tables in schema ledger to retention_purger;
grant update (state, skip_reason, batch_no, record_key, case_id, subject_token, guard_keys)
on ledger.plan_items to retention_purger;
grant insert on ledger.tombstones to retention_purger;
grant update (blockers), delete on ledger.guards to retention_purger;
grant update (target) on ledger.blockers to retention_purger;
grant delete on ledger.review_decisions, ledger.subject_tokens to retention_purger;
