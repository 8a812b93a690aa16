-- The one way by which a purge changes a landing table: the purger has no right to write there, and calls these.
-- They run with the owner's rights, take names and no SQL, and test again what they rest on.
set local role retention_owner;

-- The landing table of that name. Raises for what is none: our own schemas, views, what a delete sets off code in.
create or replace function ledger.landing_table(source_schema text, source_table text) returns regclass
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    found_table pg_class;
begin
    select c.* into found_table
    from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
    where
        n.nspname = landing_table.source_schema and c.relname = landing_table.source_table
        and c.relkind in ('r', 'p') and not c.relispartition and not c.relrowsecurity
        and n.nspname !~ '^(ledger|sletteplikt|(policy|staging|intermediate|retention)(_as_of_\d{8})?)$'
        and n.nspname !~ '^(pg_|information_schema$)';
    if not found then
        raise exception using errcode = 'SL003',
        message = format('%s.%s is no landing table', landing_table.source_schema, landing_table.source_table);
    end if;
    return found_table.oid;
end
$$;

-- Keeps every writer out of landing tables until the transaction ends.
create or replace function ledger.lock_landing(source_schemas text[], source_tables text[]) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    names text;
begin
    -- As text a regclass is qualified and quoted where it must be.
    select string_agg(ledger.landing_table(t.source_schema, t.source_table)::text, ', ' order by t.position)
    into names
    from unnest(lock_landing.source_schemas, lock_landing.source_tables)
        with ordinality as t (source_schema, source_table, position);
    if names is not null then
        execute 'lock table ' || names || ' in share mode';
    end if;
end
$$;

-- Under which condition the row `landed` of a landing table is that of `record`: the key as text, cast back to the
-- column's type, so that the table's own index finds it.
create or replace function ledger.key_condition(landing regclass, columns text[], is_personal boolean) returns text
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    condition text;
begin
    if key_condition.is_personal then
        return format('sletteplikt.link_hash(''key'', landed.%I::text) = record.record_key', columns[1]);
    end if;
    -- Casting to a type of somebody's own making would run its author's code with the owner's rights.
    select string_agg(
        format(
            case when cardinality(columns) = 1
                then 'landed.%1$I = record.record_key::%3$s'
                else 'landed.%1$I = (record.record_key::jsonb ->> %2$s)::%3$s'
            end,
            a.attname, key.position - 1, format_type(a.atttypid, -1)
        ), ' and '
    ) into condition
    from unnest(columns) with ordinality as key (name, position)
    inner join pg_attribute as a on a.attrelid = key_condition.landing and a.attname = key.name and not a.attisdropped
    inner join pg_type as t on a.atttypid = t.oid
    where t.typnamespace = 'pg_catalog'::regnamespace or t.typtype = 'e'
    having count(*) = cardinality(columns);
    if condition is null then
        raise exception using errcode = 'SL003', message = format(
            'the key of %s is not there any more, or of a type that is not PostgreSQL''s own', landing
        );
    end if;
    return condition;
end
$$;

-- The same for an item of a plan: which columns are the key was frozen with it.
create or replace function ledger.same_key(plan uuid, landing regclass, source_schema text, source_table text)
returns text
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    frozen ledger.plan_keys;
begin
    select * into frozen
    from ledger.plan_keys as k
    where
        k.plan_id = same_key.plan and k.source_schema = same_key.source_schema
        and k.source_table = same_key.source_table;
    if not found then
        raise exception using errcode = 'SL003',
        message = format('the plan holds nothing of %s.%s', same_key.source_schema, same_key.source_table);
    end if;
    return ledger.key_condition(same_key.landing, frozen.columns, frozen.is_personal);
end
$$;

-- Raises unless the caller, here and now, is the plan's one executor and may purge.
create or replace function ledger.refuse_stranger(plan_id uuid, fence bigint) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    plan ledger.plans;
    objection text;
begin
    if not ledger.holds_purge_lock() then
        raise exception using errcode = 'SL003', message = 'only a batch, behind the purge''s lock, changes landing';
    end if;
    select * into plan from ledger.plans as p where p.plan_id = refuse_stranger.plan_id for update;
    objection := case
        when plan.plan_id is null then 'there is no such plan: `retention plan list` shows them'
        when plan.state <> 'executing' then 'the plan is ' || plan.state || ', not being carried out'
        when plan.fence is distinct from refuse_stranger.fence
            then 'another purge of the plan was started since and has taken it over: let that one go on'
        -- A halt that was called while the batch was going lets it come to its end.
        when exists (select from ledger.halts as h where h.resumed_at is null and h.halted_at <= now())
            then ledger.halt_objection()
        when plan.expires_on < ledger.today() then 'the plan expired on ' || plan.expires_on || ': make a new one'
        else ledger.classification_objection(plan.code_hash)
    end;
    if objection is not null then
        raise exception using errcode = 'SL003', message = objection;
    end if;
end
$$;

-- Raises where a change of the table would run code that is not PostgreSQL's own: it would run with the owner's
-- rights. `event` is the bit of pg_trigger.tgtype: 8 a delete, 16 an update.
create or replace function ledger.refuse_reaction(landing regclass, event integer) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    relations oid[] := array(select landing union select tree.relid from pg_partition_tree(landing) as tree);
begin
    if exists (
        select from pg_trigger as t
        where
            t.tgrelid = any(relations) and not t.tgisinternal and t.tgenabled <> 'D'
            and (t.tgtype & refuse_reaction.event) <> 0
    ) or exists (
        select from pg_rewrite as r
        where r.ev_class = any(relations) and r.ev_type = case refuse_reaction.event when 8 then '4' else '2' end
    ) then
        raise exception using errcode = 'SL003',
        message = format('%s has a trigger or a rule that would answer the purge', landing);
    end if;
    -- Constraints, generated columns and indexes are evaluated for a row that is written. PostgreSQL notes on
    -- which functions they depend, its own left out.
    if refuse_reaction.event = 16 and exists (
        select from pg_depend as d
        where
            d.refclassid = 'pg_proc'::regclass
            and (
                (d.classid = 'pg_constraint'::regclass
                    and d.objid in (select c.oid from pg_constraint as c where c.conrelid = any(relations)))
                or (d.classid = 'pg_attrdef'::regclass
                    and d.objid in (select a.oid from pg_attrdef as a where a.adrelid = any(relations)))
                or (d.classid = 'pg_class'::regclass
                    and d.objid in (select i.indexrelid from pg_index as i where i.indrelid = any(relations)))
            )
    ) then
        raise exception using errcode = 'SL003', message = format(
            '%s has a constraint, a generated column or an index with a function of its own', landing
        );
    end if;
end
$$;

-- Raises where one of the items is held, restricted or locked, or was decided otherwise; locks the guards as it
-- tests them.
create or replace function ledger.refuse_guarded(
    plan uuid, first_item bigint, last_item bigint, source_schema text, source_table text
) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    held bigint;
begin
    with items as materialized (
        select i.guard_keys, i.record_key, i.disposition
        from ledger.plan_items as i
        where
            i.plan_id = refuse_guarded.plan and i.item_no between first_item and last_item and i.state = 'planned'
            and i.source_schema = refuse_guarded.source_schema and i.source_table = refuse_guarded.source_table
    ),
    free as materialized (
        select g.guard_key, g.records, g.row_only
        from ledger.guards as g
        where g.guard_key = any(array(select distinct unnest(items.guard_keys) from items)) and g.blockers = 0
        order by g.guard_key
        for update of g
    )
    select count(*) into held
    from items
    where
        exists (
            select from unnest(items.guard_keys) as key (name) where key.name not in (select f.guard_key from free as f)
        )
        or items.record_key in (select unnest(f.records) from free as f)
        or (items.disposition <> 'minimise' and items.record_key in (select unnest(f.row_only) from free as f));
    if held > 0 then
        raise exception using errcode = 'SL003', message = format(
            '%s records of %s.%s are held, restricted or locked: nothing of the batch was done',
            held, refuse_guarded.source_schema, refuse_guarded.source_table
        );
    end if;
    -- Behind the guards, which whoever decides locks before: under read committed this sees every decision.
    perform ledger.refuse_undecided(refuse_guarded.plan, first_item, last_item);
end
$$;

-- Deletes the planned items of one landing table, marks them and writes their tombstones, in one statement.
-- An item loses its key as it becomes purged. `deleted`, `marked` and `buried` differ where a key stood for
-- more than one row; the caller must then undo the batch.
create or replace function ledger.delete_landing(
    plan_id uuid, fence bigint, batch_no integer, first_item bigint, last_item bigint,
    source_schema text, source_table text,
    out deleted bigint, out marked bigint, out buried bigint
)
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    landing regclass := ledger.landing_table(delete_landing.source_schema, delete_landing.source_table);
begin
    perform ledger.refuse_stranger(delete_landing.plan_id, delete_landing.fence);
    perform ledger.refuse_reaction(landing, 8);
    perform ledger.refuse_guarded(
        delete_landing.plan_id, first_item, last_item, delete_landing.source_schema, delete_landing.source_table
    );
    execute format(
        $sql$
        with record as materialized (
            select i.item_no, i.record_key, coalesce(
                cases.anchor_on, sletteplikt.local_date(cases.collected_at)
            ) as own_on
            from ledger.plan_items as i
            inner join intermediate.int_record_cases as cases using (source_schema, source_table, record_key)
            where i.plan_id = $1 and i.item_no between $2 and $3 and i.state = 'planned'
            and i.disposition <> 'minimise' and i.source_schema = $4 and i.source_table = $5
        ),
        gone as (
            delete from %1$s as landed using record
            where %2$s
            returning record.item_no, record.own_on
        ),
        counted as (
            select item_no, max(own_on) as own_on, count(*) as row_count from gone group by item_no
        ),
        marked as (
            update ledger.plan_items as i
            set state = 'purged', batch_no = $6, record_key = null, case_id = null, subject_token = null,
                guard_keys = '{}'
            from counted
            where i.plan_id = $1 and i.item_no = counted.item_no
            and i.state = 'planned' and counted.row_count = 1
            returning i.source_schema, i.source_table, i.token, i.anchor_on, i.rule_id, i.plan_id, i.batch_no,
                counted.own_on
        ),
        buried as (
            insert into ledger.tombstones (
                source_schema, source_table, token, key_id, key_epoch, anchor_on, own_on, rule_id, plan_id, batch_no
            )
            select marked.source_schema, marked.source_table, marked.token, plans.key_id, plans.key_epoch,
                marked.anchor_on, marked.own_on, marked.rule_id, marked.plan_id, marked.batch_no
            from marked inner join ledger.plans as plans on plans.plan_id = marked.plan_id
            returning 1
        )
        select (select count(*) from gone), (select count(*) from marked), (select count(*) from buried)
        $sql$,
        landing,
        ledger.same_key(delete_landing.plan_id, landing, delete_landing.source_schema, delete_landing.source_table)
    )
    into deleted, marked, buried
    using delete_landing.plan_id, first_item, last_item, delete_landing.source_schema,
        delete_landing.source_table, delete_landing.batch_no;
end
$$;

-- Makes columns of the planned items of one landing table null, marks the items and writes their tombstones, in one
-- statement: of `column_group` 'consent' those that rest on a withdrawn consent, of any other those that accounting
-- does not need. The four numbers differ where a key stood for more than one row, or where any other column of a row
-- changed with them; the caller must then undo the batch.
create or replace function ledger.minimise_landing(
    plan_id uuid, fence bigint, batch_no integer, first_item bigint, last_item bigint,
    source_schema text, source_table text, column_group text,
    out emptied bigint, out marked bigint, out remembered bigint, out unchanged bigint
)
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    landing regclass := ledger.landing_table(minimise_landing.source_schema, minimise_landing.source_table);
    -- What has not landed holds no value.
    columns text[] := array(
        select a.attname::text
        from ledger.plan_keys as k
        inner join pg_attribute as a
            on a.attrelid = landing and a.attnum > 0
            and a.attname = any(case column_group when 'consent' then k.consented else k.minimisable end)
        where
            k.plan_id = minimise_landing.plan_id and k.source_schema = minimise_landing.source_schema
            and k.source_table = minimise_landing.source_table and not a.attisdropped
    );
begin
    perform ledger.refuse_stranger(minimise_landing.plan_id, minimise_landing.fence);
    perform ledger.refuse_reaction(landing, 16);
    perform ledger.refuse_guarded(
        minimise_landing.plan_id, first_item, last_item, minimise_landing.source_schema,
        minimise_landing.source_table
    );
    if columns = '{}' then
        select 0, 0, 0, 0 into emptied, marked, remembered, unchanged;
        return;
    end if;
    if column_group = 'consent' then
        perform ledger.remember_partner(
            minimise_landing.plan_id, first_item, last_item, minimise_landing.source_schema,
            minimise_landing.source_table
        );
    end if;
    execute format(
        $sql$
        with record as materialized (
            select i.item_no, i.record_key
            from ledger.plan_items as i
            where i.plan_id = $1 and i.item_no between $2 and $3 and i.state = 'planned'
            and i.disposition = 'minimise' and i.source_schema = $4 and i.source_table = $5
            and (i.rule_id = 'CONSENT') = ($7 = 'consent')
        ),
        before as materialized (
            select record.item_no, row(%5$s)::text as others
            from %1$s as landed inner join record on %2$s
            where num_nonnulls(%3$s) > 0
        ),
        emptied as (
            update %1$s as landed set %4$s
            from record
            where %2$s and num_nonnulls(%3$s) > 0
            returning record.item_no, row(%5$s)::text as others
        ),
        counted as (
            select item_no, count(*) as row_count from emptied group by item_no
        ),
        marked as (
            update ledger.plan_items as i
            set state = 'minimised', batch_no = $6, record_key = null, case_id = null, subject_token = null,
                guard_keys = '{}'
            from counted
            where i.plan_id = $1 and i.item_no = counted.item_no
            and i.state = 'planned' and counted.row_count = 1
            returning i.*
        ),
        remembered as (
            insert into ledger.column_tombstones (
                source_schema, source_table, token, column_group, key_id, key_epoch, columns, anchor_on, rule_id,
                plan_id, batch_no
            )
            select marked.source_schema, marked.source_table, marked.token, $7, plans.key_id, plans.key_epoch, $8,
                marked.anchor_on, marked.rule_id, marked.plan_id, marked.batch_no
            from marked inner join ledger.plans as plans on plans.plan_id = marked.plan_id
            returning 1
        )
        select (select count(*) from emptied), (select count(*) from marked), (select count(*) from remembered), (
            select count(*)
            from emptied inner join before on before.item_no = emptied.item_no and before.others = emptied.others
        )
        $sql$,
        landing,
        ledger.same_key(
            minimise_landing.plan_id, landing, minimise_landing.source_schema, minimise_landing.source_table
        ),
        (select string_agg(format('landed.%I', c.name), ', ') from unnest(columns) as c (name)),
        (select string_agg(format('%I = null', c.name), ', ') from unnest(columns) as c (name)),
        (
            select string_agg(format('landed.%I', a.attname), ', ' order by a.attnum)
            from pg_attribute as a
            where a.attrelid = landing and a.attnum > 0 and not a.attisdropped and a.attname <> all(columns)
        )
    )
    into emptied, marked, remembered, unchanged
    using minimise_landing.plan_id, first_item, last_item, minimise_landing.source_schema,
        minimise_landing.source_table, minimise_landing.batch_no, minimise_landing.column_group, columns;
end
$$;

grant execute on function ledger.lock_landing, ledger.delete_landing, ledger.minimise_landing to retention_purger;

reset role;
