-- What was purged and landed again, how far each table was looked at, and who objected to marketing.
set local role retention_owner;

-- The deadline's anchor may be another record's date (a person's last contact). The record's own tells
-- whether a row that lands again is the row that was purged.
alter table ledger.tombstones add column own_on date;
comment on column ledger.tombstones.own_on is
'The record''s own date when it was purged; null where it had none. anchor_on is what its deadline ran from.';

create table ledger.returned_records (
    source_schema text not null,
    source_table text not null,
    record_key text not null,
    anchor_on date,
    own_on date,
    rule_id text not null,
    plan_id uuid not null references ledger.plans,
    purged_at timestamptz not null,
    found_at timestamptz not null default now(),
    primary key (source_schema, source_table, record_key)
);
comment on table ledger.returned_records is
'Rows in landing whose token has a tombstone, with what the tombstones say of them. The models judge which '
'of them are resurrections. A row goes with its landing row, and when it is purged again.';

create table ledger.returns_looked_for (
    source_schema text not null,
    source_table text not null,
    relation oid not null,
    written_since xid8 not null,
    looked_at timestamptz not null default now(),
    primary key (source_schema, source_table)
);
comment on table ledger.returns_looked_for is
'How far each landing table was looked at: rows that an older transaction wrote have been met with every '
'tombstone there was. Of a table that was made anew (another oid) nothing has been looked at.';

create table ledger.suppressions (
    kind text not null check (kind in ('email', 'phone')),
    token bytea not null,
    key_id text not null,
    source_schema text not null,
    source_table text not null,
    added_at timestamptz not null default now(),
    primary key (kind, token)
);
comment on table ledger.suppressions is
'Contact points whose owner objected to marketing, as keyed tokens of a key of their own. They outlive the '
'objection''s landing row and every purge.';

reset role;

-- As for everything else that a classification and a purge write by themselves.
grant select, insert, update, delete on ledger.returned_records, ledger.returns_looked_for to retention_purger;
grant select, insert on ledger.suppressions to retention_purger;
