-- The register of requests: taken in, identified, verified, extended, decided, carried out, closed. While one is
-- pending the person's records are held by an ordinary hold, which no purge passes.
set local role retention_owner;

-- Raises unless the login was granted the role of those who answer requests; being a superuser is not enough.
create or replace function ledger.refuse_other_than_officer() returns void
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if not ledger.is_member(session_user, 'retention_rights_officer') then
        raise exception using errcode = 'SL003',
        message = 'this login may not answer requests: have an administrator grant retention_rights_officer to it';
    end if;
end
$$;

-- The rights by which something is handed over: nothing may vanish before that. Every other right orders by
-- itself what happens to the records, from the decision on.
create or replace function ledger.is_handed_over(asserted text) returns boolean
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return coalesce(is_handed_over.asserted in ('access', 'portability', 'rectification'), false);

-- The request, locked against whoever else would take it further. Raises where it is not in one of `states`.
create or replace function ledger.request_to_change(request_id uuid, states text[]) returns ledger.requests
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    request ledger.requests;
begin
    select * into request from ledger.requests as r where r.request_id = request_to_change.request_id for update;
    if not found then
        raise exception using errcode = 'SL002', message = 'there is no such request: `retention request list` shows them';
    end if;
    if request.state <> all(request_to_change.states) then
        raise exception using errcode = 'SL003', message = format(
            'the request is %s, not %s', replace(request.state, '_', ' '),
            replace(array_to_string(request_to_change.states, ' or '), '_', ' ')
        );
    end if;
    return request;
end
$$;

-- Holds the persons of pending requests that hold nobody yet. Guards in the order in which a batch locks them.
create or replace function ledger.hold_for_requests(request_ids uuid[], authority text) returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    held bigint;
begin
    if coalesce(btrim(hold_for_requests.authority), '') = '' then
        raise exception using errcode = 'SL002', message = 'a hold needs an authority: the clause that orders it';
    end if;
    with wanting as materialized (
        select r.request_id, r.subject_token::text as target, gen_random_uuid() as blocker_id
        from ledger.requests as r
        where
            r.request_id = any(request_ids) and r.subject_token is not null and r.hold_id is null
            and r.state in ('received', 'identity_verified')
    ),
    placed as (
        insert into ledger.blockers (blocker_id, kind, scope, target, reason, authority, from_on)
        select w.blocker_id, 'hold', 'subject', w.target, 'a request of the person is pending',
            hold_for_requests.authority, ledger.today()
        from wanting as w
        returning blocker_id, from_on
    ),
    weighed as (
        insert into ledger.guards as g (guard_key, blockers)
        select ledger.guard_key('subject', w.target), count(*) from wanting as w group by w.target order by 1
        on conflict (guard_key) do update set blockers = g.blockers + excluded.blockers
    ),
    known as (
        update ledger.requests as r set hold_id = w.blocker_id from wanting as w where r.request_id = w.request_id
    ),
    attested as materialized (
        select ledger.append('blocker_placed', jsonb_build_object(
            'blocker_id', p.blocker_id, 'kind', 'hold', 'scope', 'subject', 'from_on', p.from_on,
            'until_on', null, 'placed_by', session_user
        )) as entry_id
        from placed as p
    )
    select count(entry_id) into held from attested;
    return held;
end
$$;

-- Ends what requests held.
create or replace function ledger.release_request_holds(request_ids uuid[]) returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    released bigint;
begin
    perform from ledger.guards as g
    where g.guard_key in (
        select ledger.guard_key(b.scope, b.target)
        from ledger.requests as r inner join ledger.blockers as b on r.hold_id = b.blocker_id
        where r.request_id = any(request_ids) and b.released_at is null
    )
    order by g.guard_key
    for update;
    with freed as (
        update ledger.blockers as b set released_at = now(), released_by = session_user
        from ledger.requests as r
        where r.request_id = any(request_ids) and r.hold_id = b.blocker_id and b.released_at is null
        returning b.blocker_id, b.scope, b.target
    ),
    lighter as (
        update ledger.guards as g set blockers = g.blockers - weights.holds
        from (
            select ledger.guard_key(f.scope, f.target) as guard_key, count(*) as holds from freed as f group by 1
        ) as weights
        where g.guard_key = weights.guard_key
    ),
    attested as materialized (
        select ledger.append('blocker_released', jsonb_build_object(
            'blocker_id', f.blocker_id, 'kind', 'hold', 'scope', f.scope, 'released_by', session_user,
            'restarted_on', null, 'restarted_assignments', 0
        )) as entry_id
        from freed as f
    )
    select count(entry_id) into released from attested;
    return released;
end
$$;

-- Evidence that requests were received: when, which right, until when an answer is due. Nothing says whose.
create or replace function ledger.attest_requests(request_ids uuid[]) returns void
language sql
set search_path = pg_catalog, ledger, pg_temp as $$
    select ledger.append('request_received', jsonb_build_object(
        'request_id', r.request_id, 'asserted', r.asserted, 'received_on', r.received_on,
        'answer_by', r.answer_by, 'state', r.state, 'is_identified', r.subject_token is not null,
        'registered_by', session_user
    ))
    from ledger.requests as r where r.request_id = any(request_ids)
$$;

-- Until when a request received on a day is to be answered. The period is the policy's.
create or replace function ledger.answer_day(received_on date, months integer, days integer) returns date
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if coalesce(answer_day.months, 0) < 0 or coalesce(answer_day.days, 0) < 0
        or coalesce(answer_day.months, 0) + coalesce(answer_day.days, 0) = 0
    then
        raise exception using errcode = 'SL002', message = 'a request is answered within a period: give months or days';
    end if;
    return sletteplikt.last_day(answer_day.received_on, answer_day.months, answer_day.days);
end
$$;

-- Registers a request that came by letter, mail or phone. `person` is a token or `schema.table:key`; without it
-- the request waits until somebody finds out whose it is, and holds nobody.
create or replace function ledger.open_request(
    asserted text, received_on date, person text, months integer, days integer, authority text,
    purpose text default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    token uuid;
    opened uuid;
begin
    perform ledger.refuse_other_than_officer();
    if open_request.received_on is null or open_request.received_on > ledger.today() then
        raise exception using errcode = 'SL002', message = 'it was received on a day to come: give the day it came in';
    end if;
    if open_request.person is not null then
        token := ledger.resolve_target('subject', open_request.person)::uuid;
        if token is null then
            raise exception using errcode = 'SL002',
            message = 'there is no such person in the last classification: check the key, or leave the person out';
        end if;
    end if;
    insert into ledger.requests (asserted, received_on, answer_by, subject_token, purpose)
    values (
        open_request.asserted, open_request.received_on,
        ledger.answer_day(open_request.received_on, open_request.months, open_request.days), token,
        open_request.purpose
    )
    returning request_id into opened;
    perform ledger.attest_requests(array[opened]);
    perform ledger.hold_for_requests(array[opened], open_request.authority);
    return opened;
end
$$;

-- Takes in the landed requests of the last classification that the register lacks, and finds the persons of those
-- that had none before. One that was closed before it was seen is taken in closed. A row that was purged and came
-- back is no new request.
create or replace function ledger.intake_requests(
    months integer, days integer, authority text,
    out registered bigint, out registered_closed bigint, out identified bigint, out unidentified bigint
)
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    added uuid[];
    found_again uuid[];
begin
    with taken as (
        insert into ledger.requests (
            asserted, state, received_on, answer_by, source_schema, source_table, record_key, subject_token,
            closed_as, closed_by, closed_at
        )
        select
            facts.request_right,
            case when facts.request_is_pending then 'received' else 'closed' end,
            dated.received_on,
            ledger.answer_day(dated.received_on, intake_requests.months, intake_requests.days),
            cases.source_schema, cases.source_table, cases.record_key, cases.subject_token,
            case when not facts.request_is_pending then 'closed_at_source' end,
            case when not facts.request_is_pending then session_user end,
            case when not facts.request_is_pending then now() end
        from intermediate.int_records_unioned as facts
        inner join intermediate.int_record_cases as cases using (row_id)
        -- An unreadable day, or one to come, is counted from today.
        cross join lateral (values (least(coalesce(cases.anchor_on, ledger.today()), ledger.today())))
            as dated (received_on)
        where
            facts.request_is_pending is not null and facts.is_current
            and not exists (
                select from ledger.returned_records as returned
                where
                    returned.source_schema = cases.source_schema and returned.source_table = cases.source_table
                    and returned.record_key = cases.record_key
            )
        on conflict (source_schema, source_table, record_key) where record_key is not null do nothing
        returning request_id, state, subject_token
    )
    select
        array_agg(request_id), count(*), count(*) filter (where state = 'closed'),
        count(*) filter (where subject_token is null and state <> 'closed')
    into added, registered, registered_closed, unidentified
    from taken;

    with named as (
        update ledger.requests as r set subject_token = cases.subject_token
        from intermediate.int_record_cases as cases
        where
            r.subject_token is null and r.state = 'received' and cases.subject_token is not null
            and r.source_schema = cases.source_schema and r.source_table = cases.source_table
            and r.record_key = cases.record_key
        returning r.request_id
    )
    select array_agg(request_id), count(*) into found_again, identified from named;

    perform ledger.attest_requests(added);
    perform ledger.append('request_identified', jsonb_build_object(
        'request_id', f.request_id, 'identified_by', session_user
    ))
    from unnest(found_again) as f (request_id);
    perform ledger.hold_for_requests(added || found_again, intake_requests.authority);
end
$$;

-- Says whose request it is and, where its words were not understood, which right it uses. Whoever was taken for the
-- person before is held by it no longer.
create or replace function ledger.identify(
    request_id uuid, person text, authority text, asserted text default null
) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    request ledger.requests;
    token uuid := ledger.resolve_target('subject', identify.person)::uuid;
begin
    perform ledger.refuse_other_than_officer();
    request := ledger.request_to_change(identify.request_id, array['received']);
    if token is null then
        raise exception using errcode = 'SL002',
        message = 'there is no such person in the last classification: check the token or key';
    end if;
    if request.subject_token is distinct from token then
        perform ledger.release_request_holds(array[request.request_id]);
        update ledger.requests as r set subject_token = token, hold_id = null
        where r.request_id = request.request_id;
        perform ledger.hold_for_requests(array[request.request_id], identify.authority);
    end if;
    update ledger.requests as r set asserted = coalesce(identify.asserted, r.asserted)
    where r.request_id = request.request_id;
    perform ledger.append('request_identified', jsonb_strip_nulls(jsonb_build_object(
        'request_id', request.request_id, 'asserted', identify.asserted, 'identified_by', session_user
    )));
end
$$;

-- The person is who the request says. From here on a scan of an identity document has served its purpose.
create or replace function ledger.verify_identity(request_id uuid, how text) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    request ledger.requests;
begin
    perform ledger.refuse_other_than_officer();
    request := ledger.request_to_change(verify_identity.request_id, array['received']);
    if request.subject_token is null or request.asserted is null then
        raise exception using errcode = 'SL003',
        message = 'nobody knows yet whose request it is, or for what: `retention request identify` it first';
    end if;
    update ledger.requests as r
    set state = 'identity_verified', verified_how = verify_identity.how, verified_by = session_user,
        verified_at = now()
    where r.request_id = request.request_id;
    perform ledger.append('request_verified', jsonb_build_object(
        'request_id', request.request_id, 'how', verify_identity.how, 'verified_by', session_user
    ));
    -- From here on partners may know that the person asked.
    perform ledger.relay_requests(array[request.request_id]);
end
$$;

-- A later day for the answer: counted from the day of receipt over the whole longer period, and only where the
-- person was told within the first (GDPR art. 12(3)).
create or replace function ledger.extend_request(
    request_id uuid, reason text, notified_on date, months integer, days integer
) returns date
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    request ledger.requests;
    later date;
begin
    perform ledger.refuse_other_than_officer();
    request := ledger.request_to_change(extend_request.request_id, array['received', 'identity_verified', 'decided']);
    if request.extended_on is not null then
        raise exception using errcode = 'SL003', message = 'the request was extended before: that is possible once';
    end if;
    if extend_request.notified_on is null or extend_request.notified_on < request.received_on
        or extend_request.notified_on > ledger.today()
    then
        raise exception using errcode = 'SL002',
        message = 'give the day on which the person was told, between the day of receipt and today';
    end if;
    if extend_request.notified_on > request.answer_by then
        raise exception using errcode = 'SL003', message = format(
            'the person had to be told by %s: an extension that was told later does not count', request.answer_by
        );
    end if;
    later := ledger.answer_day(request.received_on, extend_request.months, extend_request.days);
    if later <= request.answer_by then
        raise exception using errcode = 'SL002', message = 'an extension ends later than the first period';
    end if;
    update ledger.requests as r
    set extended_on = extend_request.notified_on, extension_reason = extend_request.reason, answer_by = later
    where r.request_id = request.request_id;
    perform ledger.append('request_extended', jsonb_build_object(
        'request_id', request.request_id, 'reason', extend_request.reason, 'notified_on', extend_request.notified_on,
        'answer_by', later, 'extended_by', session_user
    ));
    return later;
end
$$;

-- Decides requests whose persons are verified, each with its outcome. What a request itself orders is held by it no
-- longer; what is to be handed over still is. Nobody is granted it: what decides on records calls it.
create or replace function ledger.decide_requests(request_ids uuid[], outcomes text[]) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    asked bigint := (select count(distinct id) from unnest(decide_requests.request_ids) as asked (id));
    ready bigint;
    decided bigint;
begin
    perform ledger.refuse_other_than_officer();
    if asked <> cardinality(decide_requests.request_ids) or asked <> cardinality(decide_requests.outcomes) then
        raise exception using errcode = 'SL002', message = 'each request is decided once, with one outcome';
    end if;
    perform from ledger.requests as r where r.request_id = any(request_ids) order by r.request_id for update;
    select count(*) into ready from ledger.requests as r
    where r.request_id = any(request_ids) and r.state = 'identity_verified';
    if ready <> asked then
        raise exception using errcode = 'SL003', message = format(
            '%s of %s requests cannot be decided: their persons are not verified, or they were decided before',
            asked - ready, asked
        );
    end if;
    with changed as (
        update ledger.requests as r
        set state = 'decided', outcome = said.outcome, decided_by = session_user, decided_at = now()
        from unnest(decide_requests.request_ids, decide_requests.outcomes) as said (request_id, outcome)
        where r.request_id = said.request_id
        returning r.request_id, r.asserted, r.outcome
    ),
    attested as materialized (
        select ledger.append('request_decided', jsonb_build_object(
            'request_id', c.request_id, 'asserted', c.asserted, 'outcome', c.outcome, 'decided_by', session_user
        )) as entry_id
        from changed as c
    )
    select count(entry_id) into decided from attested;
    perform ledger.release_request_holds(array(
        select r.request_id from ledger.requests as r
        where r.request_id = any(request_ids) and not ledger.is_handed_over(r.asserted)
    ));
    return decided;
end
$$;

-- Decides one request, as its officer. Not an erasure, which is decided record by record: with a word alone its
-- person would be told that it was granted, and nothing would go.
create or replace function ledger.decide_request(request_id uuid, outcome text) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if exists (
        select from ledger.requests as r where r.request_id = decide_request.request_id and r.asserted = 'erasure'
    ) then
        raise exception using errcode = 'SL003',
        message = 'an erasure is decided record by record: `retention request decide`';
    end if;
    perform ledger.decide_requests(array[decide_request.request_id], array[decide_request.outcome]);
end
$$;

-- Whether what is to be handed over was: a copy was made that is no draft, or the correction came through or what is
-- left of it was accepted. A refusal hands nothing over.
create or replace function ledger.is_answered(request ledger.requests) returns boolean
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select case
        when request.outcome = 'refused' then true
        when request.asserted in ('access', 'portability') then exists (
            select from ledger.packages as p inner join ledger.disclosures as d using (disclosure_id)
            where d.request_id = request.request_id and p.file_name not like 'draft-%'
        )
        when request.asserted = 'rectification' then (
            select count(*) > 0 and count(*) = count(c.ended_at)
            from ledger.rectifications as c where c.request_id = request.request_id
        )
        else true
    end
$$;

-- What was decided has been done: handed over, changed, restricted or erased. Returns how many were not before.
-- The job says so too, once the purge of an erasure has ended.
create or replace function ledger.carry_out_requests(request_ids uuid[]) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    unready bigint;
    done uuid[];
begin
    perform from ledger.requests as r where r.request_id = any(request_ids) order by r.request_id for update;
    select count(*) into unready
    from unnest(carry_out_requests.request_ids) as asked (id)
    where not exists (
        select from ledger.requests as r where r.request_id = asked.id and r.state in ('decided', 'carried_out')
    );
    if unready > 0 then
        raise exception using errcode = 'SL003',
        message = format('%s of the requests are not decided: decide them first', unready);
    end if;
    if exists (
        select from ledger.requests as r
        where r.request_id = any(request_ids) and r.state = 'decided' and not ledger.is_answered(r)
    ) then
        raise exception using errcode = 'SL003',
        message = 'nothing was handed over yet: make the copy (`retention request package`) or trace the correction'
        || ' (`retention request trace`) first';
    end if;
    with changed as (
        update ledger.requests as r
        set state = 'carried_out', carried_out_by = session_user, carried_out_at = now()
        where r.request_id = any(request_ids) and r.state = 'decided'
        returning r.request_id, r.asserted
    ),
    attested as materialized (
        select c.request_id, ledger.append('request_carried_out', jsonb_build_object(
            'request_id', c.request_id, 'asserted', c.asserted, 'carried_out_by', session_user
        )) as entry_id
        from changed as c
    )
    select array_agg(a.request_id) into done from attested as a;
    perform ledger.release_request_holds(done);
    return coalesce(cardinality(done), 0);
end
$$;

create or replace function ledger.carry_out_request(request_id uuid) returns bigint
language sql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    select ledger.carry_out_requests(array[carry_out_request.request_id])
$$;

-- Records that what was asked for was handed over, or refused: decides and carries out in one.
create or replace function ledger.answer_request(request_id uuid, outcome text) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if exists (
        select from ledger.requests as r
        where r.request_id = answer_request.request_id and not ledger.is_handed_over(r.asserted)
    ) then
        raise exception using errcode = 'SL003',
        message = 'this request is not answered by a word: `retention request show` says what to do';
    end if;
    perform ledger.decide_requests(array[answer_request.request_id], array[answer_request.outcome]);
    perform ledger.carry_out_requests(array[answer_request.request_id]);
end
$$;

-- Ends a request: `answered` once it was carried out, anything else before it was decided. What it held is free.
create or replace function ledger.close_request(request_id uuid, reason text) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    request ledger.requests;
begin
    perform ledger.refuse_other_than_officer();
    if close_request.reason = 'closed_at_source' then
        raise exception using errcode = 'SL002', message = 'that a request was closed at its source, the intake says';
    end if;
    request := ledger.request_to_change(close_request.request_id, case close_request.reason
        when 'answered' then array['carried_out'] else array['received', 'identity_verified']
    end);
    update ledger.requests as r
    set state = 'closed', closed_as = close_request.reason, closed_by = session_user, closed_at = now()
    where r.request_id = request.request_id;
    perform ledger.append('request_closed', jsonb_build_object(
        'request_id', request.request_id, 'as', close_request.reason, 'closed_by', session_user
    ));
    perform ledger.release_request_holds(array[request.request_id]);
end
$$;

grant execute on function ledger.today to retention_rights_officer;
grant execute on function ledger.open_request, ledger.identify, ledger.verify_identity, ledger.extend_request,
ledger.decide_request, ledger.answer_request, ledger.close_request to retention_rights_officer;
grant execute on function ledger.carry_out_request, ledger.carry_out_requests
to retention_rights_officer, retention_purger;
grant execute on function ledger.intake_requests to retention_rights_officer, retention_classifier;

reset role;
