-- Deletion orders to stores outside the warehouse: recordings, documents, scans that a row points to.
set local role retention_owner;

create table ledger.deletion_orders (
    order_id uuid primary key default gen_random_uuid(),
    plan_id uuid not null references ledger.plans,
    source_schema text not null,
    source_table text not null,
    token bytea not null,
    record_key text,
    guard_keys text[] not null,
    store text not null check (btrim(store) <> ''),
    object_pointer text,
    ordered_at timestamptz not null default now(),
    acknowledged_at timestamptz,
    acknowledged_by text,
    acknowledgement text check (btrim(acknowledgement) <> ''),
    erased_at timestamptz,
    -- Acknowledged by nobody, or without what the store answered, is not acknowledged.
    check (num_nonnulls(acknowledged_at, acknowledged_by, acknowledgement) in (0, 3)),
    check ((erased_at is null) = (object_pointer is not null)),
    check ((erased_at is null) = (record_key is not null)),
    check (erased_at is null or guard_keys = '{}')
);
-- One object of one row is ordered once for as long as the order lives.
create unique index on ledger.deletion_orders (source_schema, source_table, token, store, md5(object_pointer))
where erased_at is null;
create index on ledger.deletion_orders (store, ordered_at) where acknowledged_at is null and erased_at is null;
comment on table ledger.deletion_orders is
'What stores outside the warehouse were told to delete, and what they answered. A row goes only after that.';
comment on column ledger.deletion_orders.object_pointer is
'Personal data: null once the row is purged or the order is withdrawn. The rest of the order stays as evidence.';
comment on column ledger.deletion_orders.record_key is
'With guard_keys what a hold is recognised by when the order is handed over; erased with the pointer.';

reset role;

-- The purge writes orders and compares pointers. It neither acknowledges nor changes them; reading one as
-- a store's operator goes through ledger.hand_over_orders.
grant select on ledger.deletion_orders to retention_purger;
grant insert (plan_id, source_schema, source_table, token, record_key, guard_keys, store, object_pointer)
on ledger.deletion_orders to retention_purger;
