-- What owners were told of what falls due, so that each due date is told once. Counts, days and names of tables only.
set local role retention_owner;

create table ledger.due_notices (
    notice_id uuid primary key default gen_random_uuid(),
    owner text not null,
    channel text not null check (channel ~ '^[a-z0-9]{1,30} [0-9]{1,4}$'),
    as_of date not null,
    state text not null default 'sending' check (state in ('sending', 'sent', 'failed', 'interrupted')),
    repeats boolean not null,
    failure text check (failure ~ '^[a-z_]{1,40}$'),
    begun_at timestamptz not null default now(),
    begun_by text not null default session_user,
    ended_at timestamptz,
    check ((state = 'sending') = (ended_at is null)),
    check ((state = 'failed') = (failure is not null))
);
create index on ledger.due_notices (owner, channel, begun_at);
comment on table ledger.due_notices is
'Notices of what falls due, each to an owner by one channel: remembered before it is sent, so that a crash leads to '
'a notice that may repeat another, never to none.';
comment on column ledger.due_notices.channel is
'Kind of service and place in the owner''s list. Its address is a secret and stands in the file of channels alone.';
comment on column ledger.due_notices.repeats is
'Whether it tells again what an interrupted or failed one told, which may have arrived.';

create table ledger.due_notice_lines (
    notice_id uuid not null references ledger.due_notices on delete cascade,
    source_schema text not null,
    source_table text not null,
    category text not null,
    due_on date not null,
    records bigint not null check (records > 0),
    primary key (notice_id, source_schema, source_table, category, due_on)
);
create index on ledger.due_notice_lines (due_on);
comment on table ledger.due_notice_lines is
'What a notice told: of how many records of a table and category the due date had not been told before.';

reset role;

grant select on ledger.due_notices, ledger.due_notice_lines
to retention_reader, retention_planner;
