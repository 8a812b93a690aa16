-- Recipients (GDPR art. 19): who is to be told, what of, and what they answered.
set local role retention_owner;

-- The records that occasions are about, a purge apart; `ids` are decisions, requests or blockers. A person is found by
-- the case, which the models index.
create or replace function ledger.records_told_of(occasion text, ids uuid[])
returns table (occasion_id uuid, source_schema text, source_table text, record_key text, subject_id text)
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if records_told_of.occasion in ('erasure', 'withdrawal') then
        return query
            select distinct coalesce(d.request_id, d.decision_id), c.source_schema, c.source_table, c.record_key,
                c.subject_id
            from ledger.erasure_decisions as d
            inner join intermediate.int_record_cases as c
                on d.source_schema = c.source_schema and d.source_table = c.source_table
                and d.record_key = c.record_key
            where d.decision_id = any(ids);
    elsif records_told_of.occasion = 'rectification' then
        return query
            select r.request_id, c.source_schema, c.source_table, c.record_key, c.subject_id
            from ledger.requests as r
            inner join ledger.subject_tokens as t on r.subject_token = t.subject_token
            inner join intermediate.int_record_cases as c on t.subject_id = c.case_id
            where r.request_id = any(ids) and c.subject_id = t.subject_id;
    elsif records_told_of.occasion = 'restriction' then
        return query
            select b.blocker_id, c.source_schema, c.source_table, c.record_key, c.subject_id
            from ledger.blockers as b
            inner join ledger.subject_tokens as t on b.target = t.subject_token::text
            inner join intermediate.int_record_cases as c on t.subject_id = c.case_id
            where b.blocker_id = any(ids) and b.scope = 'subject' and c.subject_id = t.subject_id
            union all
            select b.blocker_id, c.source_schema, c.source_table, c.record_key, c.subject_id
            from ledger.blockers as b
            inner join intermediate.int_record_cases as c on b.target = c.assignment_id
            where b.blocker_id = any(ids) and b.scope = 'assignment'
            union all
            select b.blocker_id, c.source_schema, c.source_table, c.record_key, c.subject_id
            from ledger.blockers as b
            inner join intermediate.int_record_cases as c
                on split_part(split_part(b.target, ':', 1), '.', 1) = c.source_schema
                and substr(split_part(b.target, ':', 1), position('.' in b.target) + 1) = c.source_table
                and substr(b.target, position(':' in b.target) + 1) = c.record_key
            where b.blocker_id = any(ids) and b.scope = 'record'
            union all
            select b.blocker_id, c.source_schema, c.source_table, c.record_key, c.subject_id
            from ledger.blockers as b
            inner join intermediate.int_record_cases as c
                on split_part(b.target, '.', 1) = c.source_schema
                and substr(b.target, position('.' in b.target) + 1) = c.source_table
            where b.blocker_id = any(ids) and b.scope = 'table';
    end if;
end
$$;

-- Says in the evidence which recipients are to be told; of partners only how many.
create or replace function ledger.attest_notices(occasion text, occasions bigint, plan uuid, notices uuid[])
returns void
language sql
set search_path = pg_catalog, ledger, pg_temp as $$
    select ledger.append('notices_opened', jsonb_strip_nulls(jsonb_build_object(
        'occasion', occasion, 'occasions', occasions, 'plan_id', plan, 'by', session_user,
        'recipients', jsonb_agg(
            jsonb_build_object('recipient', told.recipient_id, 'notices', told.notices, 'records', told.records)
            order by told.recipient_id collate "C"
        )
    )))
    from (
        select n.recipient_id, count(*) as notices, sum(n.records) as records
        from ledger.notices as n where n.notice_id = any(attest_notices.notices) group by n.recipient_id
    ) as told
    having count(*) > 0
$$;

-- Opens the notices of occasions that are decided, set-wise; `ids` are requests, for a restriction blockers, for a
-- withdrawal without a request decisions. Told is what was not told before: of a request, what was decided since is
-- added to a notice that is going on, which is then sent again. Comes before anything is purged: it keeps the keys by
-- which each recipient finds the person, and after the purge nobody has them.
--
-- Told are the recipients whose copies landed with one of the records, those that all data passes, and the partners
-- that the person was handed over to. `sharing_stopped` tells the partners alone, those too that the person came from.
create or replace function ledger.notify(occasion text, ids uuid[]) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
-- A conflict is said in columns, one of which has a parameter's name.
#variable_conflict use_column
declare
    untold uuid[];
    opened uuid[];
begin
    if coalesce(notify.occasion, '') not in ('erasure', 'restriction', 'rectification', 'withdrawal', 'sharing_stopped')
    then
        raise exception using errcode = 'SL002',
        message = 'notices are of an erasure, restriction, rectification, withdrawal or of sharing that stopped';
    end if;
    if notify.occasion in ('erasure', 'withdrawal') then
        with newly as (
            update ledger.erasure_decisions as d
            set told_at = now()
            where
                (d.request_id = any(notify.ids) or d.decision_id = any(notify.ids))
                and d.told_at is null and d.record_key is not null and d.outcome in ('erase', 'minimise')
            returning d.decision_id
        )
        select array_agg(newly.decision_id) into untold from newly;
    else
        untold := array(
            select asked.id from unnest(notify.ids) as asked (id)
            where not exists (
                select from ledger.notices as n
                where n.occasion = notify.occasion and n.occasion_id = asked.id
            )
        );
    end if;
    if coalesce(cardinality(untold), 0) = 0 then
        return 0;
    end if;
    with records as materialized (
        select * from ledger.records_told_of(notify.occasion, untold)
    ),
    recipients as materialized (
        select p.recipient_id, p.role, p.source_schema from policy.policy_recipients as p where p.notify
    ),
    -- By which rows a partner knows the person.
    partners as materialized (
        select distinct of_person.occasion_id, of_person.subject_id, p.partner_key, p.source_schema, p.source_table,
            p.record_key
        from (
            select r.occasion_id, r.subject_id from records as r
            union
            select q.request_id, t.subject_id
            from ledger.requests as q inner join ledger.subject_tokens as t on q.subject_token = t.subject_token
            where q.request_id = any(untold) and notify.occasion = 'sharing_stopped'
        ) as of_person
        inner join intermediate.int_person_partners as p on of_person.subject_id = p.subject_id
        where p.partner_key is not null and (p.how <> 'lead' or notify.occasion = 'sharing_stopped')
    ),
    told as (
        select r.occasion_id, a.recipient_id, null::text as partner_key, count(*) as records
        from records as r
        inner join recipients as a on r.source_schema = a.source_schema
        group by r.occasion_id, a.recipient_id
        union all
        select r.occasion_id, a.recipient_id, null, count(*)
        from records as r
        inner join recipients as a on a.source_schema is null and a.role <> 'joint_controller'
        group by r.occasion_id, a.recipient_id
        union all
        select p.occasion_id, a.recipient_id, p.partner_key, count(r.record_key)
        from (select distinct k.occasion_id, k.subject_id, k.partner_key from partners as k) as p
        inner join recipients as a on a.source_schema is null and a.role = 'joint_controller'
        left join records as r on p.occasion_id = r.occasion_id and p.subject_id = r.subject_id
        group by p.occasion_id, a.recipient_id, p.partner_key
    ),
    new as (
        insert into ledger.notices (occasion, occasion_id, recipient_id, to_partner, partner_key, records)
        select
            notify.occasion, t.occasion_id, t.recipient_id, t.partner_key is not null, t.partner_key, t.records
        from told as t
        on conflict (occasion, occasion_id, recipient_id, coalesce(partner_key, '')) where state in ('open', 'sent')
        do update set
            records = ledger.notices.records + excluded.records, state = 'open', sent_at = null, sent_by = null,
            sent_in = null
        returning notice_id, occasion_id, recipient_id, partner_key
    ),
    pointed as (
        insert into ledger.notice_pointers (notice_id, source_schema, source_table, record_key)
        select n.notice_id, r.source_schema, r.source_table, r.record_key
        from new as n
        inner join recipients as a on n.recipient_id = a.recipient_id
        inner join records as r on n.occasion_id = r.occasion_id and a.source_schema = r.source_schema
        -- Whoever is told of a whole table needs no list of it.
        where not exists (
            select from ledger.blockers as b where b.blocker_id = n.occasion_id and b.scope = 'table'
        )
        union
        select n.notice_id, p.source_schema, p.source_table, p.record_key
        from new as n
        inner join partners as p on n.occasion_id = p.occasion_id and n.partner_key = p.partner_key
        on conflict do nothing
    )
    select array_agg(n.notice_id) into opened from new as n;
    perform ledger.attest_notices(notify.occasion, cardinality(notify.ids), null, opened);
    return coalesce(cardinality(opened), 0);
end
$$;

-- Keeps, while a plan is open, which of its items are of persons whom a partner was given.
create or replace function ledger.note_partners(plan uuid) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    insert into ledger.plan_partners (plan_id, item_no, partner_key)
    select distinct i.plan_id, i.item_no, p.partner_key
    from ledger.plan_items as i
    inner join intermediate.int_person_partners as p on i.case_id = p.subject_id
    where i.plan_id = note_partners.plan and p.how <> 'lead' and p.partner_key is not null;
end
$$;

-- Opens the notices of a plan that is over: rules and counts, for the keys are gone. What a person asked for was
-- told, with keys, when it was decided.
create or replace function ledger.notify_of_purge(plan uuid) returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    opened uuid[];
begin
    with gone as materialized (
        select i.item_no, i.source_schema
        from ledger.plan_items as i
        where
            i.plan_id = notify_of_purge.plan and i.state in ('purged', 'minimised')
            and i.rule_id not in ('ERASURE', 'CONSENT')
    ),
    told as (
        select a.recipient_id, null::text as partner_key, count(*) as records
        from gone inner join policy.policy_recipients as a
            on gone.source_schema = a.source_schema or (a.source_schema is null and a.role <> 'joint_controller')
        where a.notify
        group by a.recipient_id
        union all
        select a.recipient_id, p.partner_key, count(*)
        from gone
        inner join ledger.plan_partners as p on p.plan_id = notify_of_purge.plan and gone.item_no = p.item_no
        inner join policy.policy_recipients as a on a.role = 'joint_controller' and a.notify
        group by a.recipient_id, p.partner_key
    ),
    new as (
        insert into ledger.notices (occasion, occasion_id, recipient_id, to_partner, partner_key, records)
        select 'purge', notify_of_purge.plan, t.recipient_id, t.partner_key is not null, t.partner_key, t.records
        from told as t
        returning notice_id
    )
    select array_agg(n.notice_id) into opened from new as n;
    delete from ledger.plan_partners as p where p.plan_id = notify_of_purge.plan;
    perform ledger.attest_notices('purge', 1, notify_of_purge.plan, opened);
    return coalesce(cardinality(opened), 0);
end
$$;

-- Notices are opened by what decides and by what purges, in the transaction of that; by hand for a correction.
grant execute on function ledger.notify to retention_rights_officer;

reset role;
