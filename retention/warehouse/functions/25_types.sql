-- Whether a column of another type still reads as it did: keys, links and dates are text, numbers and times to the
-- classification, whatever type they land as (01_values.sql).

-- What a type is to whoever reads it as text or time, and how much of it fits: `room` of the same or a wider type
-- holds every value unchanged. A type that no rule here knows is only like itself.
create or replace function sletteplikt.reading_of(type_name text, out family text, out room integer)
language sql stable parallel safe
begin atomic
    select
        case
            when named.base in ('smallint', 'integer', 'bigint') then 'whole number'
            when named.base = 'numeric' and named.size is not null and coalesce(named.scale, 0) = 0
                then 'whole number'
            when named.base in ('text', 'character varying') then 'text'
            when
                named.base in (
                    'numeric', 'uuid', 'timestamp without time zone', 'timestamp with time zone'
                ) and named.scale is null
                then named.base
            when named.size is null then named.base
            else reading_of.type_name
        end,
        case
            when named.base = 'uuid' then 36
            when named.base = 'smallint' then 6
            when named.base = 'integer' then 11
            when named.base = 'bigint' then 20
            when named.base like 'timestamp%' then coalesce(named.size, 6)
            when named.size is null then 2147483647
            -- A sign, and of a key not more digits than these.
            when named.base = 'numeric' then named.size + 1
            else named.size
        end
    from (
        select
            coalesce(to_regtype(reading_of.type_name)::text, reading_of.type_name) as base,
            substring(reading_of.type_name from '\((\d+)')::integer as size,
            substring(reading_of.type_name from ',\s*(-?\d+)\)')::integer as scale
    ) as named;
end;

-- True where every value of type `was` that the server turned into type `is_now` reads the same: as a key, a link,
-- a state, a number, a date and a time. Measured, type by type, by tests/integration/test_types_read.py.
create or replace function sletteplikt.reads_the_same(was text, is_now text) returns boolean
language sql stable parallel safe
begin atomic
    select
        reads_the_same.was = reads_the_same.is_now
        -- Among whole numbers the server refuses what does not fit.
        or (a.family = 'whole number' and b.family in ('whole number', 'numeric'))
        or (a.family = b.family and a.room <= b.room)
        or (a.family in ('whole number', 'numeric', 'uuid') and b.family = 'text' and a.room <= b.room)
        -- A float holds every number of so many bits, and writes it as they do.
        or (a.family = 'whole number' and a.room <= 11 and b.family = 'double precision')
        or (a.family = 'whole number' and a.room <= 6 and b.family = 'real')
    from
        sletteplikt.reading_of(reads_the_same.was) as a
        cross join sletteplikt.reading_of(reads_the_same.is_now) as b;
end;

revoke all on function sletteplikt.reading_of, sletteplikt.reads_the_same from public;
grant execute on function sletteplikt.reading_of, sletteplikt.reads_the_same to retention_reader, retention_purger;

set local role retention_owner;

-- The columns that may read otherwise than they did: of a type that does not read the same as the declared one or,
-- where none is declared, as the one that was seen first. `tables` says which columns the classification reads:
-- [{source_schema, source_table, columns: [name], types: {name: declared type}}].
create or replace function ledger.columns_read_otherwise(tables jsonb) returns table (
    source_schema text, source_table text, column_name text, was text, is_now text, is_declared boolean
)
language sql stable
set search_path = pg_catalog, ledger, pg_temp
as $$
    select t.source_schema, t.source_table, landed.column_name, min(known.type_name), landed.type_name,
        t.types ? landed.column_name
    from jsonb_to_recordset(columns_read_otherwise.tables) as t (
        source_schema text, source_table text, columns jsonb, types jsonb
    )
    cross join lateral (
        select a.attname::text as column_name, format_type(a.atttypid, a.atttypmod) as type_name
        from pg_attribute as a
        inner join pg_class as c on a.attrelid = c.oid
        inner join pg_namespace as n on c.relnamespace = n.oid
        where
            n.nspname = t.source_schema and c.relname = t.source_table
            and a.attnum > 0 and not a.attisdropped and t.columns ? a.attname::text
    ) as landed
    cross join lateral (
        select t.types ->> landed.column_name as type_name
        where t.types ? landed.column_name
        union all
        -- Two types on its first day: it must read as under either.
        select first_seen.column_type
        from (
            select l.column_type, l.first_seen_on, min(l.first_seen_on) over () as first_day
            from ledger.landing_columns as l
            where
                not t.types ? landed.column_name
                and l.source_schema = t.source_schema and l.source_table = t.source_table
                and l.column_name = landed.column_name
        ) as first_seen
        where first_seen.first_seen_on = first_seen.first_day
    ) as known
    where known.type_name <> landed.type_name and not sletteplikt.reads_the_same(known.type_name, landed.type_name)
    group by t.source_schema, t.source_table, landed.column_name, landed.type_name, t.types;
$$;

grant execute on function ledger.columns_read_otherwise to retention_reader, retention_purger;

reset role;
