-- Whom we tell that data was purged, corrected or restricted (GDPR art. 19), what we pass on to partners
-- (art. 26 and 28), and corrections that are traced through every copy (art. 16).
set local role retention_owner;

create table ledger.notices (
    notice_id uuid primary key default gen_random_uuid(),
    occasion text not null check (
        occasion in ('purge', 'erasure', 'restriction', 'rectification', 'withdrawal', 'sharing_stopped')
    ),
    occasion_id uuid not null,
    recipient_id text not null,
    to_partner boolean not null,
    partner_key text,
    records bigint not null check (records >= 0),
    state text not null default 'open' check (state in ('open', 'sent', 'acknowledged', 'impossible')),
    opened_at timestamptz not null default now(),
    sent_at timestamptz,
    sent_by text,
    sent_in xid8,
    answered_by text check (btrim(answered_by) <> ''),
    answer text check (btrim(answer) <> ''),
    settled_at timestamptz,
    settled_by text,
    check (num_nonnulls(sent_at, sent_by, sent_in) in (0, 3)),
    check (state not in ('sent', 'acknowledged') or sent_at is not null),
    check ((state in ('acknowledged', 'impossible')) = (settled_at is not null)),
    -- To which partner it went is forgotten with the keys: a union's reveals membership, hashed too.
    check ((to_partner and settled_at is null) = (partner_key is not null)),
    -- Acknowledged by nobody, or impossible for no reason, is neither.
    check (num_nonnulls(settled_at, settled_by, answer) in (0, 3)),
    check ((state = 'acknowledged') = (answered_by is not null))
);
create unique index on ledger.notices (occasion, occasion_id, recipient_id, coalesce(partner_key, ''))
where state in ('open', 'sent');
create index on ledger.notices (occasion_id);
create index on ledger.notices (opened_at) where state in ('open', 'sent');
comment on table ledger.notices is
'Recipients that are told of a purge, an erasure, a restriction, a correction or a withdrawn consent, and what they '
'answered. Counts: what lets the recipient find the person stands in notice_pointers, until it has answered.';
comment on column ledger.notices.occasion_id is
'The plan (purge), the blocker (restriction), or the request; a withdrawal without one: the decision.';
comment on column ledger.notices.partner_key is
'The partner, as the models know it: a salted hash, for the id of a union reveals membership. Gone once it is settled.';

create table ledger.notice_pointers (
    notice_id uuid not null references ledger.notices,
    source_schema text not null,
    source_table text not null,
    record_key text not null,
    primary key (notice_id, source_schema, source_table, record_key)
);
comment on table ledger.notice_pointers is
'The keys by which a recipient finds the person in its own system: written before anything is purged, gone once the '
'notice is acknowledged, or judged impossible.';

create table ledger.plan_partners (
    plan_id uuid not null,
    item_no bigint not null,
    partner_key text not null,
    primary key (plan_id, item_no, partner_key),
    foreign key (plan_id, item_no) references ledger.plan_items
);
comment on table ledger.plan_partners is
'Items of open plans whose person was handed over to a partner. Gone when the plan ends: counts are left.';

create table ledger.relays (
    relay_id uuid primary key default gen_random_uuid(),
    request_id uuid not null references ledger.requests,
    partner_key text,
    direction text not null check (direction in ('in', 'out')),
    because text not null check (because in ('joint', 'processor', 'received')),
    state text not null check (state in ('open', 'sent', 'received', 'answered', 'closed')),
    opened_at timestamptz not null default now(),
    taken_at timestamptz,
    taken_by text,
    taken_in xid8,
    answer text check (answer in ('erase', 'keep', 'noted')),
    note text check (btrim(note) <> ''),
    answered_at timestamptz,
    answered_by text,
    closed_at timestamptz,
    closed_by text,
    close_reason text check (btrim(close_reason) <> ''),
    unique (request_id, partner_key, because),
    check ((direction = 'in') = (because = 'received')),
    check (direction = 'out' or state in ('received', 'answered', 'closed')),
    check (direction = 'in' or state <> 'received'),
    check (num_nonnulls(taken_at, taken_by, taken_in) in (0, 3)),
    check (state <> 'sent' or taken_at is not null),
    check (num_nonnulls(answer, note, answered_at, answered_by) in (0, 4)),
    check (state <> 'answered' or answered_at is not null),
    check (answer is null or answer = 'noted' or because = 'processor'),
    check ((state = 'closed') = (num_nonnulls(closed_at, closed_by) = 2)),
    check ((state = 'closed') = (partner_key is null)),
    -- What nobody answered is not over without a reason.
    check (state <> 'closed' or answer is not null or close_reason is not null)
);
create index on ledger.relays (opened_at) where state in ('open', 'sent', 'received');
comment on table ledger.relays is
'Requests that are passed on to partners, or came from one: joint controllers relay both ways, and what we process '
'for a partner is the partner''s to decide.';
comment on column ledger.relays.partner_key is
'The partner, as the models know it: a salted hash, for the id of a union reveals membership. Gone once it is closed.';
comment on column ledger.relays.taken_by is 'Who took it in hand last: sent it, or looked whom to answer.';
comment on column ledger.relays.because is
'joint: handed over inside our business area. processor: we hold records for the partner. received: the partner '
'passed the request on to us.';

alter table ledger.erasure_decisions
add column relay_id uuid references ledger.relays,
add column told_at timestamptz;
comment on column ledger.erasure_decisions.told_at is
'When notices of it were opened: what is decided later, by a person or a partner, is told by itself.';
comment on column ledger.erasure_decisions.relay_id is
'The partner''s instruction that decided, where we are its processor.';

create table ledger.rectifications (
    rectification_id uuid primary key default gen_random_uuid(),
    request_id uuid not null references ledger.requests,
    source_schema text not null,
    source_table text not null,
    column_name text not null,
    kind text not null,
    record_key text,
    fingerprint bytea,
    key_id text not null,
    recorded_at timestamptz not null default now(),
    recorded_by text not null default session_user,
    corrected_on date,
    traced_at timestamptz,
    traced_by text,
    left_over jsonb not null default '{}',
    old_versions jsonb not null default '{}',
    not_searched jsonb not null default '[]',
    accepted_by text,
    accepted_reason text check (btrim(accepted_reason) <> ''),
    ended_at timestamptz,
    check (num_nonnulls(traced_at, traced_by) in (0, 2)),
    check (num_nonnulls(accepted_by, accepted_reason) in (0, 2)),
    check ((ended_at is null) = (fingerprint is not null)),
    check ((ended_at is null) = (record_key is not null)),
    -- It ends clean, or because somebody says why what is left is in order.
    check (
        ended_at is null or accepted_reason is not null
        or (corrected_on is not null and left_over = '{}' and not_searched = '[]')
    )
);
create unique index on ledger.rectifications (request_id, source_schema, source_table, record_key, column_name)
where ended_at is null;
create index on ledger.rectifications (key_id) where fingerprint is not null;
comment on table ledger.rectifications is
'Values that are corrected: the keyed fingerprint of the one that was wrong, and where it was found again. Key and '
'fingerprint go when no copy holds the value any more, or what is left was found in order.';
comment on column ledger.rectifications.left_over is 'table.column and the rows of it that still hold the old value.';
comment on column ledger.rectifications.not_searched is
'Tables and copies that may hold it and cannot be searched for the person: nobody can say that they are clean.';
comment on column ledger.rectifications.old_versions is
'The same for versions that are over: a history says what was held, and rightly so.';

reset role;

grant select on ledger.notices, ledger.relays, ledger.rectifications to retention_rights_officer;
