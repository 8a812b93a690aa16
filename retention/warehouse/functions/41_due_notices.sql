-- Which due dates an owner has not been told of by a channel, and remembering what is told. Counts only.
set local role retention_owner;

-- Records of these tables that fall due within the policy's days of notice and that nothing blocks, less what that
-- channel has already told the owner of the same table, category and day. Who is told for the first time is told all.
create or replace function ledger.due_untold(
    owner text, channel text, source_schemas text[], source_tables text[]
) returns table (source_schema text, source_table text, category text, due_on date, records bigint)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    return query
    with due as (
        select r.source_schema, r.source_table, coalesce(r.category, 'unclassified') as category, r.due_on,
            count(*) as records
        from retention.records as r
        inner join unnest(due_untold.source_schemas, due_untold.source_tables) as t (schema_name, table_name)
            on r.source_schema = t.schema_name and r.source_table = t.table_name
        cross join intermediate.int_clock as clock
        -- The status says that nothing blocks it; the days are for the index.
        where
            r.status = 'due_soon' and r.due_on > clock.as_of and r.due_on <= clock.as_of + clock.due_soon_days
        group by 1, 2, 3, 4
    ),
    told as (
        select l.source_schema, l.source_table, l.category, l.due_on, sum(l.records)::bigint as records
        from ledger.due_notice_lines as l
        inner join ledger.due_notices as n on l.notice_id = n.notice_id
        cross join intermediate.int_clock as clock
        where
            n.owner = due_untold.owner and n.channel = due_untold.channel and n.state = 'sent'
            and l.due_on > clock.as_of
        group by 1, 2, 3, 4
    )
    select due.source_schema, due.source_table, due.category, due.due_on, due.records - coalesce(told.records, 0)
    from due
    left join told
        on due.source_schema = told.source_schema and due.source_table = told.source_table
        and due.category = told.category and due.due_on = told.due_on
    where due.records > coalesce(told.records, 0)
    order by 4, 1, 2, 3;
end
$$;

-- Remembers that what was not told yet is being told now, and returns the notice with whether it may repeat another;
-- no row where there is nothing to tell. For whoever holds `ledger.due_notices_lock()`: so a notice of that owner and
-- channel that is still being sent was cut short, and nobody knows whether it arrived.
create or replace function ledger.begin_due_notice(
    owner text, channel text, source_schemas text[], source_tables text[]
) returns table (notice_id uuid, repeats boolean)
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    begun uuid := gen_random_uuid();
    unsure boolean;
begin
    perform ledger.refuse_without_due_notices_lock();
    update ledger.due_notices as n set state = 'interrupted', ended_at = now()
    where n.owner = begin_due_notice.owner and n.channel = begin_due_notice.channel and n.state = 'sending';
    -- What was cut short may have arrived, and so may what a slow service did not answer in time.
    select exists (
        select from ledger.due_notices as n
        where
            n.owner = begin_due_notice.owner and n.channel = begin_due_notice.channel
            and n.state in ('interrupted', 'failed')
            and n.begun_at > coalesce((
                select max(s.begun_at) from ledger.due_notices as s
                where
                    s.owner = begin_due_notice.owner and s.channel = begin_due_notice.channel and s.state = 'sent'
            ), '-infinity')
    ) into unsure;
    insert into ledger.due_notices (notice_id, owner, channel, as_of, repeats)
    select begun, begin_due_notice.owner, begin_due_notice.channel, clock.as_of, unsure
    from intermediate.int_clock as clock
    where exists (
        select from ledger.due_untold(
            begin_due_notice.owner, begin_due_notice.channel,
            begin_due_notice.source_schemas, begin_due_notice.source_tables
        )
    );
    if not found then
        return;
    end if;
    insert into ledger.due_notice_lines (notice_id, source_schema, source_table, category, due_on, records)
    select begun, u.source_schema, u.source_table, u.category, u.due_on, u.records
    from ledger.due_untold(
        begin_due_notice.owner, begin_due_notice.channel,
        begin_due_notice.source_schemas, begin_due_notice.source_tables
    ) as u;
    return query select begun, unsure;
end
$$;

-- Remembers what became of a notice: it was taken, or it was not, for a failure in one word.
create or replace function ledger.end_due_notice(notice uuid, failure text default null) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    perform ledger.refuse_without_due_notices_lock();
    update ledger.due_notices as n
    set
        state = case when end_due_notice.failure is null then 'sent' else 'failed' end,
        failure = end_due_notice.failure, ended_at = now()
    where n.notice_id = end_due_notice.notice and n.state = 'sending';
    if not found then
        raise exception using errcode = 'SL003', message = 'that notice is not being sent';
    end if;
end
$$;

-- Held, for a session, by whoever sends: two that send at once would tell everything twice.
create or replace function ledger.due_notices_lock() returns bigint
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return 1374584578;

create or replace function ledger.refuse_without_due_notices_lock() returns void
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if not exists (
        select from pg_locks as l
        where
            l.locktype = 'advisory' and l.objsubid = 1 and l.granted and l.pid = pg_backend_pid()
            and (l.classid::bigint << 32 | l.objid::bigint) = ledger.due_notices_lock()
    ) then
        raise exception using errcode = 'SL003',
        message = 'only `retention notices due` and the daily job tell what falls due';
    end if;
end
$$;

grant execute on function ledger.due_untold to retention_reader, retention_planner;
grant execute on function ledger.begin_due_notice, ledger.end_due_notice, ledger.due_notices_lock
to retention_planner;

reset role;
