-- The scan of an identity document: ordered from its store once identity was verified or the request has ended,
-- and its pointer removed from the landed row when the store has confirmed it. No plan: the scan has served.
set local role retention_owner;

-- Whether anything but a request keeps this request's row or person as they are: a court's hold, a restriction.
create or replace function ledger.is_held_otherwise(request ledger.requests) returns boolean
language sql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    select exists (
        select from ledger.blockers as b
        where
            b.released_at is null and b.guard_lifted_at is null
            and (b.scope, b.target) in (
                ('subject', request.subject_token::text),
                ('table', request.source_schema || '.' || request.source_table),
                ('record', request.source_schema || '.' || request.source_table || ':' || request.record_key)
            )
            and not exists (select from ledger.requests as r where r.hold_id = b.blocker_id)
    )
$$;

-- Locks what a blocker on these requests would change first, so that one being placed is waited for; whoever asks
-- afterwards, in a statement of its own, sees it.
create or replace function ledger.lock_request_guards(request_ids uuid[]) returns void
language sql
set search_path = pg_catalog, ledger, pg_temp as $$
    select from ledger.guards as g
    where g.guard_key in (
        select 'subject:' || r.subject_token::text from ledger.requests as r where r.request_id = any(request_ids)
        union
        select 'table:' || r.source_schema || '.' || r.source_table
        from ledger.requests as r where r.request_id = any(request_ids)
    )
    order by g.guard_key
    for update
$$;

-- The open orders for scans that a store's operator may be given now.
create or replace function ledger.scans_to_hand_over(store text) returns uuid[]
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    perform ledger.lock_request_guards(array(
        select o.request_id from ledger.deletion_orders as o
        where o.request_id is not null and o.acknowledged_at is null and o.erased_at is null
    ));
    return array(
        select o.order_id
        from ledger.deletion_orders as o inner join ledger.requests as r on o.request_id = r.request_id
        where
            o.acknowledged_at is null and o.erased_at is null
            and o.store = coalesce(scans_to_hand_over.store, o.store)
            and not ledger.is_held_otherwise(r)
    );
end
$$;

-- One landing table of requests: removes the pointers whose objects are confirmed gone, orders the deletion of those
-- that nobody has ordered, and notes which requests have none left. Only rows of requests, only this column, and only
-- the very pointer that was ordered: one that landed meanwhile is ordered anew.
create or replace function ledger.delete_scans(
    source_schema text, source_table text, key_columns text[], is_personal boolean, pointer_column text, store text,
    out ordered bigint, out emptied bigint
)
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    landing regclass := ledger.landing_table(delete_scans.source_schema, delete_scans.source_table);
    same_key text := ledger.key_condition(landing, delete_scans.key_columns, delete_scans.is_personal);
    confirmed uuid[];
    served uuid[];
    changed bigint;
begin
    if exists (select from ledger.halts as h where h.resumed_at is null) then
        raise exception using errcode = 'SL003', message = ledger.halt_objection();
    end if;
    perform ledger.refuse_reaction(landing, 16);
    select array_agg(r.request_id) into served
    from ledger.requests as r
    where
        r.source_schema = delete_scans.source_schema and r.source_table = delete_scans.source_table
        and r.record_key is not null and (r.verified_at is not null or r.state = 'closed');
    perform ledger.lock_request_guards(served);
    select array_agg(r.request_id) into served
    from ledger.requests as r where r.request_id = any(served) and not ledger.is_held_otherwise(r);

    -- Also of a row that was purged since: then there is nothing to empty.
    select array_agg(o.order_id) into confirmed
    from ledger.deletion_orders as o inner join ledger.requests as r on o.request_id = r.request_id
    where
        o.acknowledged_at is not null and o.erased_at is null
        and o.source_schema = delete_scans.source_schema and o.source_table = delete_scans.source_table
        and (r.record_key is null or r.request_id = any(served));
    execute format(
        $sql$
        with record as materialized (
            select o.record_key, o.object_pointer from ledger.deletion_orders as o where o.order_id = any($1)
        ),
        before as materialized (
            select record.record_key, row(%4$s)::text as others
            from %1$s as landed inner join record on %2$s
            where landed.%3$I::text = record.object_pointer
        ),
        emptied as (
            update %1$s as landed set %3$I = null
            from record
            where %2$s and landed.%3$I::text = record.object_pointer
            returning record.record_key, row(%4$s)::text as others
        )
        select count(*), count(*) filter (
            where not exists (
                select from before
                where before.record_key = emptied.record_key and before.others = emptied.others
            )
        ) from emptied
        $sql$,
        landing, same_key, delete_scans.pointer_column,
        (
            select string_agg(format('landed.%I', a.attname), ', ' order by a.attnum)
            from pg_attribute as a
            where
                a.attrelid = landing and a.attnum > 0 and not a.attisdropped
                and a.attname <> delete_scans.pointer_column
        )
    )
    into emptied, changed
    using confirmed;
    if changed > 0 then
        raise exception using errcode = 'SL003',
        message = format('other columns of %s would change with the pointer: nothing was emptied', landing);
    end if;
    perform ledger.erase_orders(confirmed, null, 'the scan is gone');
    if emptied > 0 then
        perform ledger.append('scans_deleted', jsonb_build_object(
            'table', delete_scans.source_schema || '.' || delete_scans.source_table,
            'column', delete_scans.pointer_column, 'rows', emptied, 'by', session_user
        ));
    end if;

    execute format(
        $sql$
        with pointing as materialized (
            select record.request_id, record.record_key, landed.%3$I::text as object_pointer
            from %1$s as landed
            inner join ledger.requests as record on record.request_id = any($1) and %2$s
            where btrim(landed.%3$I::text) <> ''
        ),
        noted as (
            update ledger.requests as r
            set scan_gone_at = case when r.scan_gone_at is null then now() end
            where
                r.request_id = any($1)
                and (r.scan_gone_at is null) = (r.request_id not in (select p.request_id from pointing as p))
        ),
        ordered as (
            insert into ledger.deletion_orders (
                request_id, source_schema, source_table, record_key, guard_keys, store, object_pointer
            )
            select distinct p.request_id, $2, $3, p.record_key, '{}'::text[], $4, p.object_pointer
            from pointing as p
            where not exists (
                select from ledger.deletion_orders as known
                where
                    known.request_id = p.request_id and known.store = $4
                    and known.object_pointer = p.object_pointer
            )
            returning 1
        )
        select count(*) from ordered
        $sql$,
        landing, same_key, delete_scans.pointer_column
    )
    into ordered
    using served, delete_scans.source_schema, delete_scans.source_table, delete_scans.store;
    if ordered > 0 then
        perform ledger.append('orders_issued', jsonb_build_object(
            'for', 'identity scans', 'issued_by', session_user,
            'stores', jsonb_build_array(jsonb_build_object(
                'store', delete_scans.store,
                'table', delete_scans.source_schema || '.' || delete_scans.source_table, 'orders', ordered
            ))
        ));
    end if;
end
$$;

grant execute on function ledger.is_held_otherwise to retention_reader, retention_purger, retention_rights_officer;
grant execute on function ledger.delete_scans to retention_purger;

reset role;
