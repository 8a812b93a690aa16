-- Locked (§ 8) and restricted (GDPR art. 18) records: which they are now, the one way to read a locked one, and how a
-- restriction ends. `intermediate.int_out_of_use` says which they were at the last classification.
set local role retention_owner;

-- The records that a lock or a restriction reaches now, also one that was placed since the classification. What
-- may be a person's is out of use with that person's.
create or replace function ledger.records_out_of_use() returns table (
    source_schema text, source_table text, record_key text, status text
)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if to_regclass('intermediate.int_out_of_use') is null then
        raise exception using errcode = 'SL003',
        message = 'nothing says which records are out of use yet: `retention run` classifies them';
    end if;
    return query
        with blocked as materialized (
            select b.kind, b.scope, b.target from ledger.blockers as b
            where b.kind in ('lock', 'restriction') and b.released_at is null
            and (b.kind = 'restriction' or b.until_on >= ledger.today())
        ),
        persons as materialized (
            select tokens.subject_id, tokens.subject_token, blocked.kind
            from blocked
            inner join ledger.subject_tokens as tokens
                on blocked.scope = 'subject' and blocked.target = tokens.subject_token::text
        ),
        reached as (
            select c.source_schema, c.source_table, c.record_key, persons.kind
            from persons inner join intermediate.int_record_cases as c on c.subject_token = persons.subject_token
            union all
            select c.source_schema, c.source_table, c.record_key, persons.kind
            from persons
            inner join intermediate.int_record_candidates as may on may.subject_id = persons.subject_id
            inner join intermediate.int_record_cases as c on c.row_id = may.row_id
            union all
            select c.source_schema, c.source_table, c.record_key, blocked.kind
            from blocked
            inner join intermediate.int_record_cases as c
                on blocked.scope = 'assignment' and c.assignment_id = blocked.target
            union all
            select c.source_schema, c.source_table, c.record_key, blocked.kind
            from blocked
            inner join intermediate.int_record_cases as c
                on blocked.scope = 'record'
                and c.source_schema = split_part(split_part(blocked.target, ':', 1), '.', 1)
                and c.source_table = substr(
                    split_part(blocked.target, ':', 1), position('.' in split_part(blocked.target, ':', 1)) + 1
                )
                and c.record_key = substr(blocked.target, position(':' in blocked.target) + 1)
            union all
            select c.source_schema, c.source_table, c.record_key, blocked.kind
            from blocked
            inner join intermediate.int_record_cases as c
                on blocked.scope = 'table' and blocked.target = c.source_schema || '.' || c.source_table
            union all
            select o.source_schema, o.source_table, o.record_key,
                case o.status when 'locked' then 'lock' else 'restriction' end
            from intermediate.int_out_of_use as o
        )
        select r.source_schema, r.source_table, r.record_key,
            case when bool_or(r.kind = 'restriction') then 'restricted' else 'locked' end
        from reached as r
        group by r.source_schema, r.source_table, r.record_key;
end
$$;

-- Evidence that rows of records out of use were taken out of copies downstream: `copies` as [{relation, deleted}].
create or replace function ledger.record_withdrawn(records bigint, copies jsonb) returns bigint
language sql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    select ledger.append('out_of_use_withdrawn', jsonb_build_object(
        'records', record_withdrawn.records, 'copies', record_withdrawn.copies, 'run_by', session_user
    ))
$$;

-- Evidence of a look for rows of records out of use where an ordinary model shows them: `found` as [{where, rows}].
create or replace function ledger.record_in_use_check(records bigint, places bigint, found jsonb) returns bigint
language sql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    select ledger.append('out_of_use_checked', jsonb_build_object(
        'records', record_in_use_check.records, 'places', record_in_use_check.places,
        'found', record_in_use_check.found, 'run_by', session_user
    ))
$$;

-- How many records are out of use, by table and status: for those who may know no more of them.
create or replace function ledger.out_of_use_counted() returns table (
    source_schema text, source_table text, status text, records bigint
)
language sql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    select o.source_schema, o.source_table, o.status, count(*)
    from ledger.records_out_of_use() as o
    group by o.source_schema, o.source_table, o.status
    order by o.source_schema, o.source_table, o.status
$$;

-- The landing row of a record out of use, to a custodian, under a disclosure of that record that was committed before.
-- Every read is evidence; one that is rolled back leaves the disclosure.
create or replace function ledger.read_locked(disclosure_id uuid) returns setof jsonb
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    written ledger.disclosures;
    shown jsonb[];
begin
    if not ledger.is_member(session_user, 'retention_custodian') then
        raise exception using errcode = 'SL003', message = 'only a custodian reads what is locked';
    end if;
    written := ledger.valid_disclosure(read_locked.disclosure_id, 'locked_read');
    if not exists (
        select from ledger.records_out_of_use() as o
        where
            o.source_schema = written.source_schema and o.source_table = written.source_table
            and o.record_key = written.record_key
    ) then
        raise exception using errcode = 'SL003',
        message = 'the record is neither locked nor restricted: nothing is read of it here';
    end if;
    shown := array(
        select r.landed
        from ledger.landing_rows(written.source_schema, written.source_table, array[written.record_key]) as r
    );
    perform ledger.append('locked_read', jsonb_build_object(
        'disclosure_id', written.disclosure_id, 'source_schema', written.source_schema,
        'source_table', written.source_table, 'rows', cardinality(shown), 'read_by', session_user
    ));
    return query select row_read from unnest(shown) as row_read;
end
$$;

-- Places a restriction on a person or, with `record` (schema.table:key), on that record of theirs alone: the one kind
-- of blocker that an officer of the register places without an approver.
create or replace function ledger.restrict(person text, record text, reason text, authority text) returns uuid
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if restrict.record is not null and not exists (
        select from intermediate.int_record_cases as cases
        where
            cases.subject_token::text = ledger.resolve_target('subject', restrict.person)
            and cases.source_schema || '.' || cases.source_table || ':' || cases.record_key = restrict.record
    ) then
        raise exception using errcode = 'SL002',
        message = 'the record is not the person''s in the last classification: check both';
    end if;
    return ledger.place_blocker(
        'restriction', case when restrict.record is null then 'subject' else 'record' end,
        coalesce(restrict.record, restrict.person), restrict.reason, restrict.authority
    );
end
$$;

-- Lifts a restriction, and no other blocker. Raises where the person was not told before.
create or replace function ledger.lift_restriction(blocker_id uuid) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    blocker ledger.blockers := ledger.standing_blocker(lift_restriction.blocker_id);
begin
    if blocker.kind <> 'restriction' then
        raise exception using errcode = 'SL002',
        message = 'this is no restriction: `retention hold release` releases what it is';
    end if;
    perform ledger.release_blocker(blocker.blocker_id);
end
$$;

-- Logs that the person was told, on a day and in a way, that the restriction will be lifted (GDPR art. 18(3)).
create or replace function ledger.log_restriction_notice(blocker_id uuid, told_on date, how text) returns uuid
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    blocker ledger.blockers := ledger.standing_blocker(log_restriction_notice.blocker_id);
    logged uuid;
begin
    if blocker.kind <> 'restriction' then
        raise exception using errcode = 'SL002', message = 'only of the end of a restriction is a person told';
    end if;
    if coalesce(btrim(log_restriction_notice.how), '') = '' then
        raise exception using errcode = 'SL002', message = 'say how the person was told, without naming them';
    end if;
    if log_restriction_notice.told_on is null or log_restriction_notice.told_on > ledger.today()
        or log_restriction_notice.told_on < sletteplikt.local_date(blocker.placed_at) then
        raise exception using errcode = 'SL002',
        message = 'the person is told after the restriction was placed, and not on a day to come: mend the day';
    end if;
    insert into ledger.restriction_notices (blocker_id, told_on, how)
    values (blocker.blocker_id, log_restriction_notice.told_on, log_restriction_notice.how)
    returning notice_id into logged;
    perform ledger.append('restriction_notice', jsonb_build_object(
        'notice_id', logged, 'blocker_id', blocker.blocker_id, 'told_on', log_restriction_notice.told_on,
        'told_by', session_user
    ));
    return logged;
end
$$;

-- Raises where a restriction would be lifted of which the person was not told in a transaction before this one.
create or replace function ledger.refuse_untold(blocker ledger.blockers) returns void
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if blocker.kind = 'restriction' and not exists (
        select from ledger.restriction_notices as n
        where
            n.blocker_id = blocker.blocker_id
            and n.logged_in is distinct from pg_current_xact_id_if_assigned()
    ) then
        raise exception using errcode = 'SL003',
        message = 'a restriction is lifted once the person was told (GDPR art. 18(3)): `retention request lift '
        || blocker.blocker_id || ' --told-on DATE --how …` logs that, and lifts it';
    end if;
end
$$;

grant execute on function ledger.records_out_of_use, ledger.record_withdrawn to retention_classifier;
grant execute on function ledger.records_out_of_use, ledger.record_in_use_check to retention_examiner;
grant execute on function ledger.out_of_use_counted
to retention_reader, retention_auditor, retention_rights_officer, retention_custodian;
grant execute on function ledger.read_locked, ledger.today to retention_custodian;
grant execute on function ledger.restrict, ledger.lift_restriction, ledger.log_restriction_notice
to retention_approver, retention_rights_officer;

reset role;
