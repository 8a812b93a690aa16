-- Keeping the report of a classification in force, and the evidence of why one made again differs from it.
set local role retention_owner;

-- Whether the rows of a landing table say when they were loaded. A column of a type of somebody's own making does not:
-- reading it would run its author's code with the owner's rights.
create or replace function ledger.is_stamped(source_schema text, source_table text) returns boolean
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select exists (
        select from pg_attribute as a inner join pg_type as t on a.atttypid = t.oid
        where
            a.attrelid = ledger.plain_table(is_stamped.source_schema, is_stamped.source_table)
            and a.attname = '_fivetran_synced' and not a.attisdropped and t.typnamespace = 'pg_catalog'::regnamespace
    )
$$;

-- The time of loading that the latest row has of those that were classified. Rows of later transactions than the one
-- that read the table for its staging model are not of them.
create or replace function ledger.landing_marks(source_schemas text[], source_tables text[]) returns jsonb
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    named record;
    mark timestamp;
    marks jsonb := '[]';
begin
    for named in
        select
            t.schema_name, t.table_name, ledger.plain_table(t.schema_name, t.table_name) as landing,
            ledger.plain_table('staging', 'stg_' || t.schema_name || '__' || t.table_name) as staging,
            ledger.is_stamped(t.schema_name, t.table_name) as is_stamped
        from unnest(landing_marks.source_schemas, landing_marks.source_tables) as t (schema_name, table_name)
        order by t.schema_name collate "C", t.table_name collate "C"
    loop
        mark := null;
        if named.landing is not null and named.staging is not null and named.is_stamped then
            execute format(
                'select max(sletteplikt.utc_time(landed._fivetran_synced)) from %s as landed
                where age(landed.xmin) >= (select max(age(staged.xmin)) from %s as staged)',
                named.landing, named.staging
            ) into mark;
        end if;
        marks := marks || jsonb_build_object(
            'source_schema', named.schema_name, 'source_table', named.table_name,
            'is_stamped', named.is_stamped, 'loaded_until', mark
        );
    end loop;
    return marks;
end
$$;

-- The hash of a JSON value, as the database writes it.
create or replace function ledger.jsonb_hash(value jsonb) returns text
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return encode(sha256(convert_to(value::text, 'UTF8')), 'hex');

-- Keeps what is told of a report, and leaves an entry: once, however often the same document is made. Only of the
-- classification in force, whose policy and code are read here and taken from nobody. Returns whether it was new.
create or replace function ledger.keep_report(
    classification_id bigint, document_sha256 text, content_sha256 text, parts jsonb, figures jsonb, headline jsonb,
    source_schemas text[], source_tables text[]
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    classified ledger.classifications;
begin
    -- A classification that begins waits, so that the marks are those of what the report tells of.
    perform pg_advisory_xact_lock_shared(ledger.purge_lock());
    select c.* into classified from ledger.classifications as c order by c.classification_id desc limit 1;
    if not found or classified.finished_at is null
        or classified.classification_id <> keep_report.classification_id
    then
        raise exception using errcode = 'SL003',
        message = 'the report is not of the classification in force: make it again';
    end if;
    if exists (
        select from jsonb_each(keep_report.headline) as e
        where jsonb_typeof(e.value) not in ('number', 'null') or e.key !~ '^[a-z_]+$'
    ) then
        raise exception using errcode = 'SL002', message = 'of a report''s headline only counts are kept';
    end if;
    insert into ledger.reports_kept (
        classification_id, as_of, document_sha256, content_sha256, parts, figures, landing
    )
    values (
        classified.classification_id, classified.as_of, keep_report.document_sha256, keep_report.content_sha256,
        keep_report.parts, keep_report.figures,
        ledger.landing_marks(keep_report.source_schemas, keep_report.source_tables)
    )
    on conflict on constraint reports_kept_document_sha256_key do nothing;
    if not found then
        return false;
    end if;
    perform ledger.append('report_kept', jsonb_build_object(
        'as_of', classified.as_of, 'classification_id', classified.classification_id,
        'policy_hash', classified.policy_hash, 'code_hash', classified.code_hash,
        'document_sha256', keep_report.document_sha256, 'content_sha256', keep_report.content_sha256,
        'parts_sha256', ledger.jsonb_hash(keep_report.parts), 'figures_sha256', ledger.jsonb_hash(keep_report.figures),
        'headline', keep_report.headline, 'run_by', session_user
    ));
    return true;
end
$$;

-- Whether what is kept of a report is what its entry says: null where there is no such entry.
create or replace function ledger.is_as_kept(report_id bigint) returns boolean
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select
        e.body::jsonb ->> 'parts_sha256' = ledger.jsonb_hash(k.parts)
        and e.body::jsonb ->> 'content_sha256' = k.content_sha256
        and (k.figures is null or e.body::jsonb ->> 'figures_sha256' = ledger.jsonb_hash(k.figures))
    from ledger.reports_kept as k
    inner join ledger.entries as e on e.kind = 'report_kept' and e.body::jsonb ->> 'document_sha256' = k.document_sha256
    where k.report_id = is_as_kept.report_id
$$;

-- --- housekeeping ----------------------------------------------------------------------------------------------

-- Kept reports whose counts are past their day.
create or replace function ledger.due_report_figures(kept_before date) returns setof bigint
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select k.report_id from ledger.reports_kept as k
    where k.figures is not null and sletteplikt.local_date(k.kept_at) < kept_before and kept_before < ledger.today()
$$;

-- Forgets the counts of kept reports that are past their day; the hashes stay.
create or replace function ledger.forget_report_figures(kept_before date) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    forgotten bigint;
begin
    perform ledger.begin_removal();
    update ledger.reports_kept as k set figures = null, figures_forgotten_at = now()
    where k.report_id in (select ledger.due_report_figures(forget_report_figures.kept_before));
    get diagnostics forgotten = row_count;
    return forgotten;
end
$$;

-- --- why a report made again differs ---------------------------------------------------------------------------

-- Which records of the classification with that suffix something has touched since a report was kept, counted by
-- what touched them, table, category and status. `loaded`: their row was loaded after the kept report's; `related`:
-- that of another record of their case was. The others: what was entered after the classification and counts for
-- the day all the same.
create or replace function ledger.records_touched_since(report_id bigint, suffix text) returns table (
    cause text, source_schema text, source_table text, category text, status text, records bigint
)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    kept ledger.reports_kept;
    since timestamptz;
    mark record;
    loaded text := 'select null::text as source_schema, null::text as source_table, null::text as record_key where false';
begin
    select k.* into kept from ledger.reports_kept as k where k.report_id = records_touched_since.report_id;
    if not found or records_touched_since.suffix !~ '^(_as_of_[0-9]{8})?$'
        or ledger.plain_table('retention' || records_touched_since.suffix, 'records') is null
        or ledger.plain_table('intermediate' || records_touched_since.suffix, 'int_record_cases') is null
    then
        raise exception using errcode = 'SL002', message = 'there is no such report, or no such classification';
    end if;
    select c.started_at into since from ledger.classifications as c where c.classification_id = kept.classification_id;
    for mark in
        select
            m.source_schema, m.source_table, m.loaded_until, array(select jsonb_array_elements_text(d.key_columns::jsonb))
                as key_columns, d.key_is_personal::boolean as is_personal
        from jsonb_to_recordset(kept.landing) as m (
            source_schema text, source_table text, is_stamped boolean, loaded_until timestamp
        )
        inner join policy.declared_tables as d
            on m.source_schema = d.source_schema and m.source_table = d.source_table
        where m.is_stamped and nullif(d.key_columns, '') is not null
        and ledger.is_stamped(m.source_schema, m.source_table)
        -- Without a column of its key a table is set aside.
        and array(select jsonb_array_elements_text(d.key_columns::jsonb))
        <@ ledger.columns_of(m.source_schema, m.source_table)
    loop
        loaded := loaded || format(
            ' union all select record.source_schema, record.source_table, record.record_key
            from %s as landed inner join %I.records as record
                on record.source_schema = %L and record.source_table = %L and %s
            where sletteplikt.utc_time(landed._fivetran_synced) > %L::timestamp',
            ledger.landing_table(mark.source_schema, mark.source_table),
            'retention' || records_touched_since.suffix, mark.source_schema, mark.source_table,
            ledger.key_condition(
                ledger.landing_table(mark.source_schema, mark.source_table), mark.key_columns, mark.is_personal
            ),
            coalesce(mark.loaded_until, '-infinity')
        );
    end loop;
    return query execute format(
        $sql$
        with loaded as materialized (%1$s),
        cases as materialized (
            select c.case_id, c.source_schema, c.source_table, c.record_key, c.subject_token, c.assignment_id
            from %2$I.int_record_cases as c
        ),
        loaded_cases as materialized (
            select distinct c.case_id from cases as c
            inner join loaded as l using (source_schema, source_table, record_key)
        ),
        blockers as materialized (
            select b.scope, b.target from ledger.blockers as b
            where
                -- Entered since, with effect from the day or before; or ended on the day, after the classification.
                (
                    b.placed_at > $1 and least(b.from_on, sletteplikt.local_date(b.placed_at)) <= $2
                    or b.placed_at <= $1 and b.released_at > $1 and sletteplikt.local_date(b.released_at) <= $2
                )
        ),
        touched as (
            select 'loaded' as cause, l.source_schema, l.source_table, l.record_key from loaded as l
            union all
            select 'related', c.source_schema, c.source_table, c.record_key
            from cases as c inner join loaded_cases as l on c.case_id = l.case_id
            union all
            select 'blockers', c.source_schema, c.source_table, c.record_key
            from cases as c inner join blockers as b
                on b.scope = 'subject' and b.target = c.subject_token::text
                or b.scope = 'assignment' and b.target = c.assignment_id
                or b.scope = 'table' and b.target = c.source_schema || '.' || c.source_table
                or b.scope = 'record'
                and b.target = c.source_schema || '.' || c.source_table || ':' || c.record_key
            union all
            select 'reviews', d.source_schema, d.source_table, d.record_key
            from ledger.review_decisions as d
            where d.decided_at > $1 and sletteplikt.local_date(d.decided_at) <= $2
            union all
            select 'erasures', d.source_schema, d.source_table, d.record_key
            from ledger.erasure_decisions as d
            where d.decided_at > $1 and sletteplikt.local_date(d.decided_at) <= $2 and d.record_key is not null
            union all
            select 'requests', c.source_schema, c.source_table, c.record_key
            from ledger.requests as r inner join cases as c on r.subject_token = c.subject_token
            where r.registered_at > $1 or r.decided_at > $1 or r.closed_at > $1
            union all
            select 'restarts', c.source_schema, c.source_table, c.record_key
            from ledger.assignment_restarts as r inner join cases as own on r.assignment_id = own.assignment_id
            inner join cases as c on own.case_id = c.case_id
            where r.restarted_at > $1 and r.restarted_on <= $2
            union all
            select 'returns', f.source_schema, f.source_table, f.record_key
            from ledger.returned_records as f
            where f.found_at > $1 and sletteplikt.local_date(f.found_at) <= $2
        ),
        -- A record that several things touched counts once, for the first of them.
        once as (
            select distinct on (t.source_schema, t.source_table, t.record_key) t.*
            from touched as t
            order by
                t.source_schema, t.source_table, t.record_key, array_position(
                    array['loaded', 'blockers', 'reviews', 'erasures', 'requests', 'restarts', 'returns', 'related'],
                    t.cause
                )
        )
        select o.cause, r.source_schema, r.source_table, r.category, r.status, count(*)
        from once as o inner join %3$I.records as r using (source_schema, source_table, record_key)
        group by 1, 2, 3, 4, 5
        $sql$,
        loaded, 'intermediate' || records_touched_since.suffix, 'retention' || records_touched_since.suffix
    ) using since, kept.as_of;
end
$$;

grant execute on function ledger.keep_report to retention_classifier;
grant execute on function ledger.jsonb_hash, ledger.is_as_kept, ledger.due_report_figures to retention_reader, retention_purger;
grant execute on function ledger.forget_report_figures to retention_purger;
grant execute on function ledger.records_touched_since to retention_reader;

reset role;
