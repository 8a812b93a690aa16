-- Deletion orders to stores outside the warehouse: handed over, acknowledged, withdrawn, erased.
set local role retention_owner;

-- Every order without its pointer.
create or replace view ledger.deletion_orders_shown as
select
    order_id,
    plan_id,
    source_schema,
    source_table,
    token,
    store,
    case
        when acknowledged_at is null and erased_at is null then 'open'
        when acknowledged_at is null then 'withdrawn'
        when erased_at is null then 'acknowledged'
        else 'done'
    end as state,
    ordered_at,
    acknowledged_at,
    acknowledged_by,
    acknowledgement,
    erased_at
from ledger.deletion_orders;
comment on view ledger.deletion_orders_shown is
'Deletion orders without what they point to: open, acknowledged (the row is still there), done, or withdrawn.';

-- Leaves evidence of the orders that this transaction wrote for a plan. Returns their number.
create or replace function ledger.attest_orders(plan_id uuid) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    stores jsonb;
    issued bigint;
begin
    select
        jsonb_agg(
            jsonb_build_object('store', counted.store, 'table', counted.qualified, 'orders', counted.orders)
            order by counted.store collate "C", counted.qualified collate "C"
        ),
        coalesce(sum(counted.orders), 0)
    into stores, issued
    from (
        select o.store, o.source_schema || '.' || o.source_table as qualified, count(*) as orders
        from ledger.deletion_orders as o
        where o.plan_id = attest_orders.plan_id and o.ordered_at = now()
        group by o.store, o.source_schema, o.source_table
    ) as counted;
    if issued > 0 then
        perform ledger.append('orders_issued', jsonb_build_object(
            'plan_id', attest_orders.plan_id, 'stores', stores, 'issued_by', session_user
        ));
    end if;
    return issued;
end
$$;

-- Erases orders and, where they were still open, says so: they are withdrawn.
create or replace function ledger.erase_orders(orders uuid[], plan_id uuid, reason text) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    withdrawn bigint;
begin
    with erased as (
        update ledger.deletion_orders as o
        set object_pointer = null, record_key = null, guard_keys = '{}', erased_at = now()
        where o.order_id = any(orders) and o.erased_at is null
        returning o.acknowledged_at
    )
    select count(*) into withdrawn from erased where acknowledged_at is null;
    if withdrawn > 0 then
        perform ledger.append('orders_withdrawn', jsonb_strip_nulls(jsonb_build_object(
            'plan_id', erase_orders.plan_id, 'orders', withdrawn, 'reason', erase_orders.reason,
            'by', session_user
        )));
    end if;
end
$$;

-- The pointers of rows go in the transaction in which the rows went.
create or replace function ledger.erase_orders_of_batch(plan_id uuid, batch_no integer) returns void
language sql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    update ledger.deletion_orders as o
    set object_pointer = null, record_key = null, guard_keys = '{}', erased_at = now()
    from ledger.plan_items as i
    where
        i.plan_id = erase_orders_of_batch.plan_id
        and i.batch_no = erase_orders_of_batch.batch_no
        and i.state = 'purged'
        and o.source_schema = i.source_schema
        and o.source_table = i.source_table
        and o.token = i.token
        and o.erased_at is null
$$;

-- Withdraws the open orders of a plan's rows when the plan is rejected or expires before its end, also
-- where an earlier plan gave them: nobody stands behind these rows any more.
create or replace function ledger.withdraw_orders_of_plan(plan uuid, reason text) returns void
language sql
set search_path = pg_catalog, ledger, pg_temp as $$
    select ledger.erase_orders(array_agg(o.order_id), plan, reason)
    from ledger.deletion_orders as o
    where
        o.acknowledged_at is null and o.erased_at is null
        and exists (
            select from ledger.plan_items as i
            where
                i.plan_id = plan and i.source_schema = o.source_schema
                and i.source_table = o.source_table and i.token = o.token
        )
$$;

-- Withdraws open orders whose record is not due any more by the last classification, and erases those that
-- were acknowledged once their record is gone from a table that was read.
create or replace function ledger.withdraw_stale_orders() returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    perform ledger.erase_orders(array_agg(o.order_id), null, 'no longer overdue')
    from ledger.deletion_orders as o
    left join retention.records as r
        on o.source_schema = r.source_schema and o.source_table = r.source_table and o.record_key = r.record_key
    where
        o.erased_at is null and o.request_id is null
        and case
            when o.acknowledged_at is null then r.status <> 'overdue'
            else r.record_key is null and exists (
                select from retention.records as others
                where others.source_schema = o.source_schema and others.source_table = o.source_table
            )
        end;
end
$$;

-- Hands open orders over to a store's operator: the only way to read a pointer, and from here on nothing
-- brings the object back. So it looks as a batch does: today's classification, still overdue, no decision
-- since, and guards that are locked and tested in one statement. What is held stays out.
create or replace function ledger.hand_over_orders(store text default null) returns table (
    order_id uuid, at_store text, source_schema text, source_table text, object_pointer text, ordered_at timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    last ledger.classifications;
    chosen uuid[];
begin
    select * into last from ledger.classifications order by classification_id desc limit 1;
    if last.finished_at is null or last.as_of <> ledger.today() then
        raise exception using errcode = 'SL003',
        message = 'the records were not classified today: run `retention run` first, then hand the orders over';
    end if;
    with wanted as materialized (
        select o.order_id, o.source_schema, o.source_table, o.record_key, o.guard_keys
        from ledger.deletion_orders as o
        where
            o.acknowledged_at is null and o.erased_at is null
            and o.store = coalesce(hand_over_orders.store, o.store)
    ),
    free as materialized (
        select g.guard_key, g.records
        from ledger.guards as g
        where g.guard_key = any(array(select unnest(w.guard_keys) from wanted as w)) and g.blockers = 0
        order by g.guard_key
        for update of g
    )
    select array_agg(w.order_id) into chosen
    from wanted as w
    where
        w.guard_keys <@ array(select f.guard_key from free as f)
        and not exists (
            select from free as f
            where f.guard_key = 'table:' || w.source_schema || '.' || w.source_table and w.record_key = any(f.records)
        );
    -- A new statement, so that a decision that was waited for is seen.
    select array_agg(o.order_id) into chosen
    from ledger.deletion_orders as o
    inner join retention.records as r
        on o.source_schema = r.source_schema and o.source_table = r.source_table and o.record_key = r.record_key
    inner join ledger.plans as p on o.plan_id = p.plan_id
    where
        o.order_id = any(chosen)
        and p.approved_by is not null
        and (p.state = 'executed' or p.expires_on >= ledger.today())
        and r.status = 'overdue'
        and not exists (
            select from ledger.review_decisions as d
            where
                d.source_schema = o.source_schema and d.source_table = o.source_table
                and d.record_key = o.record_key and d.decided_at > p.planned_at
        );
    chosen := chosen || ledger.scans_to_hand_over(hand_over_orders.store);
    perform ledger.append('orders_handed_over', jsonb_build_object(
        'store', counted.store, 'orders', counted.orders, 'to', session_user
    ))
    from (
        select o.store, count(*) as orders
        from ledger.deletion_orders as o where o.order_id = any(chosen) group by o.store
    ) as counted;
    return query
        select o.order_id, o.store, o.source_schema, o.source_table, o.object_pointer, o.ordered_at
        from ledger.deletion_orders as o
        where o.order_id = any(chosen)
        order by o.store, o.ordered_at, o.order_id;
end
$$;

-- Records that stores deleted what they were ordered to, as the login that says so, each with the store's
-- reference. Orders that were acknowledged before are left as they are. Returns how many are new.
create or replace function ledger.acknowledge_orders(
    orders uuid[], answers text[], kind text default 'person'
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    stores jsonb;
    acknowledged bigint;
begin
    if coalesce(kind, '') not in ('person', 'demonstration') then
        raise exception using errcode = 'SL002', message = 'an acknowledgement is a person''s or the demonstration''s';
    end if;
    if kind = 'demonstration' and not ledger.only_samples() then
        raise exception using errcode = 'SL003',
        message = 'the demonstration acknowledges only where every landing schema bears the sample''s marker';
    end if;
    if cardinality(orders) <> cardinality(answers)
        or exists (select from unnest(answers) as a (answer) where coalesce(btrim(answer), '') = '')
    then
        raise exception using errcode = 'SL002', message = 'an acknowledgement needs the store''s reference';
    end if;
    if exists (
        select from unnest(orders) as asked (id)
        where not exists (select from ledger.deletion_orders as o where o.order_id = asked.id)
    ) then
        raise exception using errcode = 'SL002', message = 'there is no such order: `retention orders list` shows them';
    end if;
    perform from ledger.deletion_orders as o where o.order_id = any(orders) order by o.order_id for update;
    if exists (
        select from ledger.deletion_orders as o
        where o.order_id = any(orders) and o.acknowledged_at is null and o.erased_at is not null
    ) then
        raise exception using errcode = 'SL003',
        message = 'an order among them was withdrawn: leave it out; where the store deleted the object all the'
        || ' same, tell the data protection officer';
    end if;
    with answered as (
        update ledger.deletion_orders as o
        set acknowledged_at = now(), acknowledged_by = session_user, acknowledgement = btrim(a.answer)
        from (select distinct on (id) id, answer from unnest(orders, answers) as t (id, answer)) as a
        where o.order_id = a.id and o.acknowledged_at is null
        returning o.store
    ),
    counted as (
        select answered.store, count(*) as orders from answered group by answered.store
    )
    select
        jsonb_agg(jsonb_build_object('store', c.store, 'orders', c.orders) order by c.store collate "C"),
        coalesce(sum(c.orders), 0)
    into stores, acknowledged
    from counted as c;
    if acknowledged > 0 then
        perform ledger.append('orders_acknowledged', jsonb_build_object(
            'stores', stores, 'kind', acknowledge_orders.kind, 'acknowledged_by', session_user
        ));
    end if;
    return acknowledged;
end
$$;

grant select on ledger.deletion_orders_shown to retention_reader, retention_approver, retention_purger;
grant execute on function ledger.attest_orders, ledger.erase_orders_of_batch, ledger.withdraw_stale_orders
to retention_purger;
grant execute on function ledger.hand_over_orders, ledger.acknowledge_orders to retention_approver, retention_purger;

reset role;
