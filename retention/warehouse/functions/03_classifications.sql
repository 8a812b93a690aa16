-- Which classification is in force, and which subject has which token.
set local role retention_owner;

create or replace function ledger.today() returns date
language sql stable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return (now() at time zone 'Europe/Oslo')::date;

-- Held by each batch of a purge, and by whoever begins a classification: they never overlap.
create or replace function ledger.purge_lock() returns bigint
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return 1373142530;

-- Schemas that bear the sample's marker: approvals given as examples count there, so that taking the
-- marker away changes what may be purged.
create or replace function ledger.marked_schemas() returns text[]
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select coalesce(array_agg(nspname::text order by nspname), '{}')
    from pg_namespace
    where starts_with(obj_description(oid, 'pg_namespace'), 'sletteplikt-sample ')
$$;

-- True where every schema that data lands in bears the marker, and there is one.
create or replace function ledger.only_samples() returns boolean
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

-- Whether this session holds the purge's lock, by itself.
create or replace function ledger.holds_purge_lock() returns boolean
language sql volatile
set search_path = pg_catalog, ledger, pg_temp
return exists (
    select from pg_locks as l
    where
        l.locktype = 'advisory' and l.granted and l.mode = 'ExclusiveLock' and l.pid = pg_backend_pid()
        and l.objsubid = 1 and (l.classid::bigint << 32 | l.objid::bigint) = ledger.purge_lock()
        and l.database = (select d.oid from pg_database as d where d.datname = current_database())
);

-- A classification as of today begins: from here on nothing is purged until one has finished. Waits for a
-- batch that is being purged, so that no copy of a row can be built while the row goes.
create or replace function ledger.begin_classification(as_of date, code_hash text) returns bigint
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
create or replace function ledger.finish_classification(classification_id bigint default null) returns bigint
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
    -- The first classification under another policy is when that policy begins to decide anything.
    if hash_in_force is distinct from (
        select e.body::jsonb ->> 'policy_hash'
        from ledger.entries as e
        where e.kind = 'policy' order by e.entry_id desc limit 1
    ) then
        perform ledger.append('policy', (
            select jsonb_build_object(
                'policy_version', s.policy_version, 'policy_hash', s.policy_hash, 'run_by', session_user
            )
            from policy.policy_settings as s
        ));
    end if;
    return last_begun;
end
$$;

-- Adds the missing tokens for the subjects of a relation. Where it says which subjects are one human, a new one
-- takes the token that the human has, the leader's first; a token once given stays, for holds, plans and copies
-- know people by it. Only for a plain table: reading anything else with the owner's rights could run somebody's
-- code with them.
create or replace function ledger.assign_subject_tokens(relation regclass) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    added bigint;
    named text := format('select subject_id, subject_id as human, true as is_leader from %s', relation);
begin
    if not exists (
        select from pg_class
        where oid = relation and relkind in ('r', 'p') and not relrowsecurity
    ) then
        raise exception using errcode = 'SL002', message = 'tokens are assigned from a plain table only';
    end if;
    if exists (
        select from pg_attribute where attrelid = relation and attname = 'is_leader' and not attisdropped
    ) then
        named := format('select subject_id, human, is_leader from %s where is_own', relation);
    end if;
    execute format(
        'with named as materialized (%s),
         known as materialized (
             select distinct on (named.human) named.human, tokens.subject_token
             from named inner join ledger.subject_tokens as tokens on named.subject_id = tokens.subject_id
             order by named.human, named.is_leader desc, tokens.created_at, tokens.subject_id
         ),
         fresh as materialized (
             select human, gen_random_uuid() as subject_token
             from (select distinct human from named except select human from known) as unknown
         )
         insert into ledger.subject_tokens (subject_id, subject_token)
         select distinct named.subject_id, coalesce(known.subject_token, fresh.subject_token)
         from named
         left join known on named.human = known.human
         left join fresh on named.human = fresh.human
         where named.subject_id is not null
         and not exists (select from ledger.subject_tokens as t where t.subject_id = named.subject_id)
         on conflict (subject_id) do nothing',
        named
    );
    get diagnostics added = row_count;
    return added;
end
$$;

grant execute on function ledger.today, ledger.purge_lock, ledger.marked_schemas, ledger.only_samples
to retention_reader, retention_approver, retention_purger;
grant execute on function ledger.begin_classification, ledger.finish_classification,
ledger.assign_subject_tokens to retention_classifier;

reset role;
