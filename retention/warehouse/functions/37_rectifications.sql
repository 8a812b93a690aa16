-- Corrections (GDPR art. 16): what was wrong, as a keyed fingerprint, and where it is found again.
set local role retention_owner;

-- Every correction without the record's key and without the fingerprint.
create or replace view ledger.rectifications_shown as
select
    r.rectification_id,
    r.request_id,
    r.source_schema,
    r.source_table,
    r.column_name,
    r.recorded_at,
    r.corrected_on,
    r.traced_at,
    r.left_over,
    r.old_versions,
    r.not_searched,
    r.accepted_reason,
    r.ended_at
from ledger.rectifications as r;
comment on view ledger.rectifications_shown is
'Values that are corrected, by table and column: whether the source has corrected them, and where the old one is left.';

-- Keeps the fingerprint of a value that is wrong, before it is corrected: HMAC-SHA-256 under a key of that purpose.
-- The record must be one of the person who asks.
create or replace function ledger.record_rectification(
    request uuid, source_schema text, source_table text, record_key text, column_name text, kind text,
    fingerprint bytea, key_id text
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    asked ledger.requests;
    recorded uuid;
begin
    select * into asked from ledger.requests as q where q.request_id = request;
    if not found or asked.asserted <> 'rectification' then
        raise exception using errcode = 'SL002',
        message = 'there is no such request for rectification: `retention request list` shows them';
    end if;
    if asked.verified_at is null or asked.closed_at is not null then
        raise exception using errcode = 'SL003',
        message = 'whose request it is was not verified, or it is closed: nothing is corrected on it';
    end if;
    if octet_length(record_rectification.fingerprint) <> 32 then
        raise exception using errcode = 'SL002', message = 'a fingerprint is 32 bytes';
    end if;
    if not exists (
        select from intermediate.int_record_cases as c
        where
            c.source_schema = record_rectification.source_schema
            and c.source_table = record_rectification.source_table
            and c.record_key = record_rectification.record_key
            and c.subject_token = asked.subject_token
    ) then
        raise exception using errcode = 'SL003',
        message = 'by the last classification that record is not one of the person who asks';
    end if;
    perform ledger.use_key('hmac', record_rectification.key_id);
    insert into ledger.rectifications (
        request_id, source_schema, source_table, record_key, column_name, kind, fingerprint, key_id
    )
    values (
        request, record_rectification.source_schema, record_rectification.source_table,
        record_rectification.record_key, record_rectification.column_name, record_rectification.kind,
        record_rectification.fingerprint, record_rectification.key_id
    )
    on conflict do nothing
    returning rectification_id into recorded;
    if recorded is null then
        raise exception using errcode = 'SL003', message = 'that column of the record is being corrected already';
    end if;
    perform ledger.append('rectification_recorded', jsonb_build_object(
        'rectification_id', recorded, 'by', session_user, 'key_id', record_rectification.key_id,
        'column', concat_ws(
            '.', record_rectification.source_schema, record_rectification.source_table, record_rectification.column_name
        )
    ));
    return recorded;
end
$$;

-- Records what a trace found: rows that still hold the old value, those apart that are versions which are over, and
-- what could not be searched. Clean is what the source has corrected, and no row holds any more; then the fingerprint
-- has served and goes. Recipients are told once all that the request named is corrected at the source (art. 19).
create or replace function ledger.record_trace(
    rectification uuid, corrected boolean, left_over jsonb, old_versions jsonb, not_searched jsonb
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    traced ledger.rectifications;
    is_clean boolean := record_trace.corrected and record_trace.left_over = '{}' and record_trace.not_searched = '[]';
begin
    select * into traced from ledger.rectifications as r where r.rectification_id = rectification for update;
    if not found then
        raise exception using errcode = 'SL002', message = 'there is no such correction';
    end if;
    if traced.ended_at is not null then
        return true;
    end if;
    update ledger.rectifications as r
    set
        corrected_on = case when record_trace.corrected then coalesce(r.corrected_on, ledger.today()) end,
        left_over = record_trace.left_over,
        old_versions = record_trace.old_versions,
        not_searched = record_trace.not_searched,
        traced_at = now(),
        traced_by = session_user,
        ended_at = case when is_clean then now() end,
        record_key = case when not is_clean then r.record_key end,
        fingerprint = case when not is_clean then r.fingerprint end
    where r.rectification_id = rectification;
    perform ledger.append('rectification_traced', jsonb_build_object(
        'rectification_id', rectification, 'corrected', record_trace.corrected, 'clean', is_clean,
        'left_over', record_trace.left_over, 'old_versions', record_trace.old_versions,
        'not_searched', record_trace.not_searched, 'by', session_user
    ));
    if not exists (
        select from ledger.rectifications as r
        where r.request_id = traced.request_id and r.corrected_on is null
    ) then
        perform ledger.notify('rectification', array[traced.request_id]);
    end if;
    return is_clean;
end
$$;

-- Ends the corrections of a request whose old value is left where it belongs: in a message that was sent from an
-- address, say. Who says so and why is kept; the fingerprint has served and goes. Returns how many.
create or replace function ledger.accept_left_over(request uuid, reason text) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    accepted bigint;
begin
    if coalesce(btrim(accept_left_over.reason), '') = '' then
        raise exception using errcode = 'SL002',
        message = 'say why the old value belongs where it is left: a reason is needed';
    end if;
    if exists (
        select from ledger.rectifications as r
        where r.request_id = request and r.ended_at is null and r.corrected_on is null
    ) then
        raise exception using errcode = 'SL003',
        message = 'the source holds the old value, or nobody has traced it: correct it there, then trace it';
    end if;
    update ledger.rectifications as r
    set
        accepted_by = session_user, accepted_reason = btrim(accept_left_over.reason), ended_at = now(),
        record_key = null, fingerprint = null
    where r.request_id = request and r.ended_at is null;
    get diagnostics accepted = row_count;
    if accepted > 0 then
        perform ledger.append('rectification_accepted', jsonb_build_object(
            'corrections', accepted, 'by', session_user
        ));
    end if;
    return accepted;
end
$$;

grant select on ledger.rectifications_shown to retention_reader, retention_auditor, retention_rights_officer;
grant execute on function ledger.record_rectification, ledger.accept_left_over to retention_rights_officer;
-- A trace reads landing, which people do not: it runs as a service, too.
grant execute on function ledger.record_trace to retention_rights_officer, retention_purger;

reset role;
