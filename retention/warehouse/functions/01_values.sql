-- How landing values are read: as local dates, as UTC times, as keys, as salted hashes.
-- None of these raises on a bad value; what cannot be read is null, and its record goes to review.


-- The instant of a text in one of the ISO shapes that connectors write; UTC where no zone is given.
create or replace function sletteplikt.utc_time(value text) returns timestamp
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
declare
    part text[];
    moment timestamp;
begin
    part := regexp_match(value, '^\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?)?\s*$');
    if part is null or part[1]::int < 1 or part[2]::int not between 1 and 12 or part[3]::int < 1 then
        return null;
    end if;
    if part[3]::int > extract(day from make_date(part[1]::int, part[2]::int, 1) + interval '1 month' - interval '1 day') then
        return null;
    end if;
    if coalesce(part[4]::int, 0) > 23 or coalesce(part[5]::int, 0) > 59 or coalesce(part[6]::int, 0) > 59 then
        return null;
    end if;
    moment := make_timestamp(
        part[1]::int, part[2]::int, part[3]::int, coalesce(part[4]::int, 0), coalesce(part[5]::int, 0),
        coalesce(part[6], '0')::double precision
    ) + coalesce(rpad(left(part[7], 6), 6, '0')::int, 0) * interval '1 microsecond';
    if part[8] ~ '^[+-]' then
        moment := moment - (left(part[8], 1) || '1')::int * (
            substr(part[8], 2, 2)::int * interval '1 hour'
            + coalesce(nullif(right(replace(substr(part[8], 4), ':', ''), 2), ''), '0')::int * interval '1 minute'
        );
    end if;
    return moment;
end $$;

create or replace function sletteplikt.utc_time(value timestamptz) returns timestamp
language sql immutable parallel safe return case when isfinite(value) then value at time zone 'UTC' end;

create or replace function sletteplikt.utc_time(value timestamp) returns timestamp
language sql immutable parallel safe return case when isfinite(value) then value end;

-- A date has no time of day: the local midnight that begins it.
create or replace function sletteplikt.utc_time(value date) returns timestamp
language sql immutable parallel safe
return case when isfinite(value) then (value::timestamp at time zone 'Europe/Oslo') at time zone 'UTC' end;

-- A number has no declared unit (seconds? microseconds?), and a guess would be a date: review.
create or replace function sletteplikt.utc_time(value numeric) returns timestamp
language sql immutable parallel safe return null::timestamp;

create or replace function sletteplikt.utc_time(value bigint) returns timestamp
language sql immutable parallel safe return null::timestamp;

create or replace function sletteplikt.utc_time(value int) returns timestamp
language sql immutable parallel safe return null::timestamp;

create or replace function sletteplikt.utc_time(value smallint) returns timestamp
language sql immutable parallel safe return null::timestamp;

-- Whatever else a connector may turn a column into (a float, a boolean, JSON) is no time.
create or replace function sletteplikt.utc_time(value anyelement) returns timestamp
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$ select null::timestamp $$;

create or replace function sletteplikt.local_date(value timestamptz) returns date
language sql immutable parallel safe
return case when isfinite(value) then (value at time zone 'Europe/Oslo')::date end;

create or replace function sletteplikt.local_date(value timestamp) returns date
language sql immutable parallel safe
return case when isfinite(value) then (value at time zone 'UTC' at time zone 'Europe/Oslo')::date end;

create or replace function sletteplikt.local_date(value date) returns date
language sql immutable parallel safe return case when isfinite(value) then value end;

create or replace function sletteplikt.local_date(value text) returns date
language sql immutable parallel safe
return case
    when value ~ '^\s*\d{4}-\d{1,2}-\d{1,2}\s*$' then sletteplikt.utc_time(value)::date
    else (sletteplikt.utc_time(value) at time zone 'UTC' at time zone 'Europe/Oslo')::date
end;

create or replace function sletteplikt.local_date(value numeric) returns date
language sql immutable parallel safe return null::date;

create or replace function sletteplikt.local_date(value bigint) returns date
language sql immutable parallel safe return null::date;

create or replace function sletteplikt.local_date(value int) returns date
language sql immutable parallel safe return null::date;

create or replace function sletteplikt.local_date(value smallint) returns date
language sql immutable parallel safe return null::date;

create or replace function sletteplikt.local_date(value anyelement) returns date
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$ select null::date $$;

-- A number that landed as a number or as text; what is no number is null.
create or replace function sletteplikt.as_number(value text) returns numeric
language sql immutable parallel safe
return case when value ~ '^\s*[+-]?\d{1,30}(\.\d{1,30})?\s*$' then value::numeric end;

create or replace function sletteplikt.as_number(value double precision) returns numeric
language sql immutable parallel safe return value::numeric;

create or replace function sletteplikt.as_number(value numeric) returns numeric
language sql immutable parallel safe return value;

create or replace function sletteplikt.as_number(value int) returns numeric
language sql immutable parallel safe return value::numeric;

create or replace function sletteplikt.as_number(value bigint) returns numeric
language sql immutable parallel safe return value::numeric;

create or replace function sletteplikt.as_number(value anyelement) returns numeric
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$ select null::numeric $$;

-- Keys as text, whatever their type: timestamps as UTC ISO 8601 with microseconds.
create or replace function sletteplikt.key_text(value text) returns text
language sql immutable parallel safe return value;

create or replace function sletteplikt.key_text(value bigint) returns text
language sql immutable parallel safe return value::text;

create or replace function sletteplikt.key_text(value int) returns text
language sql immutable parallel safe return value::text;

create or replace function sletteplikt.key_text(value numeric) returns text
language sql immutable parallel safe return value::text;

create or replace function sletteplikt.key_text(value double precision) returns text
language sql immutable parallel safe return value::text;

create or replace function sletteplikt.key_text(value boolean) returns text
language sql immutable parallel safe return value::text;

create or replace function sletteplikt.key_text(value uuid) returns text
language sql immutable parallel safe return value::text;

create or replace function sletteplikt.key_text(value date) returns text
language sql immutable parallel safe return to_char(value, 'YYYY-MM-DD');

create or replace function sletteplikt.key_text(value timestamp) returns text
language sql immutable parallel safe return to_char(value, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

create or replace function sletteplikt.key_text(value timestamptz) returns text
language sql immutable parallel safe return to_char(value at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- Any other type as PostgreSQL writes it, so that a key of a type nobody thought of fails no classification.
create or replace function sletteplikt.key_text(value anyelement) returns text
language sql stable parallel safe
set search_path = pg_catalog, pg_temp as $$ select value::text $$;

-- E-mail: trimmed, lower case. Phone: digits only, no leading 00, a Norwegian number with its 47.
create or replace function sletteplikt.normalised(kind text, value text) returns text
language sql immutable parallel safe
return case kind
    when 'email' then nullif(lower(btrim(value)), '')
    when 'phone' then (
        select case when length(digits) = 8 then '47' || digits else nullif(digits, '') end
        from (select regexp_replace(regexp_replace(value, '\D', '', 'g'), '^00', '') as digits) as cleaned
    )
    else value
end;

create or replace function sletteplikt.link_hash(kind text, value text) returns text
language sql stable parallel safe
return (
    select encode(sha256(link_salt.salt || convert_to(kind || ':' || sletteplikt.normalised(kind, value), 'UTF8')), 'hex')
    from ledger.link_salt
);

-- The date on which an event plus a period ends (requirements § 6): same-numbered day, clamped to the end of
-- the month. No period, no date.
create or replace function sletteplikt.last_day(anchor date, months int, days int) returns date
language sql immutable parallel safe
return case
    when months is not null or days is not null
        then (anchor + make_interval(months => coalesce(months, 0)))::date + coalesce(days, 0)
end;

revoke all on all functions in schema sletteplikt from public;
grant execute on all functions in schema sletteplikt to retention_reader, retention_purger;
