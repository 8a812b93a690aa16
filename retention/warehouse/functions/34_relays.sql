-- Requests that are passed on to partners, or came from one; and what a partner instructs us to do.
set local role retention_owner;

-- Every relay without its partner.
create or replace view ledger.relays_shown as
select
    r.relay_id,
    r.request_id,
    r.direction,
    r.because,
    r.state,
    r.opened_at,
    r.taken_at,
    r.answer,
    r.answered_at,
    r.closed_at,
    q.state as request_state,
    q.answer_by
from ledger.relays as r inner join ledger.requests as q on r.request_id = q.request_id;
comment on view ledger.relays_shown is
'Requests relayed to and from partners: why and how far. To which partner it does not say.';

-- The records of requests' persons that we hold as a partner's processor. The first referral made us that.
create or replace function ledger.processor_records(requests uuid[])
returns table (request_id uuid, partner_key text, source_schema text, source_table text, record_key text)
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    return query
        select q.request_id, referral.partner_key, c.source_schema, c.source_table, c.record_key
        from ledger.requests as q
        inner join ledger.subject_tokens as t on q.subject_token = t.subject_token
        inner join lateral (
            select p.partner_key
            from intermediate.int_person_partners as p
            where p.subject_id = t.subject_id and p.how = 'outside'
            order by p.handover_at, p.partner_key
            limit 1
        ) as referral on true
        inner join intermediate.int_record_cases as c on t.subject_id = c.case_id and c.subject_id = t.subject_id
        inner join intermediate.int_records_decided as d
            on c.source_schema = d.source_schema and c.source_table = d.source_table and c.record_key = d.record_key
        where q.request_id = any(processor_records.requests) and d.controller_role = 'processor';
end
$$;

-- Opens the relays of requests whose identity is verified, set-wise: before that nobody outside is told that the
-- person asked. One that stands is left as it is.
create or replace function ledger.relay_requests(requests uuid[]) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    opened jsonb;
    relays bigint;
begin
    with verified as materialized (
        select q.request_id, q.subject_token
        from ledger.requests as q
        where q.request_id = any(relay_requests.requests) and q.verified_at is not null and q.closed_at is null
    ),
    wanted as (
        select v.request_id, p.partner_key, 'joint' as because
        from verified as v
        inner join ledger.subject_tokens as t on v.subject_token = t.subject_token
        inner join intermediate.int_person_partners as p on t.subject_id = p.subject_id
        where p.how = 'joint' and p.partner_key is not null
        union
        select r.request_id, r.partner_key, 'processor'
        from ledger.processor_records(array(select v.request_id from verified as v)) as r
        where r.partner_key is not null
    ),
    new as (
        insert into ledger.relays (request_id, partner_key, direction, because, state)
        select w.request_id, w.partner_key, 'out', w.because, 'open' from wanted as w
        where not exists (
            select from ledger.relays as r
            where
                r.request_id = w.request_id
                and (
                    -- Whoever passed the request on to us knows of it.
                    (r.because = 'received' and r.partner_key = w.partner_key and w.because = 'joint')
                    -- Of one that is closed nobody knows any more whose it was.
                    or (r.because = w.because and r.state = 'closed')
                )
        )
        on conflict do nothing
        returning because
    ),
    counted as (
        select new.because, count(*) as relays from new group by new.because
    )
    select coalesce(sum(c.relays), 0), jsonb_object_agg(c.because, c.relays) into relays, opened from counted as c;
    if relays > 0 then
        perform ledger.append('relays_opened', jsonb_build_object('relays', opened, 'by', session_user));
    end if;
    return relays;
end
$$;

-- Says that a partner, named as `schema.table:key`, passed the request on to us and awaits our answer.
create or replace function ledger.receive_relay(request uuid, partner text) returns uuid
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    key_of_partner text;
    received uuid;
begin
    if not exists (select from ledger.requests as q where q.request_id = request and q.closed_at is null) then
        raise exception using errcode = 'SL002',
        message = 'there is no such open request: `retention request list` shows them';
    end if;
    select u.partner_key into key_of_partner
    from intermediate.int_records_unioned as u
    where
        u.source_schema || '.' || u.source_table || ':' || u.record_key = receive_relay.partner
        and u.partner_key is not null
        and not exists (select from intermediate.int_record_cases as c where c.row_id = u.row_id);
    if key_of_partner is null then
        raise exception using errcode = 'SL002',
        message = 'there is no such partner in the last classification: name it as schema.table:key';
    end if;
    insert into ledger.relays (request_id, partner_key, direction, because, state)
    values (request, key_of_partner, 'in', 'received', 'received')
    on conflict do nothing
    returning relay_id into received;
    if received is null then
        raise exception using errcode = 'SL003', message = 'that partner''s relay of the request is on record already';
    end if;
    perform ledger.append('relays_opened', jsonb_build_object(
        'relays', jsonb_build_object('received', 1), 'by', session_user
    ));
    return received;
end
$$;

-- One relay, locked, unless there is none or it is closed.
create or replace function ledger.open_relay(relay uuid) returns ledger.relays
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    found_relay ledger.relays;
begin
    select * into found_relay from ledger.relays as r where r.relay_id = relay for update;
    if not found then
        raise exception using errcode = 'SL002',
        message = 'there is no such relay: `retention request relays` shows them';
    end if;
    if found_relay.state = 'closed' then
        raise exception using errcode = 'SL003', message = 'the relay is closed';
    end if;
    return found_relay;
end
$$;

-- Takes a relay in hand, which sends one that goes out: from then on this login may read which partner it is.
create or replace function ledger.take_relay(relay uuid) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    taken ledger.relays := ledger.open_relay(relay);
begin
    update ledger.relays as r
    set
        state = case when r.state = 'open' then 'sent' else r.state end,
        taken_at = now(), taken_by = session_user, taken_in = pg_current_xact_id()
    where r.relay_id = relay;
    perform ledger.append('relay_taken', jsonb_build_object(
        'because', taken.because, 'direction', taken.direction, 'by', session_user
    ));
end
$$;

create or replace function ledger.partner_of_relay(relay uuid) returns text
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    taken ledger.relays;
begin
    select * into taken
    from ledger.relays as r
    where
        r.relay_id = relay and r.state <> 'closed' and r.taken_by = session_user
        and r.taken_in <> pg_current_xact_id();
    if not found then
        raise exception using errcode = 'SL003',
        message = 'only the login that has taken a relay in hand reads whose it is, until it is closed';
    end if;
    return ledger.partner_shown(taken.partner_key);
end
$$;

-- Records the partner's answer; of a request that came from the partner, ours. Where we are its processor, `erase` or
-- `keep` is its instruction on the records that wait for it, and becomes our decision on them. Returns how many.
create or replace function ledger.answer_relay(relay uuid, answer text, note text) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    answered ledger.relays := ledger.open_relay(relay);
    request ledger.requests;
    instructed bigint := 0;
begin
    select * into request from ledger.requests as q where q.request_id = answered.request_id;
    if coalesce(answer_relay.answer, '') not in ('erase', 'keep', 'noted')
        or coalesce(btrim(answer_relay.note), '') = ''
    then
        raise exception using errcode = 'SL002',
        message = 'an answer is erase, keep or noted, with its words or reference';
    end if;
    if answered.state not in ('sent', 'received') then
        raise exception using errcode = 'SL003', message = format(
            'the relay is %s: nobody can have answered it%s', answered.state,
            case when answered.state = 'answered' then ' again' else ' before it was sent' end
        );
    end if;
    if (answer_relay.answer <> 'noted') <> (answered.because = 'processor' and request.asserted = 'erasure') then
        raise exception using errcode = 'SL002',
        message = 'erase or keep answers a relay of an erasure to a partner whose processor we are, noted any other';
    end if;
    if answer_relay.answer <> 'noted' then
        if request.decided_at is null then
            raise exception using errcode = 'SL003',
            message = 'the request is not decided: decide it first, which says what waits for the partner';
        end if;
        with latest as (
            select distinct on (d.source_schema, d.source_table, d.record_key) d.*
            from ledger.erasure_decisions as d
            where d.request_id = request.request_id
            order by d.source_schema, d.source_table, d.record_key, d.decided_at desc
        )
        insert into ledger.erasure_decisions (
            basis, request_id, source_schema, source_table, record_key, category, outcome, rule_id, law, relay_id
        )
        select
            'request', request.request_id, latest.source_schema, latest.source_table, latest.record_key,
            latest.category, case answer_relay.answer when 'erase' then 'erase' else 'refuse' end, latest.rule_id,
            'instruction of the partner for whom we process', answered.relay_id
        from latest
        inner join ledger.processor_records(array[request.request_id]) as theirs
            on latest.source_schema = theirs.source_schema and latest.source_table = theirs.source_table
            and latest.record_key = theirs.record_key
        where latest.outcome = 'relay' and theirs.partner_key = answered.partner_key;
        get diagnostics instructed = row_count;
        perform ledger.notify('erasure', array[request.request_id]);
    end if;
    update ledger.relays as r
    set
        state = 'answered', answer = answer_relay.answer, note = btrim(answer_relay.note), answered_at = now(),
        answered_by = session_user
    where r.relay_id = relay;
    perform ledger.append('relay_answered', jsonb_build_object(
        'because', answered.because, 'direction', answered.direction, 'answer', answer_relay.answer,
        'records', instructed, 'by', session_user
    ));
    return instructed;
end
$$;

-- Ends a relay, and forgets whose it was; one that nobody answered ends for a reason.
create or replace function ledger.close_relay(relay uuid, reason text default null) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    ended ledger.relays := ledger.open_relay(relay);
begin
    if ended.answer is null and coalesce(btrim(close_relay.reason), '') = '' then
        raise exception using errcode = 'SL002', message = 'nobody has answered the relay: give the reason why it ends';
    end if;
    update ledger.relays as r
    set
        state = 'closed', partner_key = null, closed_at = now(), closed_by = session_user,
        close_reason = nullif(btrim(close_relay.reason), '')
    where r.relay_id = relay;
    perform ledger.append('relay_closed', jsonb_build_object(
        'because', ended.because, 'direction', ended.direction, 'answered', ended.answer is not null,
        'by', session_user
    ));
end
$$;

-- What we process for a partner is the partner's to decide, whoever writes a decision on a request.
create or replace function ledger.refuse_own_decision() returns trigger
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    theirs bigint;
begin
    if to_regclass('intermediate.int_records_decided') is null then
        return null;
    end if;
    select count(*) into theirs
    from decided
    inner join intermediate.int_records_decided as d
        on decided.source_schema = d.source_schema and decided.source_table = d.source_table
        and decided.record_key = d.record_key
    where
        d.rule_id = 'PROCESSOR' and decided.basis = 'request' and decided.relay_id is null
        and decided.outcome in ('erase', 'minimise', 'lock');
    if theirs > 0 then
        raise exception using errcode = 'SL003', message = format(
            'of these records %s are processed for a partner: the partner decides on them (`retention request relay`)',
            theirs
        );
    end if;
    return null;
end
$$;

create or replace trigger partners_decide_on_what_is_theirs
after insert on ledger.erasure_decisions referencing new table as decided
for each statement execute function ledger.refuse_own_decision();

grant select on ledger.relays_shown to retention_reader, retention_auditor, retention_rights_officer;
grant execute on function ledger.relay_requests, ledger.receive_relay, ledger.take_relay, ledger.partner_of_relay,
ledger.answer_relay, ledger.close_relay
to retention_rights_officer;

reset role;
