-- The evidence: an append-only list of canonical JSON, each entry with its leaf hash (RFC 6962).
set local role retention_owner;

-- RFC 8785. Our keys are ASCII, so that their byte order is the order the RFC asks for, and our numbers are
-- whole; anything else is refused rather than written differently from other implementations.
create or replace function ledger.canonical_json(value jsonb) returns text
language plpgsql immutable strict parallel safe
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    case jsonb_typeof(value)
        when 'object' then
            if exists (select from jsonb_object_keys(value) as k (name) where name ~ '[^\x01-\x7f]') then
                raise exception using errcode = 'SL002', message = 'an evidence entry has a key beyond ASCII';
            end if;
            return '{' || coalesce((
                select string_agg(to_json(e.key)::text || ':' || ledger.canonical_json(e.value), ',' order by e.key collate "C")
                from jsonb_each(value) as e
            ), '') || '}';
        when 'array' then
            return '[' || coalesce((
                select string_agg(ledger.canonical_json(e.value), ',' order by e.position)
                from jsonb_array_elements(value) with ordinality as e (value, position)
            ), '') || ']';
        when 'number' then
            if value::text !~ '^(0|-?[1-9][0-9]{0,14})$' then
                raise exception using errcode = 'SL002', message = 'an evidence entry has a number that is not whole';
            end if;
            return value::text;
        else
            return value::text;
    end case;
end
$$;

create or replace function ledger.iso_time(moment timestamptz) returns text
language sql immutable strict parallel safe
set search_path = pg_catalog, ledger, pg_temp
return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

create or replace function ledger.refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    raise exception using errcode = 'SL003', message = 'evidence is append-only: ledger.' || tg_table_name || ' is never changed';
end
$$;

create or replace trigger entries_are_append_only
before update or delete or truncate on ledger.entries
for each statement execute function ledger.refuse_change();

-- The one writer. Only the owner calls it: other functions of this schema, and record_event for others.
create or replace function ledger.append(kind text, body jsonb) returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    -- What it is and when it was written stand in the leaf itself, so that the hash covers them. The clock, not
    -- the transaction's start: an entry never looks older than what was signed before it.
    canonical text := ledger.canonical_json(
        body || jsonb_build_object('entry', append.kind, 'at', ledger.iso_time(clock_timestamp()))
    );
    written bigint;
begin
    insert into ledger.entries (kind, body, leaf_hash)
    values (append.kind, canonical, sha256('\x00'::bytea || convert_to(canonical, 'UTF8')))
    returning entry_id into written;
    insert into ledger.unsequenced (entry_id) values (written);
    return written;
end
$$;

-- What a purge, a read-back or a check may write by itself. Plans, approvals, blockers and decisions are
-- written only by the functions that make them.
create or replace function ledger.append_entry(kind text, body jsonb) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if append_entry.kind not in ('batch', 'refusal', 'read_back', 'check') then
        raise exception using errcode = 'SL003',
        message = 'this kind of evidence is written by the function that makes it, and by nothing else';
    end if;
    return ledger.append(append_entry.kind, append_entry.body);
end
$$;

grant execute on function ledger.canonical_json, ledger.iso_time to retention_reader, retention_purger;
grant execute on function ledger.append_entry to retention_purger;

reset role;
