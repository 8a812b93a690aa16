-- Which keys were taken into use and which were destroyed. The keys themselves never reach the database.
set local role retention_owner;

create table ledger.keys (
    kind text not null check (kind in ('hmac', 'signing')),
    key_id text not null,
    public_key bytea check (octet_length(public_key) = 32),
    in_use_since timestamptz not null default clock_timestamp(),
    destroyed_at timestamptz,
    destroyed_by text,
    destroy_reason text check (btrim(destroy_reason) <> ''),
    primary key (kind, key_id),
    check ((kind = 'signing') = (public_key is not null)),
    check ((destroyed_at is null) = (destroyed_by is null)),
    check ((destroyed_at is null) = (destroy_reason is null))
);
comment on table ledger.keys is
'The ids of the keys that were taken into use. One that was not destroyed is expected to be at hand while '
'tombstones, plans or suppressions need it; what was written under a destroyed one is matched no more.';
comment on column ledger.keys.public_key is
'Of a signing key: what its signatures are verified with, also when the key itself is gone.';

insert into ledger.keys (kind, key_id, in_use_since)
select 'hmac', key_id, min(planned_at) from ledger.plans group by key_id;

reset role;
