-- Functions about what a purge must know: which classification is in force, whose token is whose, what
-- blocks a deletion, what a person decided.
set local role retention_owner;

create function ledger.today() returns date
language sql stable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return (now() at time zone 'Europe/Oslo')::date;

-- Held by each batch of a purge, and by whoever begins a classification: they never overlap.
create function ledger.purge_lock() returns bigint
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return 1373142530;

-- Schemas that bear the sample's marker: approvals given as examples count there, so that taking the
-- marker away changes what may be purged.
create function ledger.marked_schemas() returns text[]
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select coalesce(array_agg(nspname::text order by nspname), '{}')
    from pg_namespace
    where starts_with(obj_description(oid, 'pg_namespace'), 'sletteplikt-sample ')
$$;

-- True where every schema that data lands in bears the marker, and there is one.
create function ledger.only_samples() returns boolean
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select cardinality(ledger.marked_schemas()) > 0 and not exists (
        select
        from pg_namespace as schema
        where
            schema.nspname not in (
                'policy', 'staging', 'intermediate', 'retention', 'ledger', 'sletteplikt', 'information_schema'
            )
            and schema.nspname !~ '^pg_'
            and schema.nspname !~ '_as_of_'
            and not coalesce(schema.nspname = any(ledger.marked_schemas()), false)
            and (
                schema.nspname <> 'public'
                or exists (
                    select from pg_class
                    where relnamespace = schema.oid and relkind in ('r', 'p', 'v', 'm', 'f')
                )
            )
    )
$$;

-- A classification as of today begins: from here on nothing is purged until one has finished. Waits for a
-- batch that is being purged, so that no copy of a row can be built while the row goes.
create function ledger.begin_classification(as_of date, code_hash text) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    begun bigint;
begin
    perform pg_advisory_xact_lock(ledger.purge_lock());
    insert into ledger.classifications (as_of, code_hash, marked_schemas)
    values (begin_classification.as_of, begin_classification.code_hash, ledger.marked_schemas())
    returning classification_id into begun;
    return begun;
end
$$;

-- It finished: every model was built. One that another one overtook does not count any more.
create function ledger.finish_classification(classification_id bigint default null) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    last_begun bigint;
    hash_in_force text;
begin
    select max(c.classification_id) into last_begun from ledger.classifications as c;
    if last_begun is null or last_begun <> coalesce(finish_classification.classification_id, last_begun) then
        raise exception using errcode = 'SL003', message = 'another classification was begun meanwhile';
    end if;
    select policy_hash into hash_in_force from policy.policy_settings;
    update ledger.classifications as c
    set finished_at = clock_timestamp(), policy_hash = hash_in_force
    where c.classification_id = last_begun and c.finished_at is null;
    return last_begun;
end
$$;

-- Adds the missing tokens for the subjects of a relation. Only for a plain table: reading anything else
-- with the owner's rights could run somebody's code with them.
create function ledger.assign_subject_tokens(relation regclass) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    added bigint;
begin
    if not exists (
        select from pg_class
        where oid = relation and relkind in ('r', 'p') and not relrowsecurity
    ) then
        raise exception using errcode = 'SL002', message = 'tokens are assigned from a plain table only';
    end if;
    execute format(
        'insert into ledger.subject_tokens (subject_id)
         select distinct subject_id from %s as named
         where subject_id is not null
         and not exists (select from ledger.subject_tokens as known where known.subject_id = named.subject_id)
         on conflict do nothing',
        relation
    );
    get diagnostics added = row_count;
    return added;
end
$$;

create function ledger.guard_key(scope text, target text) returns text
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return case scope
    when 'record' then 'table:' || split_part(target, ':', 1)
    else scope || ':' || target
end;

-- The target as it is stored, or null where there is no such thing: a hold on a misspelt target would
-- protect nothing and look as if it did.
create function ledger.resolve_target(scope text, target text) returns text
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

-- Places a hold, restriction or lock. The guard row that this changes is the one that a purge locks and
-- tests, so that a purge under way either waits for this, or is waited for.
create function ledger.place_blocker(
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
        'placed_by', session_user, 'at', ledger.iso_time(now())
    ));
    return placed;
end
$$;

-- Takes one blocker's weight off its guard.
create function ledger.lift_guard(blocker ledger.blockers) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    held_key text := substr(blocker.target, position(':' in blocker.target) + 1);
begin
    if blocker.scope = 'record' then
        -- One of them only: the same record may be held twice.
        update ledger.guards as g
        set records = g.records[:array_position(g.records, held_key) - 1]
        || g.records[array_position(g.records, held_key) + 1:]
        where g.guard_key = ledger.guard_key('record', blocker.target) and held_key = any(g.records);
    else
        update ledger.guards as g
        set blockers = g.blockers - 1
        where g.guard_key = ledger.guard_key(blocker.scope, blocker.target);
    end if;
end
$$;

create function ledger.release_blocker(blocker_id uuid) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    blocker ledger.blockers;
begin
    select * into blocker from ledger.blockers as b
    where b.blocker_id = release_blocker.blocker_id for update;
    if not found then
        raise exception using errcode = 'SL002', message = 'there is no such blocker: `retention hold list` shows them';
    end if;
    if blocker.released_at is not null then
        raise exception using errcode = 'SL003', message = 'it was released before';
    end if;
    if blocker.guard_lifted_at is null then
        perform ledger.lift_guard(blocker);
    end if;
    update ledger.blockers as b
    set released_at = now(), released_by = session_user
    where b.blocker_id = release_blocker.blocker_id;
    perform ledger.append('blocker_released', jsonb_build_object(
        'blocker_id', blocker.blocker_id, 'kind', blocker.kind, 'scope', blocker.scope,
        'released_by', session_user, 'at', ledger.iso_time(now())
    ));
end
$$;

-- A lock whose hindrance has ended guards no longer; what it covered is due (policy § 8).
create function ledger.lift_ended_locks() returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    blocker ledger.blockers;
    lifted bigint := 0;
begin
    for blocker in
        select * from ledger.blockers
        where kind = 'lock' and until_on < ledger.today() and released_at is null and guard_lifted_at is null
        order by blocker_id
        for update
    loop
        perform ledger.lift_guard(blocker);
        update ledger.blockers set guard_lifted_at = now() where blocker_id = blocker.blocker_id;
        perform ledger.append('lock_ended', jsonb_build_object(
            'blocker_id', blocker.blocker_id, 'until_on', blocker.until_on, 'at', ledger.iso_time(now())
        ));
        lifted := lifted + 1;
    end loop;
    return lifted;
end
$$;

-- Records what a person decided on a record under review.
create function ledger.decide_review(
    source_schema text,
    source_table text,
    record_key text,
    decision text,
    reason text,
    rule_id text default null,
    anchor_on date default null,
    keep_until date default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    decided uuid;
    table_guard text := 'table:' || decide_review.source_schema || '.' || decide_review.source_table;
begin
    if coalesce(decide_review.decision, '') not in ('keep', 'purge', 'anchor') then
        raise exception using errcode = 'SL002', message = 'the decision is keep, purge or anchor';
    end if;
    if coalesce(btrim(decide_review.reason), '') = '' then
        raise exception using errcode = 'SL002', message = 'a decision needs a reason';
    end if;
    if (decide_review.decision = 'anchor')
        <> (decide_review.rule_id is not null and decide_review.anchor_on is not null)
        or (decide_review.rule_id is null) <> (decide_review.anchor_on is null)
    then
        raise exception using errcode = 'SL002', message = 'anchor needs a rule and a date; the others take neither';
    end if;
    if (decide_review.decision = 'keep') <> (decide_review.keep_until is not null) then
        raise exception using errcode = 'SL002', message = 'keep needs a last day; the others take none';
    end if;
    if decide_review.rule_id is not null and not exists (
        select from policy.policy_rules as rules where rules.rule_id = decide_review.rule_id
    ) then
        raise exception using errcode = 'SL002', message = 'the policy has no such rule';
    end if;
    if not exists (
        select from retention.records as r
        where
            r.source_schema = decide_review.source_schema
            and r.source_table = decide_review.source_table
            and r.record_key = decide_review.record_key
            and r.status = 'review'
    ) and not exists (
        -- What a person decided, a person may decide again.
        select from ledger.review_decisions as d
        where
            d.source_schema = decide_review.source_schema
            and d.source_table = decide_review.source_table
            and d.record_key = decide_review.record_key
    ) then
        raise exception using errcode = 'SL002', message = 'no such record is under review';
    end if;
    -- A batch that is about to purge from this table waits for this, or is waited for.
    insert into ledger.guards (guard_key) values (table_guard) on conflict do nothing;
    perform from ledger.guards as g where g.guard_key = table_guard for update;
    insert into ledger.review_decisions (
        source_schema, source_table, record_key, decision, rule_id, anchor_on, keep_until, reason
    )
    values (
        decide_review.source_schema, decide_review.source_table, decide_review.record_key,
        decide_review.decision, decide_review.rule_id, decide_review.anchor_on, decide_review.keep_until,
        decide_review.reason
    )
    returning decision_id into decided;
    perform ledger.append('review_decision', jsonb_build_object(
        'decision_id', decided,
        'table', decide_review.source_schema || '.' || decide_review.source_table,
        'decision', decide_review.decision, 'rule_id', decide_review.rule_id,
        'anchor_on', decide_review.anchor_on, 'keep_until', decide_review.keep_until,
        'decided_by', session_user, 'at', ledger.iso_time(now())
    ));
    return decided;
end
$$;

revoke all on all functions in schema ledger from public;
grant execute on function ledger.today, ledger.purge_lock, ledger.marked_schemas, ledger.only_samples
to retention_reader, retention_approver, retention_purger;
grant execute on function ledger.begin_classification, ledger.finish_classification,
ledger.assign_subject_tokens to retention_purger;
grant execute on function ledger.place_blocker, ledger.release_blocker, ledger.decide_review
to retention_approver, retention_purger;

reset role;
