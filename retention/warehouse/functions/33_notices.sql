-- Notices as the people who send them see them: sent, read, settled. And who a partner is.
set local role retention_owner;

-- Every notice without its partner.
create or replace view ledger.notices_shown as
select
    n.notice_id,
    n.occasion,
    n.occasion_id,
    n.recipient_id,
    n.to_partner,
    n.records,
    n.state,
    (select count(*) from ledger.notice_pointers as p where p.notice_id = n.notice_id) as pointers,
    n.opened_at,
    n.sent_at,
    n.answered_by,
    n.answer,
    n.settled_at,
    n.settled_by
from ledger.notices as n;
comment on view ledger.notices_shown is
'Notices to recipients: of what, of how many records, and how far. That one goes to a partner it says, not to which.';

-- A partner's own row, and its name where the row has one. Of an exempt table, as partners are companies.
create or replace function ledger.partner_shown(partner_key text) returns text
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    found_row record;
    name text;
begin
    select u.source_schema, u.source_table, u.record_key into found_row
    from intermediate.int_records_unioned as u
    where
        u.partner_key = partner_shown.partner_key
        and not exists (select from intermediate.int_record_cases as c where c.row_id = u.row_id)
    order by u.is_current desc, u.row_id
    limit 1;
    if not found then
        return null;
    end if;
    execute format(
        'select to_jsonb(landed) ->> ''name'' from %s as landed where to_jsonb(landed) ->> ''id'' = $1 limit 1',
        ledger.landing_table(found_row.source_schema, found_row.source_table)
    ) into name using found_row.record_key;
    return concat_ws(
        ' ', found_row.source_schema || '.' || found_row.source_table || ':' || found_row.record_key,
        '(' || name || ')'
    );
end
$$;

-- Notices of an erasure or a withdrawal whose records a hold or a restriction keeps: told of it, a recipient would
-- erase what we must keep.
create or replace function ledger.notices_waiting(notices uuid[]) returns setof uuid
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    return query
        select distinct n.notice_id
        from ledger.notices as n
        inner join ledger.erasure_decisions as d
            on n.occasion_id = d.request_id or (n.occasion_id = d.decision_id and d.request_id is null)
        inner join intermediate.int_record_cases as c
            on
                d.source_schema = c.source_schema and d.source_table = c.source_table
                and d.record_key = c.record_key
        inner join ledger.guards as g
            on g.guard_key in (
                'subject:' || c.subject_token::text, 'assignment:' || c.assignment_id,
                'table:' || c.source_schema || '.' || c.source_table
            )
        where
            n.notice_id = any(notices_waiting.notices) and n.occasion in ('erasure', 'withdrawal')
            and d.outcome in ('erase', 'minimise')
            and (g.blockers > 0 or g.guard_key like 'table:%' and c.record_key = any(g.records));
end
$$;

-- Locks notices until the end of the transaction. Raises where one of them is none.
create or replace function ledger.lock_notices(notices uuid[]) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    perform from ledger.notices as n where n.notice_id = any(notices) order by n.notice_id for update;
    if (select count(*) from ledger.notices as n where n.notice_id = any(notices)) <> (
        select count(distinct asked.id) from unnest(notices) as asked (id)
    ) then
        raise exception using errcode = 'SL002',
        message = 'there is no such notice: `retention request notices` shows them';
    end if;
end
$$;

-- Marks notices as being sent now, by this login, which may then read what each says. Sent again, it is logged again.
create or replace function ledger.send_notices(notices uuid[]) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    sent bigint;
begin
    perform ledger.lock_notices(notices);
    if exists (select from ledger.notices as n where n.notice_id = any(notices) and n.settled_at is not null) then
        raise exception using errcode = 'SL003', message = 'a notice among them is settled: there is nothing to send';
    end if;
    if exists (select from ledger.notices_waiting(notices)) then
        raise exception using errcode = 'SL003',
        message = 'records that a notice tells of are held or restricted: it is sent when they are not any more';
    end if;
    update ledger.notices as n
    set state = 'sent', sent_at = now(), sent_by = session_user, sent_in = pg_current_xact_id()
    where n.notice_id = any(notices);
    get diagnostics sent = row_count;
    if sent > 0 then
        perform ledger.append('notices_sent', jsonb_build_object(
            'by', session_user, 'recipients', (
                select jsonb_object_agg(told.recipient_id, told.notices)
                from (
                    select n.recipient_id, count(*) as notices
                    from ledger.notices as n where n.notice_id = any(notices) group by n.recipient_id
                ) as told
            )
        ));
    end if;
    return sent;
end
$$;

-- Raises unless this login has sent the notice, in a transaction that is over: whoever reads has left a trace.
create or replace function ledger.refuse_unsent(notice uuid) returns void
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if not exists (
        select from ledger.notices as n
        where
            n.notice_id = notice and n.state = 'sent' and n.sent_by = session_user
            and n.sent_in <> pg_current_xact_id()
    ) then
        raise exception using errcode = 'SL003',
        message = 'only the login that sent a notice reads what it says, until it is settled: send it first';
    end if;
end
$$;

-- The keys that a notice names.
create or replace function ledger.read_notice(notice uuid)
returns table (source_schema text, source_table text, record_key text)
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    perform ledger.refuse_unsent(notice);
    return query
        select p.source_schema, p.source_table, p.record_key
        from ledger.notice_pointers as p where p.notice_id = read_notice.notice
        order by p.source_schema, p.source_table, p.record_key;
end
$$;

create or replace function ledger.partner_of_notice(notice uuid) returns text
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    perform ledger.refuse_unsent(notice);
    return (select ledger.partner_shown(n.partner_key) from ledger.notices as n where n.notice_id = notice);
end
$$;

-- Settles notices: acknowledged by somebody at the recipient, or, with nobody given, impossible or out of proportion
-- for a reason (art. 19). What they pointed to, and to which partner, goes in the same statement. Returns how many
-- were not settled before.
create or replace function ledger.settle_notices(notices uuid[], answered_by text, answer text) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    settled bigint;
    told jsonb;
begin
    if coalesce(btrim(settle_notices.answer), '') = '' or btrim(settle_notices.answered_by) = '' then
        raise exception using errcode = 'SL002',
        message = 'say who answered what or, where nobody can be told, why: the words are missing';
    end if;
    perform ledger.lock_notices(notices);
    if settle_notices.answered_by is not null and exists (
        select from ledger.notices as n where n.notice_id = any(notices) and n.state = 'open'
    ) then
        raise exception using errcode = 'SL003',
        message = 'a notice among them was not sent: nobody can have acknowledged it';
    end if;
    with answered as (
        update ledger.notices as n
        set
            state = case when settle_notices.answered_by is null then 'impossible' else 'acknowledged' end,
            partner_key = null, answered_by = btrim(settle_notices.answered_by), answer = btrim(settle_notices.answer),
            settled_at = now(), settled_by = session_user
        where n.notice_id = any(notices) and n.settled_at is null
        returning n.notice_id, n.recipient_id
    ),
    forgotten as (
        delete from ledger.notice_pointers as p using answered where p.notice_id = answered.notice_id
    ),
    counted as (
        select answered.recipient_id, count(*) as notices from answered group by answered.recipient_id
    )
    select coalesce(sum(c.notices), 0), jsonb_object_agg(c.recipient_id, c.notices) into settled, told
    from counted as c;
    if settled > 0 then
        perform ledger.append('notices_settled', jsonb_build_object(
            'as', case when settle_notices.answered_by is null then 'impossible' else 'acknowledged' end,
            'recipients', told, 'by', session_user
        ));
    end if;
    return settled;
end
$$;

-- Who has received data of a person, as the last classification has it: the recipients whose copies landed, those
-- that all data passes, and the partners that the person was handed over to. For the person, who may know (art. 15).
create or replace function ledger.recipients_of(subject_token uuid)
returns table (recipient_id text, name text, role text, records bigint, partner text)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    return query
    with subjects as materialized (
        select t.subject_id from ledger.subject_tokens as t where t.subject_token = recipients_of.subject_token
    ),
    records as materialized (
        select c.source_schema, c.subject_id
        from subjects inner join intermediate.int_record_cases as c on subjects.subject_id = c.case_id
        where c.subject_id = subjects.subject_id
    ),
    given as (
        select p.partner_key, p.subject_id
        from subjects inner join intermediate.int_person_partners as p on subjects.subject_id = p.subject_id
        where p.how <> 'lead' and p.partner_key is not null
        group by p.partner_key, p.subject_id
    )
    select a.recipient_id, a.name, a.role, count(*), null::text
    from records inner join policy.policy_recipients as a
        on records.source_schema = a.source_schema or (a.source_schema is null and a.role <> 'joint_controller')
    group by a.recipient_id, a.name, a.role
    union all
    select a.recipient_id, a.name, a.role, count(records.subject_id), ledger.partner_shown(given.partner_key)
    from given
    inner join policy.policy_recipients as a on a.role = 'joint_controller'
    left join records on given.subject_id = records.subject_id
    group by a.recipient_id, a.name, a.role, given.partner_key
    order by 1, 5;
end
$$;

grant select on ledger.notices_shown to retention_reader, retention_auditor, retention_rights_officer;
grant execute on function ledger.send_notices, ledger.read_notice, ledger.partner_of_notice, ledger.settle_notices,
ledger.recipients_of
to retention_rights_officer;

reset role;
