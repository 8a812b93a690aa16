-- Rewriting the tables that lost rows, so that no file holds them any more: which tables wait, and whether one
-- was rewritten. The rewriting itself cannot be done in a function. It is done by whoever owns the tables; what is
-- said about it is written here, by what the database sees of its own files and statistics.
set local role retention_owner;

-- Tables of this schema that name records for as long as they live, or while they are planned.
create or replace function ledger.tables_with_keys() returns text[]
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return array[
    'ambiguity_decisions', 'assignment_restarts', 'blockers', 'column_grounds', 'deletion_orders', 'disclosures',
    'erasure_decisions', 'guards', 'notice_pointers', 'plan_items', 'received_via_partner', 'rectifications',
    'requests', 'returned_records', 'review_decisions', 'subject_tokens'
];

-- What was last rewritten by which finished run, and what that run covers.
create or replace view ledger.compacted as
select t.relation_schema, t.relation_name, t.part, max(c.compaction_id) as compaction_id, max(c.covers_entry) as covers_entry
from ledger.compacted_tables as t inner join ledger.compactions as c using (compaction_id)
where c.finished_at is not null and t.rewritten_at is not null
group by t.relation_schema, t.relation_name, t.part;
comment on view ledger.compacted is 'Each table that was ever rewritten, by its latest finished run.';

-- The tables that hold, or may hold, files with values of records purged under one of the categories: landing,
-- the copies of it that dbt built (the models that name records are given, what lineage traced is in the
-- evidence), our own tables that named them, and the catalogue's statistics of all of these. Columns made null
-- count under the category by which they were due, not under the one that keeps their row.
create or replace function ledger.waiting_for_compaction(
    categories text[], model_schemas text[], model_names text[]
) returns table (part text, relation_schema text, relation_name text, waiting_since timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    return query
    with done as materialized (
        -- Everything until here was rewritten: only later batches are looked into.
        select coalesce(max(c.covers_entry), 0) as entry_id
        from ledger.compactions as c
        where
            c.finished_at is not null
            and not exists (
                select from ledger.compacted_tables as t
                where t.compaction_id = c.compaction_id and t.rewritten_at is null
            )
    ),
    batches as materialized (
        select
            e.entry_id, e.at, (e.body::jsonb ->> 'plan_id')::uuid as plan_id,
            (e.body::jsonb ->> 'batch_no')::integer as batch_no, e.body::jsonb -> 'copies' as copies
        from ledger.entries as e
        where e.kind = 'batch' and e.entry_id > (select done.entry_id from done)
    ),
    purged as materialized (
        select distinct b.entry_id, b.at, b.copies, i.source_schema, i.source_table
        from batches as b inner join ledger.plan_items as i on i.plan_id = b.plan_id and i.batch_no = b.batch_no
        where i.state in ('purged', 'minimised') and i.category = any(categories)
    ),
    changed as (
        select 'landing' as part, p.source_schema as relation_schema, p.source_table as relation_name, p.entry_id, p.at
        from purged as p
        union
        select 'copy', n.nspname, c.relname, p.entry_id, p.at
        from purged as p
        cross join lateral jsonb_array_elements(p.copies) as copy
        inner join pg_class as c on c.relkind in ('r', 'p')
        inner join pg_namespace as n on n.oid = c.relnamespace
        where
            n.nspname || '.' || c.relname = copy ->> 'relation'
            and (coalesce((copy ->> 'deleted')::bigint, 0) > 0 or coalesce((copy ->> 'minimised')::bigint, 0) > 0)
        -- Every batch changes these, whatever its categories: where one is to be covered, all are.
        union
        select 'copy', model.name_of_schema, model.name, b.entry_id, b.at
        from unnest(model_schemas, model_names) as model (name_of_schema, name) cross join batches as b
        where exists (select from purged)
        union
        select 'ledger', 'ledger', own.name, b.entry_id, b.at
        from unnest(ledger.tables_with_keys()) as own (name) cross join batches as b
        where exists (select from purged)
    ),
    waiting as materialized (
        select changed.part, changed.relation_schema, changed.relation_name, min(changed.at) as since
        from changed
        where
            to_regclass(format('%I.%I', changed.relation_schema, changed.relation_name)) is not null
            and not exists (
                select from ledger.compacted as known
                where
                    known.relation_schema = changed.relation_schema
                    and known.relation_name = changed.relation_name
                    and known.covers_entry >= changed.entry_id
            )
        group by changed.part, changed.relation_schema, changed.relation_name
    ),
    -- Statistics that were renewed leave their old bytes in the catalogue, so these come last, and always.
    stale as (
        select min(waiting.since) as since from waiting
        union all
        select min(c.finished_at)
        from ledger.compacted as known inner join ledger.compactions as c using (compaction_id)
        where
            known.part <> 'statistics' and known.compaction_id > coalesce((
                select min(s.compaction_id) from (
                    select max(k.compaction_id) as compaction_id from ledger.compacted as k
                    where k.part = 'statistics' group by k.relation_name
                ) as s
            ), 0)
    )
    select waiting.part, waiting.relation_schema, waiting.relation_name, waiting.since
    from waiting
    union all
    select 'statistics', 'pg_catalog', catalogue.name, min(stale.since)
    from unnest(array['pg_statistic', 'pg_statistic_ext_data']) as catalogue (name) cross join stale
    group by catalogue.name
    having min(stale.since) is not null
    order by 1, 2, 3;
end
$$;

-- The files that a table lies in: its own, its partitions', their TOAST, and every index.
create or replace function ledger.files_of(relation regclass) returns oid[]
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    with heaps as (
        select relation::oid as oid union select tree.relid from pg_partition_tree(relation) as tree
    ),
    stored as (
        select heaps.oid from heaps
        union
        select c.reltoastrelid from pg_class as c inner join heaps using (oid) where c.reltoastrelid <> 0
    )
    select coalesce(array_agg(lies.file order by lies.file), '{}')
    from (
        select pg_relation_filenode(stored.oid) as file from stored
        union
        select pg_relation_filenode(i.indexrelid) from pg_index as i inner join stored on i.indrelid = stored.oid
    ) as lies
    where lies.file <> 0
$$;

create or replace function ledger.bytes_of(relation regclass) returns bigint
language sql volatile
set search_path = pg_catalog, ledger, pg_temp as $$
    select coalesce(sum(pg_total_relation_size(heaps.oid)), 0)::bigint
    from (select relation::oid as oid union select tree.relid from pg_partition_tree(relation) as tree) as heaps
$$;

-- Raises unless this session holds the purge's lock, nothing is halted and no model is being built.
create or replace function ledger.refuse_compaction() returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if not ledger.holds_purge_lock() then
        raise exception using errcode = 'SL003', message = 'tables are rewritten behind the purge''s lock only';
    end if;
    if ledger.halt_objection() is not null then
        raise exception using errcode = 'SL003', message = ledger.halt_objection();
    end if;
    if exists (
        select from ledger.classifications as c
        where
            c.finished_at is null
            and c.classification_id = (select max(latest.classification_id) from ledger.classifications as latest)
    ) then
        raise exception using errcode = 'SL003',
        message = 'the records are being classified: wait for it to end; if it was cut short, `retention run` again';
    end if;
end
$$;

-- Begins a run over everything that waits. Returns its number, null where nothing does.
create or replace function ledger.begin_compaction(
    categories text[], model_schemas text[], model_names text[]
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    run bigint;
begin
    perform ledger.refuse_compaction();
    if not exists (select from ledger.waiting_for_compaction(categories, model_schemas, model_names)) then
        return null;
    end if;
    -- Behind the lock no batch is under way: every entry of one is committed.
    insert into ledger.compactions (covers_entry)
    select coalesce(max(e.entry_id), 0) from ledger.entries as e where e.kind = 'batch'
    returning compaction_id into run;
    insert into ledger.compacted_tables (compaction_id, part, relation_schema, relation_name, waiting_since)
    select run, w.part, w.relation_schema, w.relation_name, w.waiting_since
    from ledger.waiting_for_compaction(categories, model_schemas, model_names) as w;
    return run;
end
$$;

create or replace function ledger.tables_of_compaction(compaction_id bigint)
returns table (part text, relation_schema text, relation_name text)
language sql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    select t.part, t.relation_schema, t.relation_name
    from ledger.compacted_tables as t
    where t.compaction_id = tables_of_compaction.compaction_id
    order by t.part = 'statistics', t.part, t.relation_schema, t.relation_name
$$;

-- Before a table is rewritten: notes the files that it lies in. Returns what would have the rewrite copy deleted
-- rows, null where nothing would: rows that an open transaction may still see are not left behind.
create or replace function ledger.enter_table(compaction_id bigint, relation_schema text, relation_name text)
returns text
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    relation regclass := to_regclass(format('%I.%I', enter_table.relation_schema, enter_table.relation_name));
    begun xid;
    holding text;
begin
    perform ledger.refuse_compaction();
    if not exists (select from pg_class as c where c.oid = relation and c.relkind in ('r', 'p')) then
        return 'it is not there any more, or is no table';
    end if;
    update ledger.compacted_tables as t
    set since = coalesce(t.since, pg_current_xact_id()), files = null, rewritten_at = null
    from ledger.compactions as c
    where
        c.compaction_id = t.compaction_id and c.finished_at is null
        and t.compaction_id = enter_table.compaction_id
        and t.relation_schema = enter_table.relation_schema and t.relation_name = enter_table.relation_name
    returning t.since::xid into begun;
    if not found then
        raise exception using errcode = 'SL003', message = 'that table is not in this run, or the run has ended';
    end if;
    select found_one.what into holding
    from (
        select 1, format('a transaction of %s (process %s) that began before the rewrite is open', coalesce(a.usename, a.backend_type), a.pid)
        from pg_stat_activity as a
        where
            a.pid <> pg_backend_pid() and (a.datid is null or a.datname = current_database())
            -- A vacuum that is going on keeps no row for itself.
            and not exists (select from pg_stat_progress_vacuum as v where v.pid = a.pid)
            and greatest(age(a.backend_xmin), age(a.backend_xid)) > age(begun)
        union all
        select 2, format('the prepared transaction of %s of %s is open', p.owner, ledger.iso_time(p.prepared))
        from pg_prepared_xacts as p
        where p.database = current_database() and age(p.transaction) > age(begun)
        union all
        select 3, format('the replication slot %s keeps deleted rows', s.slot_name)
        from pg_replication_slots as s
        where
            age(s.xmin) > age(begun)
            or enter_table.relation_schema = 'pg_catalog' and age(s.catalog_xmin) > age(begun)
    ) as found_one (position, what)
    order by found_one.position, found_one.what
    limit 1;
    if holding is null then
        update ledger.compacted_tables as t
        set files = ledger.files_of(relation), bytes_before = ledger.bytes_of(relation)
        where
            t.compaction_id = enter_table.compaction_id
            and t.relation_schema = enter_table.relation_schema and t.relation_name = enter_table.relation_name;
    end if;
    return holding;
end
$$;

-- Statistics with values that were not renewed since: PostgreSQL renews none of a table that is empty, and none of
-- a column that is not looked at any more.
create or replace function ledger.old_statistics(compaction_id bigint, relation_schema text, relation_name text)
returns table (statistics text, of_schema text, of_relation text, of_column text, inherited boolean)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    relation regclass := to_regclass(format('%I.%I', old_statistics.relation_schema, old_statistics.relation_name));
    begun xid;
begin
    select t.since::xid into begun
    from ledger.compacted_tables as t
    where
        t.compaction_id = old_statistics.compaction_id and t.relation_schema = old_statistics.relation_schema
        and t.relation_name = old_statistics.relation_name;
    return query
    with heaps as (
        select relation::oid as oid union select tree.relid from pg_partition_tree(relation) as tree
    ),
    described as (
        select heaps.oid from heaps
        union
        select i.indexrelid from pg_index as i inner join heaps on i.indrelid = heaps.oid
    )
    select 'column', n.nspname::text, c.relname::text, a.attname::text, s.stainherit
    from pg_statistic as s
    inner join described on described.oid = s.starelid
    inner join pg_class as c on c.oid = s.starelid
    inner join pg_namespace as n on n.oid = c.relnamespace
    inner join pg_attribute as a on a.attrelid = s.starelid and a.attnum = s.staattnum
    where
        age(s.xmin) >= age(begun)
        and (
            s.stavalues1 is not null or s.stavalues2 is not null or s.stavalues3 is not null
            or s.stavalues4 is not null or s.stavalues5 is not null
        )
    union all
    select 'extended', n.nspname::text, e.stxname::text, null, d.stxdinherit
    from pg_statistic_ext_data as d
    inner join pg_statistic_ext as e on e.oid = d.stxoid
    inner join heaps on heaps.oid = e.stxrelid
    inner join pg_namespace as n on n.oid = e.stxnamespace
    where age(d.xmin) >= age(begun) and (d.stxdmcv is not null or d.stxdexpr is not null);
end
$$;

-- After it: returns why the table does not count as rewritten, null where it does.
create or replace function ledger.leave_table(compaction_id bigint, relation_schema text, relation_name text)
returns text
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    relation regclass := to_regclass(format('%I.%I', leave_table.relation_schema, leave_table.relation_name));
    entered ledger.compacted_tables;
    old bigint;
begin
    select t.* into entered
    from ledger.compacted_tables as t inner join ledger.compactions as c using (compaction_id)
    where
        t.compaction_id = leave_table.compaction_id and c.finished_at is null
        and t.relation_schema = leave_table.relation_schema and t.relation_name = leave_table.relation_name;
    if entered.files is null then
        raise exception using errcode = 'SL003', message = 'that table was not entered in this run';
    end if;
    if relation is null then
        return 'it is not there any more';
    end if;
    if entered.files && ledger.files_of(relation) then
        return 'it was not rewritten, or a part of it was not: the login may not maintain all of it';
    end if;
    if entered.part <> 'statistics' then
        select count(*) into old
        from ledger.old_statistics(
            leave_table.compaction_id, leave_table.relation_schema, leave_table.relation_name
        );
        if old > 0 then
            return format(
                'the statistics of %s of its columns were not renewed (it is empty, or they are not looked at any more):'
                ' have a superuser run this', old
            );
        end if;
    end if;
    update ledger.compacted_tables as t
    set rewritten_at = clock_timestamp(), bytes_after = ledger.bytes_of(relation)
    where
        t.compaction_id = leave_table.compaction_id
        and t.relation_schema = leave_table.relation_schema and t.relation_name = leave_table.relation_name;
    return null;
end
$$;

-- Ends a run and leaves its evidence: what was rewritten, what was left and why, which plans it covers, and how far
-- the write-ahead log reaches. What only the caller may have looked at comes from it. `reasons` are keyed by schema.table.
create or replace function ledger.finish_compaction(
    compaction_id bigint, reasons jsonb, checkpointed boolean, oldest_wal_at timestamptz, unowned_files integer
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    run ledger.compactions;
    covered_before bigint;
    written bigint;
begin
    select * into run
    from ledger.compactions as c
    where c.compaction_id = finish_compaction.compaction_id and c.finished_at is null
    for update;
    if not found then
        raise exception using errcode = 'SL003', message = 'there is no such compaction under way';
    end if;
    update ledger.compacted_tables as t
    set left_because = coalesce(reasons ->> (t.relation_schema || '.' || t.relation_name), 'it was not tried')
    where t.compaction_id = run.compaction_id and t.rewritten_at is null;
    select coalesce(max(c.covers_entry), 0) into covered_before
    from ledger.compactions as c
    where c.finished_at is not null and not exists (
        select from ledger.compacted_tables as t
        where t.compaction_id = c.compaction_id and t.rewritten_at is null
    );
    run.position := pg_current_wal_lsn();
    run.archive_mode := current_setting('archive_mode');
    written := ledger.append('compaction', jsonb_build_object(
        'compaction_id', run.compaction_id,
        'covers_entry', run.covers_entry,
        'plans', coalesce((
            select jsonb_agg(p.plan_id order by p.plan_id)
            from (
                select distinct e.body::jsonb ->> 'plan_id' as plan_id
                from ledger.entries as e
                where e.kind = 'batch' and e.entry_id > covered_before and e.entry_id <= run.covers_entry
            ) as p
        ), '[]'),
        'tables', coalesce((
            select jsonb_agg(jsonb_build_object(
                'table', t.relation_schema || '.' || t.relation_name, 'part', t.part,
                'bytes_before', t.bytes_before, 'bytes_after', t.bytes_after
            ) order by t.relation_schema, t.relation_name)
            from ledger.compacted_tables as t
            where t.compaction_id = run.compaction_id and t.rewritten_at is not null
        ), '[]'),
        'left', coalesce((
            select jsonb_agg(jsonb_build_object(
                'table', t.relation_schema || '.' || t.relation_name, 'part', t.part, 'reason', t.left_because
            ) order by t.relation_schema, t.relation_name)
            from ledger.compacted_tables as t
            where t.compaction_id = run.compaction_id and t.rewritten_at is null
        ), '[]'),
        'checkpointed', checkpointed,
        'wal_position', run.position::text,
        'archive_mode', run.archive_mode,
        'oldest_wal_at', ledger.iso_time(finish_compaction.oldest_wal_at),
        'unowned_files', finish_compaction.unowned_files,
        'run_by', session_user
    ));
    update ledger.compactions as c
    set finished_at = clock_timestamp(), entry_id = written, position = run.position,
        archive_mode = run.archive_mode, oldest_wal_at = finish_compaction.oldest_wal_at,
        unowned_files = finish_compaction.unowned_files
    where c.compaction_id = run.compaction_id;
    return written;
end
$$;

grant execute on function ledger.purge_lock, ledger.waiting_for_compaction to retention_reader, retention_compactor;
grant execute on function
ledger.begin_compaction, ledger.tables_of_compaction, ledger.enter_table, ledger.old_statistics,
ledger.leave_table, ledger.finish_compaction
to retention_compactor;

reset role;
