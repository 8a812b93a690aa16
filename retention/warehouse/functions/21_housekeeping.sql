-- Housekeeping in the ledger: what plans leave behind, and how old a replay is. Each function that says what is due
-- is the one that the removal asks, so that a dry run and a real one never differ. Evidence is not in reach.
set local role retention_owner;

-- As everything that deletes: behind the purge's lock, which a halt waits for, and not while halted. Whoever looks
-- into what went wrong wants the traces.
create or replace function ledger.begin_removal() returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if not pg_try_advisory_xact_lock(ledger.purge_lock()) then
        raise exception using errcode = 'SL003',
        message = 'a purge or a classification is going on: keep house when it has ended';
    end if;
    if ledger.halt_objection() is not null then
        raise exception using errcode = 'SL003', message = ledger.halt_objection();
    end if;
end
$$;

-- --- plans that ran out ----------------------------------------------------------------------------------------

-- Plans past their day that nobody closed: planning does it, but nobody may plan for long. They hold keys until then.
create or replace function ledger.expired_plans() returns setof uuid
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select p.plan_id
    from ledger.plans as p
    where
        p.expires_on < ledger.today()
        and (
            p.state in ('proposed', 'approved')
            -- An executor that lives ends its plan itself.
            or p.state = 'executing' and not exists (
                select from pg_locks as l
                where
                    l.locktype = 'advisory' and l.granted and l.objsubid = 1
                    and l.database = (select d.oid from pg_database as d where d.datname = current_database())
                    and (l.classid::bigint << 32 | l.objid::bigint) = ledger.executor_lock()
            )
        )
$$;

create or replace function ledger.close_expired_plans() returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    plan ledger.plans;
    closed bigint := 0;
begin
    perform ledger.begin_removal();
    for plan in
        -- A plan that somebody has locked is being worked on: the next night will do.
        select p.* from ledger.plans as p
        where p.plan_id in (select ledger.expired_plans())
        for update skip locked
    loop
        if plan.state = 'proposed' then
            perform ledger.close_plan(plan.plan_id, 'expired', 'planned', 'withdrawn');
            closed := closed + 1;
        elsif ledger.finish_plan(plan.plan_id) then
            closed := closed + 1;
        end if;
    end loop;
    return closed;
end
$$;

-- --- items that purged nothing ---------------------------------------------------------------------------------

-- The tokens of records that a plan held and did not touch, of plans that ended before that day. What an order
-- names stays, since the deletion report counts the orders by it.
create or replace function ledger.due_plan_items(ended_before date) returns table (plan_id uuid, item_no bigint)
language sql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    select i.plan_id, i.item_no
    from ledger.plans as p
    inner join ledger.plan_items as i on p.plan_id = i.plan_id
    where
        p.state in ('rejected', 'expired', 'superseded', 'empty', 'executed')
        and ended_before < ledger.today()
        and coalesce((coalesce(p.executed_at, p.rejected_at) at time zone 'Europe/Oslo')::date, p.expires_on)
        < ended_before
        and i.state in ('skipped', 'withdrawn')
        and not exists (
            select from ledger.deletion_orders as o
            where o.source_schema = i.source_schema and o.source_table = i.source_table and o.token = i.token
        )
$$;

create or replace function ledger.forget_plan_items(ended_before date) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    forgotten bigint;
begin
    perform ledger.begin_removal();
    delete from ledger.plan_items as i
    using ledger.due_plan_items(forget_plan_items.ended_before) as due
    where i.plan_id = due.plan_id and i.item_no = due.item_no;
    get diagnostics forgotten = row_count;
    return forgotten;
end
$$;

-- --- tombstones -------------------------------------------------------------------------------------------------

-- A table that lies in landing, under whatever owner, can be loaded into again.
create or replace function ledger.is_there(source_schema text, source_table text) returns boolean
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select exists (
        select from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
        where n.nspname = source_schema and c.relname = source_table
    )
$$;

-- Since when a table with tombstones is neither declared nor there. One that returns begins anew.
create or replace function ledger.note_tables_gone(declared text[]) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    delete from ledger.tables_gone as g
    where
        g.source_schema || '.' || g.source_table = any(note_tables_gone.declared)
        or ledger.is_there(g.source_schema, g.source_table);
    insert into ledger.tables_gone (source_schema, source_table, gone_on)
    select buried.source_schema, buried.source_table, ledger.today()
    from (
        select t.source_schema, t.source_table from ledger.tombstones as t
        union
        select c.source_schema, c.source_table from ledger.column_tombstones as c
    ) as buried
    where
        not buried.source_schema || '.' || buried.source_table = any(note_tables_gone.declared)
        and not ledger.is_there(buried.source_schema, buried.source_table)
    on conflict do nothing;
end
$$;

-- Plans of which no record can return: each of its tables is gone since before that day. All of a plan's tokens go
-- together, or its batches could not be compared with their evidence any more.
create or replace function ledger.plans_beyond_return(gone_before date) returns setof uuid
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    with buried as (
        -- Most warehouses lose no table: then no tombstone is read.
        select t.plan_id, t.source_schema, t.source_table from ledger.tombstones as t
        where exists (select from ledger.tables_gone)
        union
        select c.plan_id, c.source_schema, c.source_table from ledger.column_tombstones as c
        where exists (select from ledger.tables_gone)
    )
    select buried.plan_id
    from buried
    inner join ledger.plans as p on buried.plan_id = p.plan_id
    left join ledger.tables_gone as g
        on buried.source_schema = g.source_schema and buried.source_table = g.source_table
    where p.state = 'executed' and gone_before < ledger.today()
    group by buried.plan_id
    having bool_and(
        coalesce(g.gone_on < gone_before, false)
        and not ledger.is_there(buried.source_schema, buried.source_table)
    )
$$;

create or replace function ledger.forget_tombstones(gone_before date) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    beyond uuid[];
    rows_of_records bigint;
    rows_of_columns bigint;
begin
    perform ledger.begin_removal();
    beyond := array(select ledger.plans_beyond_return(forget_tombstones.gone_before));
    delete from ledger.tombstones as t where t.plan_id = any(beyond);
    get diagnostics rows_of_records = row_count;
    delete from ledger.column_tombstones as c where c.plan_id = any(beyond);
    get diagnostics rows_of_columns = row_count;
    delete from ledger.plan_items as i where i.plan_id = any(beyond);
    update ledger.plans as p set tokens_forgotten_at = now() where p.plan_id = any(beyond);
    return rows_of_records + rows_of_columns;
end
$$;

-- --- exported deltas --------------------------------------------------------------------------------------------

create or replace function ledger.due_deltas(exported_before date) returns setof bigint
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select c.size
    from ledger.checkpoints as c
    where
        (c.exported_at at time zone 'Europe/Oslo')::date < exported_before and exported_before < ledger.today()
        and not exists (select from ledger.deltas_gone as g where g.size = c.size)
    order by c.size
$$;

create or replace function ledger.note_deltas_gone(sizes bigint[]) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    perform ledger.begin_removal();
    insert into ledger.deltas_gone (size) select unnest(note_deltas_gone.sizes) on conflict do nothing;
end
$$;

-- --- replays ----------------------------------------------------------------------------------------------------

-- The classifier builds them, and says when.
create or replace function ledger.note_replay(suffix text) returns void
language sql security definer
set search_path = pg_catalog, ledger, pg_temp
begin atomic
    insert into ledger.replays (suffix) values (note_replay.suffix)
    on conflict (suffix) do update set made_at = now();
end;

-- Replays that nobody noted count from the day they are first seen; those whose schemas are gone are forgotten.
create or replace function ledger.note_replays_seen() returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    delete from ledger.replays as r
    where not exists (
        select from pg_namespace as n
        where n.nspname ~ (r.suffix || '$') and pg_get_userbyid(n.nspowner) = 'retention_classifier'
    );
    insert into ledger.replays (suffix)
    select distinct substring(n.nspname from '_as_of_[0-9]{8}$')
    from pg_namespace as n
    where n.nspname ~ '_as_of_[0-9]{8}$' and pg_get_userbyid(n.nspowner) = 'retention_classifier'
    on conflict do nothing;
end
$$;

-- --- evidence ---------------------------------------------------------------------------------------------------

-- What was removed and what was due and stayed, by kind of trace: counts, and nothing else.
create or replace function ledger.record_housekeeping(removed jsonb, remaining jsonb) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if exists (
        select from (
            select e.key, e.value from jsonb_each(record_housekeeping.removed) as e
            union all
            select e.key, e.value from jsonb_each(record_housekeeping.remaining) as e
        ) as counted
        where jsonb_typeof(counted.value) <> 'number' or counted.key !~ '^[a-z_]+$'
    ) then
        raise exception using errcode = 'SL002', message = 'housekeeping leaves counts by kind of trace, nothing else';
    end if;
    return ledger.append('housekeeping', jsonb_build_object(
        'removed', record_housekeeping.removed, 'remaining', record_housekeeping.remaining, 'run_by', session_user
    ));
end
$$;

grant execute on function
ledger.expired_plans, ledger.due_plan_items, ledger.plans_beyond_return, ledger.is_there, ledger.due_deltas
to retention_reader, retention_purger;
grant execute on function
ledger.close_expired_plans, ledger.forget_plan_items, ledger.note_tables_gone, ledger.forget_tombstones,
ledger.note_deltas_gone,
ledger.record_housekeeping
to retention_purger;
grant execute on function ledger.note_replay, ledger.note_replays_seen to retention_classifier;

reset role;
