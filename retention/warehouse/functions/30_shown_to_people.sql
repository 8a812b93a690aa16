-- What people's roles are told of landing and of the models behind the records: counts, names of connectors, and
-- what decided a record that is not locked. They read neither themselves.
--
-- A relation that a caller names is read with the owner's rights, which read everything. So nothing is read but
-- plain tables: a view, or a policy on a table, would run its author's code with those rights.
set local role retention_owner;

-- The plain table of that name, or null.
create or replace function ledger.plain_table(schema_name text, table_name text) returns regclass
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select c.oid::regclass
    from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
    where
        n.nspname = plain_table.schema_name and c.relname = plain_table.table_name
        and c.relkind in ('r', 'p') and not c.relrowsecurity and n.nspname !~ '^(pg_|information_schema$)'
$$;

-- Whether the table holds a row: false where it is none.
create or replace function ledger.holds_rows(schema_name text, table_name text) returns boolean
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    relation regclass := ledger.plain_table(holds_rows.schema_name, holds_rows.table_name);
    found_one boolean := false;
begin
    if relation is not null then
        execute format('select exists (select from %s)', relation) into found_one;
    end if;
    return found_one;
end
$$;

-- Whether rows of a copy downstream show values and not all of its key: `shown` are columns that hold values, `keys`
-- those that hold the key, `constants` the values by which the rows spoken of are told from others. False for what
-- is no plain table, for what dbt did not build (landing above all: whoever may ask for a value would learn whether it
-- is there), and for constants of a type of somebody's own making, whose author's code would run.
create or replace function ledger.holds_rows_without_key(
    schema_name text, table_name text, keys text[], shown text[], constants jsonb
) returns boolean
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    relation regclass := ledger.plain_table(holds_rows_without_key.schema_name, holds_rows_without_key.table_name);
    found_one boolean := false;
begin
    if relation is null
        or cardinality(holds_rows_without_key.keys) = 0 or cardinality(holds_rows_without_key.shown) = 0
        or holds_rows_without_key.schema_name in ('ledger', 'policy', 'staging', 'intermediate', 'sletteplikt')
        or not exists (
            select from pg_class as c where c.oid = relation and c.relowner = 'retention_classifier'::regrole
        )
        or exists (
            select from pg_attribute as a inner join pg_type as t on a.atttypid = t.oid
            where
                a.attrelid = relation and holds_rows_without_key.constants ? a.attname::text
                and t.typnamespace <> 'pg_catalog'::regnamespace
        )
    then
        return false;
    end if;
    execute format(
        'select exists (select from %s where (%s) and (%s) and %s)',
        relation,
        (select string_agg(format('%I is null', k.name), ' or ') from unnest(holds_rows_without_key.keys) as k (name)),
        (
            select string_agg(format('%I is not null', s.name), ' or ')
            from unnest(holds_rows_without_key.shown) as s (name)
        ),
        coalesce((
            select string_agg(
                case when c.value is null then format('%I is null', c.key)
                    else format('%I::text = %L', c.key, c.value) end, ' and '
            )
            from jsonb_each_text(holds_rows_without_key.constants) as c (key, value)
        ), 'true')
    ) into found_one;
    return found_one;
end
$$;

-- The rows of each of the tables, counted.
create or replace function ledger.rows_landed(source_schemas text[], source_tables text[]) returns table (
    source_schema text, source_table text, landed bigint
)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    named record;
begin
    for named in
        select t.schema_name, t.table_name, ledger.plain_table(t.schema_name, t.table_name) as relation
        from unnest(rows_landed.source_schemas, rows_landed.source_tables) as t (schema_name, table_name)
    loop
        if named.relation is not null then
            return query execute format('select $1, $2, count(*) from %s', named.relation)
                using named.schema_name, named.table_name;
        end if;
    end loop;
end
$$;

-- Every sync that began and has not ended, by Fivetran's own log, longest first: none without that log, or where
-- it lacks columns. A connection that was deleted syncs no more; one that the list of connections does not know is
-- named by its id, and an id may stand there several times, deleted in one destination and not in another.
create or replace function ledger.syncs_not_ended(timeout_hours integer) returns table (
    connector text, since text, is_stale boolean
)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    log_columns text[] := ledger.columns_of('fivetran_log', 'log');
    id_in_log text := case
        when 'connection_id' = any(log_columns) then 'connection_id'
        when 'connector_id' = any(log_columns) then 'connector_id'
    end;
    named text := 'select null::text as id, null::text as name, false as is_deleted where false';
    listed text;
begin
    if id_in_log is null or not log_columns @> '{time_stamp,message_event}' then
        return;
    end if;
    foreach listed in array array['connector', 'connection'] loop
        if ledger.columns_of('fivetran_log', listed) @> array[listed || '_id', listed || '_name'] then
            named := format(
                'select %I as id, min(%I) as name, bool_and(%s) as is_deleted from fivetran_log.%I group by 1',
                listed || '_id', listed || '_name',
                case when '_fivetran_deleted' = any(ledger.columns_of('fivetran_log', listed))
                    then '_fivetran_deleted::text in (''true'', ''t'')' else 'false' end,
                listed
            );
        end if;
    end loop;
    return query execute format(
        $sql$
        with last as (
            select %1$I as id,
                max(sletteplikt.utc_time(time_stamp)) filter (where message_event = 'sync_start') as started,
                max(sletteplikt.utc_time(time_stamp)) filter (where message_event = 'sync_end') as ended
            from fivetran_log.log where message_event in ('sync_start', 'sync_end') group by 1
        ),
        named as (%2$s)
        select coalesce(named.name, last.id)::text, to_char(last.started, 'YYYY-MM-DD"T"HH24:MI"Z"'),
            last.started < (now() at time zone 'UTC') - make_interval(hours => $1)
        from last left join named on named.id = last.id
        where last.started is not null and (last.ended is null or last.ended < last.started)
        and not coalesce(named.is_deleted, false)
        order by last.started, 1
        $sql$,
        id_in_log, named
    ) using syncs_not_ended.timeout_hours;
end
$$;

-- The names of a plain table's columns; none where there is no such table.
create or replace function ledger.columns_of(schema_name text, table_name text) returns text[]
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select coalesce(array_agg(a.attname::text), '{}')
    from pg_attribute as a
    where
        a.attrelid = ledger.plain_table(columns_of.schema_name, columns_of.table_name)
        and a.attnum > 0 and not a.attisdropped
$$;

-- What a plan made now would hold, and what waits for what, counted. `tables` as `ledger.plannable` has it.
create or replace function ledger.plan_preview(tables jsonb) returns table (
    qualified text, rule_id text, waits_for text, records bigint, oldest_due_on date, disposition text,
    restored bigint
)
language sql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    select found.source_schema || '.' || found.source_table, found.rule_id, found.waits_for,
        count(*), min(found.due_on), found.disposition, count(kept.minimised_at)
    from ledger.plannable(plan_preview.tables, ledger.today()) as found
    left join ledger.column_grounds as kept
        on found.disposition = 'minimise' and kept.source_schema = found.source_schema
        and kept.source_table = found.source_table and kept.record_key = found.record_key
    group by 1, 2, 3, 6
    order by 1, 2, 6, 3
$$;

-- What decided one record, besides its grounds: its assignment's type, the rule of its person, the partner's
-- instruction, and whether it was purged before. Nothing of a record that is locked. `suffix` names a replay.
create or replace function ledger.record_facts(
    suffix text, source_schema text, source_table text, record_key text
) returns table (
    has_minimisable boolean, has_assignment boolean, assignment_type text, person_rule_id text,
    instruction_id text, instruction_period text, purged_on date, purged_rule_id text, verdict text, plan_id uuid
)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if record_facts.suffix !~ '^(_as_of_\d{8})?$' or not exists (
        select from pg_namespace as n
        where
            n.nspname = 'intermediate' || record_facts.suffix and n.nspowner = 'retention_classifier'::regrole
    ) then
        raise exception using errcode = 'SL002', message = 'there is no such classification';
    end if;
    return query execute replace(
        $sql$
        select cases.has_minimisable, decided.assignment_id is not null, decided.assignment_type,
            winners.rule_id, handovers.instruction_id, handovers.instruction_period::text,
            judged.purged_on, judged.purged_rule_id, judged.verdict, returned.plan_id
        from intermediate/*suffix*/.int_record_cases as cases
        left join intermediate/*suffix*/.int_assignments_decided as decided
            on decided.assignment_id = cases.assignment_id
        left join intermediate/*suffix*/.int_person_winners as winners on winners.subject_id = cases.subject_id
        left join intermediate/*suffix*/.int_handovers_decided as handovers
            on handovers.subject_id = cases.subject_id
        left join intermediate/*suffix*/.int_returns_judged as judged on judged.row_id = cases.row_id
        left join ledger.returned_records as returned
            on returned.source_schema = cases.source_schema and returned.source_table = cases.source_table
            and returned.record_key = cases.record_key and judged.row_id is not null
        where cases.source_schema = $1 and cases.source_table = $2 and cases.record_key = $3
        and not exists (
            select from retention/*suffix*/.records as records
            where records.source_schema = $1 and records.source_table = $2 and records.record_key = $3
            and (records.status = 'locked' or records.rule_id is null)
        )
        order by cases.has_minimisable desc
        limit 1
        $sql$,
        '/*suffix*/', record_facts.suffix
    ) using record_facts.source_schema, record_facts.source_table, record_facts.record_key;
end
$$;

-- What decides a person's records, besides the records: the latest contact that counts, the assignments, and what
-- partners have to do with it, each with the row that says so. Not which partner, which may reveal a membership; and
-- nothing of a row that is locked, or that shows no token. `suffix` names a replay.
create or replace function ledger.person_facts(suffix text, subject_token uuid) returns table (
    fact text, event_id text, on_day date, until_day date, outcome text, assignment_type text, reason text
)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if person_facts.suffix !~ '^(_as_of_\d{8})?$' or not exists (
        select from pg_namespace as n
        where
            n.nspname = 'intermediate' || person_facts.suffix and n.nspowner = 'retention_classifier'::regrole
    ) then
        raise exception using errcode = 'SL002', message = 'there is no such classification';
    end if;
    return query execute replace(
        $sql$
        with shown as materialized (
            select r.source_schema || '.' || r.source_table || ':' || r.record_key as event_id
            from retention/*suffix*/.records as r
            where r.subject_token = $1 and r.status <> 'locked'
        ),
        subjects as materialized (
            select t.subject_id from ledger.subject_tokens as t where t.subject_token = $1
        )
        (
            select 'contact', c.event_id, c.contact_on, null::date, null::text, null::text, null::text
            from subjects inner join intermediate/*suffix*/.int_contacts_counted as c using (subject_id)
            where c.event_id in (select s.event_id from shown as s)
            order by c.contact_on desc, c.event_id
            limit 1
        )
        union all
        (
            select 'assignment', a.event_id,
                case when a.outcome = 'open' then a.opened_on else a.anchor_on end, a.last_day, a.outcome,
                a.assignment_type, a.review_reason
            from subjects inner join intermediate/*suffix*/.int_assignments_decided as a using (subject_id)
            where a.event_id in (select s.event_id from shown as s)
            order by 3 nulls last, 2
        )
        union all
        (
            select 'partner', p.source_schema || '.' || p.source_table || ':' || p.record_key,
                coalesce(sletteplikt.local_date(p.handover_at), c.anchor_on), null, p.how, null, null
            from subjects inner join intermediate/*suffix*/.int_person_partners as p using (subject_id)
            inner join intermediate/*suffix*/.int_record_cases as c
                on
                    p.source_schema = c.source_schema and p.source_table = c.source_table
                    and p.record_key = c.record_key
            where p.source_schema || '.' || p.source_table || ':' || p.record_key in (
                select s.event_id from shown as s
            )
            order by 3 nulls last, 2
        )
        $sql$,
        '/*suffix*/', person_facts.suffix
    ) using person_facts.subject_token;
end
$$;

-- What blocks a deletion. Of a lock neither what it is on nor why: that is told through a logged read alone.
create or replace view ledger.blockers_shown as
select
    blocker_id, kind, scope, case when kind <> 'lock' then target end as target,
    case when kind <> 'lock' then reason end as reason, authority,
    from_on, until_on, placed_by, placed_at, released_at, released_by, guard_lifted_at
from ledger.blockers;
comment on view ledger.blockers_shown is
'Holds, restrictions and locks; of a lock neither what it is on nor why.';

grant select on ledger.blockers_shown to retention_reader, retention_rights_officer, retention_custodian;
grant execute on function ledger.holds_rows, ledger.rows_landed, ledger.syncs_not_ended, ledger.plan_preview,
ledger.record_facts, ledger.person_facts, ledger.holds_rows_without_key
to retention_reader;

reset role;
