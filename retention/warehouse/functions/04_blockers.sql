-- Holds, restrictions and locks: what keeps records from being purged, and the guards that a batch tests.
set local role retention_owner;

create or replace function ledger.guard_key(scope text, target text) returns text
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return case scope
    when 'record' then 'table:' || split_part(target, ':', 1)
    else scope || ':' || target
end;

-- The target as it is stored, or null where there is no such thing: a hold on a misspelt target would
-- protect nothing and look as if it did.
create or replace function ledger.resolve_target(scope text, target text) returns text
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    found_target text;
    qualified text := split_part(target, ':', 1);
begin
    case scope
        when 'subject' then
            select subject_token::text into found_target
            from ledger.subject_tokens
            where subject_id = target or subject_token::text = lower(target);
        when 'assignment' then
            if to_regclass('intermediate.int_record_cases') is not null then
                select assignment_id into found_target
                from intermediate.int_record_cases where assignment_id = target limit 1;
            end if;
        when 'record' then
            if to_regclass('retention.records') is not null and position(':' in target) > 0 then
                select target into found_target
                from retention.records
                where
                    source_schema = split_part(qualified, '.', 1)
                    and source_table = substr(qualified, position('.' in qualified) + 1)
                    and record_key = substr(target, position(':' in target) + 1)
                limit 1;
            end if;
        when 'table' then
            select target into found_target
            from pg_class
            inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
            where
                nspname = split_part(target, '.', 1)
                and relname = substr(target, position('.' in target) + 1)
                and relkind in ('r', 'p');
    end case;
    return found_target;
end
$$;

-- Adds to the items of a plan the guards of every person whose record one of them may be, so that a hold on
-- any of those persons reaches it.
create or replace function ledger.guard_candidates(plan uuid) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    update ledger.plan_items as items
    set guard_keys = items.guard_keys || candidates.guard_keys
    from (
        select
            cases.source_schema,
            cases.source_table,
            cases.record_key,
            array_agg('subject:' || tokens.subject_token::text) as guard_keys
        from intermediate.int_record_candidates as shared
        inner join intermediate.int_record_cases as cases on shared.row_id = cases.row_id
        inner join ledger.subject_tokens as tokens on shared.subject_id = tokens.subject_id
        group by cases.source_schema, cases.source_table, cases.record_key
    ) as candidates
    where
        items.plan_id = plan
        and items.source_schema = candidates.source_schema
        and items.source_table = candidates.source_table
        and items.record_key = candidates.record_key;
end
$$;

-- Places a hold, restriction or lock. The guard row that this changes is the one that a purge locks and
-- tests, so that a purge under way either waits for this, or is waited for.
create or replace function ledger.place_blocker(
    kind text,
    scope text,
    target text,
    reason text,
    authority text,
    from_on date default null,
    until_on date default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    stored text;
    placed uuid;
begin
    if coalesce(place_blocker.scope, '') not in ('subject', 'assignment', 'record', 'table') then
        raise exception using errcode = 'SL002', message = 'the scope is subject, assignment, record or table';
    end if;
    if coalesce(place_blocker.kind, '') not in ('hold', 'restriction', 'lock') then
        raise exception using errcode = 'SL002', message = 'the kind is hold, restriction or lock';
    end if;
    if coalesce(btrim(place_blocker.reason), '') = '' or coalesce(btrim(place_blocker.authority), '') = '' then
        raise exception using errcode = 'SL002', message = 'a reason and an authority are needed: give both';
    end if;
    if place_blocker.kind = 'lock' and place_blocker.until_on is null then
        raise exception using errcode = 'SL002',
        message = 'a lock needs the last day of its hindrance; where that is not known yet, place a hold';
    end if;
    if place_blocker.until_on < coalesce(place_blocker.from_on, ledger.today()) then
        raise exception using errcode = 'SL002', message = 'it would end before it begins: mend the dates';
    end if;
    stored := ledger.resolve_target(place_blocker.scope, place_blocker.target);
    if stored is null then
        raise exception using errcode = 'SL002',
        message = 'there is no such ' || place_blocker.scope
        || ' in the last classification: check the target, or hold its table';
    end if;

    insert into ledger.blockers (kind, scope, target, reason, authority, from_on, until_on)
    values (
        place_blocker.kind, place_blocker.scope, stored, place_blocker.reason, place_blocker.authority,
        coalesce(place_blocker.from_on, ledger.today()), place_blocker.until_on
    )
    returning blocker_id into placed;

    if place_blocker.scope = 'record' then
        insert into ledger.guards as g (guard_key, records)
        values (ledger.guard_key('record', stored), array[substr(stored, position(':' in stored) + 1)])
        on conflict (guard_key) do update set records = g.records || excluded.records;
    else
        insert into ledger.guards as g (guard_key, blockers)
        values (ledger.guard_key(place_blocker.scope, stored), 1)
        on conflict (guard_key) do update set blockers = g.blockers + 1;
    end if;

    perform ledger.append('blocker_placed', jsonb_build_object(
        'blocker_id', placed, 'kind', place_blocker.kind, 'scope', place_blocker.scope,
        'from_on', coalesce(place_blocker.from_on, ledger.today()), 'until_on', place_blocker.until_on,
        'placed_by', session_user
    ));
    -- Art. 19. Before the first classification nobody knows of what.
    if place_blocker.kind = 'restriction' and to_regclass('intermediate.int_person_partners') is not null then
        perform ledger.notify('restriction', array[placed]);
    end if;
    return placed;
end
$$;

-- `records` without one occurrence of each of `gone`.
create or replace function ledger.without(records text[], gone text[]) returns text[]
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp as $$
    select coalesce(array_agg(kept.record_key order by kept.position), '{}')
    from (
        select r.record_key, r.position, row_number() over (partition by r.record_key order by r.position) as number
        from unnest(without.records) with ordinality as r (record_key, position)
    ) as kept
    left join (
        select g.record_key, count(*) as times from unnest(without.gone) as g (record_key) group by g.record_key
    ) as going on kept.record_key = going.record_key
    where kept.number > coalesce(going.times, 0)
$$;

-- Takes blockers of records off their guards, a statement for all of them.
create or replace function ledger.lift_record_guards(blocker_ids uuid[]) returns void
language sql
set search_path = pg_catalog, ledger, pg_temp as $$
    update ledger.guards as g
    set records = ledger.without(g.records, lifted.records), row_only = ledger.without(g.row_only, lifted.row_only)
    from (
        select
            ledger.guard_key('record', b.target) as guard_key,
            coalesce(array_agg(substr(b.target, position(':' in b.target) + 1)) filter (where not b.row_only), '{}')
                as records,
            coalesce(array_agg(substr(b.target, position(':' in b.target) + 1)) filter (where b.row_only), '{}')
                as row_only
        from ledger.blockers as b
        where b.blocker_id = any(lift_record_guards.blocker_ids) and b.scope = 'record'
        group by 1
    ) as lifted
    where g.guard_key = lifted.guard_key
$$;

-- Takes one blocker's weight off its guard.
create or replace function ledger.lift_guard(blocker ledger.blockers) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    held_key text := substr(blocker.target, position(':' in blocker.target) + 1);
begin
    if blocker.scope = 'record' then
        -- One of them only: the same record may be held twice.
        update ledger.guards as g
        set records = ledger.without(g.records, case when blocker.row_only then '{}' else array[held_key] end),
            row_only = ledger.without(g.row_only, case when blocker.row_only then array[held_key] else '{}' end)
        where g.guard_key = ledger.guard_key('record', blocker.target);
    else
        update ledger.guards as g
        set blockers = g.blockers - 1
        where g.guard_key = ledger.guard_key(blocker.scope, blocker.target);
    end if;
end
$$;

-- A lock whose hindrance has ended guards no longer; what it covered is due (policy § 8).
create or replace function ledger.lift_ended_locks() returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    blocker ledger.blockers;
    ended uuid[];
begin
    select coalesce(array_agg(locks.blocker_id), '{}') into ended
    from (
        select b.blocker_id from ledger.blockers as b
        where
            b.kind = 'lock' and b.until_on < ledger.today() and b.released_at is null and b.guard_lifted_at is null
        order by b.blocker_id
        for update
    ) as locks;
    perform ledger.lift_record_guards(ended);
    -- Few: what a refused erasure locks, it locks record by record.
    for blocker in
        select * from ledger.blockers as b where b.blocker_id = any(ended) and b.scope <> 'record' order by b.blocker_id
    loop
        perform ledger.lift_guard(blocker);
    end loop;
    update ledger.blockers as b set guard_lifted_at = now() where b.blocker_id = any(ended);
    perform ledger.append('lock_ended', jsonb_build_object('blocker_id', b.blocker_id, 'until_on', b.until_on))
    from ledger.blockers as b where b.blocker_id = any(ended);
    return cardinality(ended);
end
$$;

grant execute on function ledger.place_blocker to retention_approver, retention_planner;

reset role;
