-- Whose records are a person's, and showing them: what is found has no value in it, and what has values is shown
-- only under a disclosure that was committed before.
set local role retention_owner;

-- --- finding ---------------------------------------------------------------------------------------------------

-- The person that is named by a token, by a data subject (`schema.table:key`) or by any record of theirs; null where
-- the last classification knows none.
create or replace function ledger.person_of(target text) returns uuid
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    found_token uuid := ledger.resolve_target('subject', person_of.target)::uuid;
    qualified text := split_part(person_of.target, ':', 1);
begin
    if found_token is null and to_regclass('intermediate.int_record_cases') is not null then
        select cases.subject_token into found_token
        from intermediate.int_record_cases as cases
        where
            cases.source_schema = split_part(qualified, '.', 1)
            and cases.source_table = substr(qualified, position('.' in qualified) + 1)
            and cases.record_key = substr(person_of.target, position(':' in person_of.target) + 1)
            and cases.subject_token is not null
        limit 1;
    end if;
    return found_token;
end
$$;

-- The persons who have an e-mail address (`email`) or telephone number (`phone`). The value is hashed here and kept
-- nowhere.
create or replace function ledger.persons_by_contact(kind text, value text) returns setof uuid
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    hashed text;
begin
    if coalesce(persons_by_contact.kind, '') not in ('email', 'phone') then
        raise exception using errcode = 'SL002', message = 'a contact point is an e-mail address or a telephone number';
    end if;
    hashed := sletteplikt.link_hash(persons_by_contact.kind, persons_by_contact.value);
    return query
        select distinct tokens.subject_token
        from intermediate.int_contact_points as points
        inner join ledger.subject_tokens as tokens on points.subject_id = tokens.subject_id
        where points.link_hash = hashed;
end
$$;

-- Every record of a person, whatever its status: where it lies, under which rule, until when, in which role we have
-- it, and which data subject of the person it is of. Locked ones too: the person may know of them (§ 8).
create or replace function ledger.person_records(person uuid) returns table (
    source_schema text, source_table text, record_key text, subject_id text, controller_role text, category text,
    rule_id text, policy_clause text, anchor_on date, due_on date, status text, collected_at timestamp, is_decided boolean
)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    return query
        with owned as materialized (
            select cases.row_id, cases.source_schema, cases.source_table, cases.record_key, cases.subject_id,
                cases.collected_at, false as is_decided
            from intermediate.int_record_cases as cases
            where cases.subject_token = person_records.person
            union all
            select cases.row_id, cases.source_schema, cases.source_table, cases.record_key, null::text,
                cases.collected_at, true
            from ledger.decided_as_theirs(person_records.person) as theirs
            inner join intermediate.int_record_cases as cases
                on theirs.source_schema = cases.source_schema and theirs.source_table = cases.source_table
                    and theirs.record_key = cases.record_key and theirs.inputs_hash = cases.inputs_hash
            where cases.subject_token is distinct from person_records.person
        )
        select
            owned.source_schema, owned.source_table, owned.record_key, owned.subject_id, decided.controller_role,
            decided.category, decided.rule_id, decided.clause, decided.anchor_on, decided.due_on, decided.status,
            owned.collected_at, owned.is_decided
        from owned
        inner join intermediate.int_records_decided as decided
            on owned.source_schema = decided.source_schema and owned.source_table = decided.source_table
                and owned.record_key = decided.record_key and owned.row_id = decided.row_id
        order by owned.source_schema, owned.source_table, owned.record_key;
end
$$;

-- The records that a person decided to be this person's, while they say what they said then.
create or replace function ledger.decided_as_theirs(person uuid)
returns table (source_schema text, source_table text, record_key text, inputs_hash text)
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select latest.source_schema, latest.source_table, latest.record_key, latest.inputs_hash
    from (
        select distinct on (d.source_schema, d.source_table, d.record_key) d.*
        from ledger.ambiguity_decisions as d
        where d.subject_token = decided_as_theirs.person
        order by d.source_schema, d.source_table, d.record_key, d.decision_no desc
    ) as latest
    where latest.is_theirs
$$;

-- The records that may be the person's: somebody else may own them too, or nothing links them but a contact point.
-- `is_theirs` is what a person decided, null while nobody has. They are in no package before.
create or replace function ledger.person_candidates(person uuid) returns table (
    source_schema text, source_table text, record_key text, category text, rule_id text, due_on date, status text,
    candidates bigint, is_theirs boolean
)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    return query
        with subjects as materialized (
            select tokens.subject_id from ledger.subject_tokens as tokens
            where tokens.subject_token = person_candidates.person
        ),
        named as materialized (
            select candidates.row_id from intermediate.int_record_candidates as candidates
            where candidates.subject_id in (select s.subject_id from subjects as s)
            union
            select mentions.row_id from intermediate.int_record_mentions as mentions
            where mentions.subject_id in (select s.subject_id from subjects as s)
        ),
        shared as materialized (
            select named.row_id, count(distinct tokens.subject_token) as persons
            from named
            cross join lateral (
                select candidates.subject_id from intermediate.int_record_candidates as candidates
                where candidates.row_id = named.row_id
                union all
                select mentions.subject_id from intermediate.int_record_mentions as mentions
                where mentions.row_id = named.row_id
            ) as anybody
            inner join ledger.subject_tokens as tokens on anybody.subject_id = tokens.subject_id
            group by named.row_id
        )
        select
            cases.source_schema, cases.source_table, cases.record_key, decided.category, decided.rule_id,
            decided.due_on, decided.status,
            -- Who owns it by a link that is certain is one of them.
            shared.persons + (cases.subject_token is not null)::int,
            (
                select word.is_theirs from ledger.ambiguity_decisions as word
                where
                    word.subject_token = person_candidates.person and word.source_schema = cases.source_schema
                    and word.source_table = cases.source_table and word.record_key = cases.record_key
                    and word.inputs_hash = cases.inputs_hash
                order by word.decision_no desc
                limit 1
            )
        from shared
        inner join intermediate.int_record_cases as cases on shared.row_id = cases.row_id
        inner join intermediate.int_records_decided as decided
            on cases.source_schema = decided.source_schema and cases.source_table = decided.source_table
                and cases.record_key = decided.record_key and cases.row_id = decided.row_id
        where cases.subject_token is distinct from person_candidates.person
        order by cases.source_schema, cases.source_table, cases.record_key;
end
$$;

-- Says whether a record that may be the person's is. What is somebody else's by a link, or by such a decision, is not.
create or replace function ledger.decide_ambiguity(
    person uuid, source_schema text, source_table text, record_key text, is_theirs boolean, reason text
) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    said text;
begin
    if coalesce(btrim(decide_ambiguity.reason), '') = '' then
        raise exception using errcode = 'SL002', message = 'a decision needs a reason: say why it is, or is not, theirs';
    end if;
    if not exists (
        select from ledger.person_candidates(decide_ambiguity.person) as c
        where
            c.source_schema = decide_ambiguity.source_schema and c.source_table = decide_ambiguity.source_table
            and c.record_key = decide_ambiguity.record_key
    ) then
        raise exception using errcode = 'SL002',
        message = 'this record is not among those that may be the person''s: `retention request find` lists them';
    end if;
    select cases.inputs_hash into said
    from intermediate.int_record_cases as cases
    where
        cases.source_schema = decide_ambiguity.source_schema and cases.source_table = decide_ambiguity.source_table
        and cases.record_key = decide_ambiguity.record_key;
    -- Two who decide at once on one record wait for each other.
    perform pg_advisory_xact_lock(hashtextextended(
        'ambiguity ' || decide_ambiguity.source_schema || '.' || decide_ambiguity.source_table || ':'
        || decide_ambiguity.record_key, 0
    ));
    if decide_ambiguity.is_theirs and exists (
        select from (
            select distinct on (d.subject_token) d.is_theirs
            from ledger.ambiguity_decisions as d
            where
                d.source_schema = decide_ambiguity.source_schema and d.source_table = decide_ambiguity.source_table
                and d.record_key = decide_ambiguity.record_key and d.inputs_hash = said
                and d.subject_token <> decide_ambiguity.person
            order by d.subject_token, d.decision_no desc
        ) as others
        where others.is_theirs
    ) then
        raise exception using errcode = 'SL003',
        message = 'the record was decided to be another person''s: decide that it is not theirs first';
    end if;
    insert into ledger.ambiguity_decisions (
        source_schema, source_table, record_key, inputs_hash, subject_token, is_theirs, reason
    )
    values (
        decide_ambiguity.source_schema, decide_ambiguity.source_table, decide_ambiguity.record_key, said,
        decide_ambiguity.person, decide_ambiguity.is_theirs, decide_ambiguity.reason
    );
    perform ledger.append('ambiguity_decided', jsonb_build_object(
        'source_schema', decide_ambiguity.source_schema, 'source_table', decide_ambiguity.source_table,
        'is_theirs', decide_ambiguity.is_theirs, 'decided_by', session_user
    ));
end
$$;

-- --- showing ---------------------------------------------------------------------------------------------------

-- Writes that personal data is about to be shown, for so many minutes, to this login. Nothing is shown before the
-- transaction of this has been committed: whoever reads and rolls back has left its trace.
create or replace function ledger.disclose(
    kind text, request_id uuid, reason text, minutes integer,
    source_schema text default null, source_table text default null, record_key text default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    written uuid;
    shown bigint := 1;
    for_role text := case disclose.kind
        when 'package' then 'retention_rights_officer' when 'locked_read' then 'retention_custodian'
    end;
begin
    if for_role is null then
        raise exception using errcode = 'SL002', message = 'a disclosure is a package or a locked_read';
    end if;
    if not ledger.is_member(session_user, for_role) then
        raise exception using errcode = 'SL003',
        message = 'this login may not see personal data in this way: have an administrator grant it ' || for_role;
    end if;
    if coalesce(btrim(disclose.reason), '') = '' then
        raise exception using errcode = 'SL002', message = 'a disclosure needs a reason: say what it is for';
    end if;
    if disclose.minutes is null or disclose.minutes not between 1 and 24 * 60 then
        raise exception using errcode = 'SL002', message = 'a disclosure lasts at least a minute and at most a day';
    end if;
    if disclose.kind = 'package' then
        select count(*) into shown
        from ledger.person_records(ledger.verified_person(disclose.request_id)) as r
        where r.rule_id is distinct from 'PROCESSOR';
    elsif disclose.source_schema is null or disclose.source_table is null or disclose.record_key is null then
        raise exception using errcode = 'SL002', message = 'a locked read names the one record that it shows';
    end if;
    insert into ledger.disclosures (
        kind, request_id, reason, source_schema, source_table, record_key, expires_at
    )
    values (
        disclose.kind, disclose.request_id, disclose.reason, disclose.source_schema, disclose.source_table,
        disclose.record_key, clock_timestamp() + disclose.minutes * interval '1 minute'
    )
    returning disclosure_id into written;
    -- Until this is on disk nobody is told that it is written, so that a crash does not undo what was seen.
    perform set_config('synchronous_commit', 'on', true);
    perform ledger.append('disclosure', jsonb_build_object(
        'disclosure_id', written, 'kind', disclose.kind, 'request_id', disclose.request_id, 'records', shown,
        'minutes', disclose.minutes, 'made_by', session_user
    ));
    return written;
end
$$;

-- The person of a request whose identity was verified. Raises for any other.
create or replace function ledger.verified_person(request_id uuid) returns uuid
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    request ledger.requests;
begin
    select * into request from ledger.requests as r where r.request_id = verified_person.request_id;
    if not found then
        raise exception using errcode = 'SL002',
        message = 'there is no such request: `retention request list` shows them';
    elsif request.verified_at is null or request.state = 'closed' then
        raise exception using errcode = 'SL003', message = 'the request is ' || request.state
        || case
            when request.closed_at is null then ': nothing is shown before the identity is verified'
            else ': nothing more is shown for it'
        end;
    elsif request.subject_token is null then
        raise exception using errcode = 'SL003',
        message = 'it is not known whose the request is: find the person, then name them in the request';
    end if;
    return request.subject_token;
end
$$;

-- The disclosure, where it may show something here and now. Raises where it was written in this transaction, by
-- another login, for something else, or too long ago.
create or replace function ledger.valid_disclosure(disclosure uuid, kind text) returns ledger.disclosures
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    written ledger.disclosures;
    objection text;
begin
    select * into written from ledger.disclosures as d where d.disclosure_id = valid_disclosure.disclosure;
    objection := case
        when written.disclosure_id is null then 'there is no such disclosure'
        when written.kind <> valid_disclosure.kind then 'the disclosure is a ' || written.kind
        when written.made_by <> session_user then 'the disclosure was written by another login'
        -- The number is the whole transaction's, in whichever savepoint it was written. What another transaction
        -- wrote is seen once that was committed.
        when written.made_in = pg_current_xact_id_if_assigned()
            then 'the disclosure is not committed: commit it, then read'
        -- The clock, not the transaction's start, which may lie long ago.
        when written.expires_at <= clock_timestamp() then 'the disclosure has expired: write another'
    end;
    if objection is not null then
        raise exception using errcode = 'SL003', message = objection;
    end if;
    return written;
end
$$;

-- Raises where a column's type is of somebody's own making: writing its value as JSON could run its author's code
-- with the owner's rights.
create or replace function ledger.refuse_own_types(landing regclass) returns void
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    named text;
begin
    select string_agg(a.attname, ', ' order by a.attnum) into named
    from pg_attribute as a
    inner join pg_type as t on a.atttypid = t.oid
    inner join pg_type as e on e.oid = case when t.typelem <> 0 and t.typlen = -1 then t.typelem else t.oid end
    where
        a.attrelid = refuse_own_types.landing and a.attnum > 0 and not a.attisdropped
        and e.typnamespace <> 'pg_catalog'::regnamespace and e.typtype <> 'e'
        and not exists (
            select from pg_depend as d
            where d.classid = 'pg_type'::regclass and d.objid = e.oid and d.deptype = 'e'
        );
    if named is not null then
        raise exception using errcode = 'SL003', message = format(
            '%s cannot be shown: the types of these columns are not PostgreSQL''s own: %s', landing, named
        );
    end if;
end
$$;

-- The rows of a landing table whose keys these are, with every column. Only for other functions: it asks nothing.
create or replace function ledger.landing_rows(source_schema text, source_table text, record_keys text[])
returns table (record_key text, landed jsonb)
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp
set timezone = 'UTC' set datestyle = 'ISO, MDY' set intervalstyle = 'postgres' as $$
declare
    landing regclass := ledger.landing_table(landing_rows.source_schema, landing_rows.source_table);
    declared record;
begin
    perform ledger.refuse_own_types(landing);
    select d.key_columns, d.key_is_personal into declared
    from policy.declared_tables as d
    where d.is_governed and d.source_schema = landing_rows.source_schema and d.source_table = landing_rows.source_table;
    if not found then
        raise exception using errcode = 'SL003', message = format('%s is no governed table', landing);
    end if;
    if nullif(declared.key_columns, '') is null then
        -- Without a key a record is known by a hash of all of its row, and one that is there twice by a number.
        return query execute format(
            'select r.record_key, r.landed from (
                select to_jsonb(landed) as landed,
                    ''row:'' || sletteplikt.link_hash(''row'', landed::text) || '':''
                    || row_number() over (partition by landed::text)::text as record_key
                from %s as landed
            ) as r where r.record_key = any($1)', landing
        ) using landing_rows.record_keys;
        return;
    end if;
    return query execute format(
        'select record.record_key, to_jsonb(landed)
        from (select distinct key as record_key from unnest($1) as key) as record
        inner join %s as landed on %s',
        landing,
        ledger.key_condition(
            landing, array(select jsonb_array_elements_text(declared.key_columns::jsonb)), declared.key_is_personal
        )
    ) using landing_rows.record_keys;
end
$$;

-- The landing rows that one table holds of the person of a request, with every column: for the person's own copy. What
-- we process for a partner is the partner's to give (§ 1), and stays out.
create or replace function ledger.show_person_rows(disclosure uuid, source_schema text, source_table text)
returns table (record_key text, landed jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    written ledger.disclosures := ledger.valid_disclosure(show_person_rows.disclosure, 'package');
    person uuid := ledger.verified_person(written.request_id);
begin
    if not ledger.is_member(session_user, 'retention_rights_officer') then
        raise exception using errcode = 'SL003', message = 'only a rights officer sees a person''s rows';
    end if;
    return query
        select rows.record_key, rows.landed
        from ledger.landing_rows(show_person_rows.source_schema, show_person_rows.source_table, array(
            select r.record_key from ledger.person_records(person) as r
            where
                r.source_schema = show_person_rows.source_schema and r.source_table = show_person_rows.source_table
                and r.rule_id is distinct from 'PROCESSOR'
        )) as rows;
end
$$;

-- --- packages --------------------------------------------------------------------------------------------------

-- Registers the encrypted file that was made under a disclosure, until a day.
create or replace function ledger.record_package(
    disclosure uuid, file_name text, file_sha256 text, records bigint, withheld bigint, expires_on date
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    written ledger.disclosures := ledger.valid_disclosure(record_package.disclosure, 'package');
    registered uuid;
begin
    if record_package.expires_on is null or record_package.expires_on < ledger.today() then
        raise exception using errcode = 'SL002', message = 'a package expires on a day to come';
    end if;
    insert into ledger.packages (disclosure_id, file_name, file_sha256, records, expires_on)
    values (
        written.disclosure_id, record_package.file_name, record_package.file_sha256, record_package.records,
        record_package.expires_on
    )
    returning package_id into registered;
    perform ledger.append('package', jsonb_build_object(
        'package_id', registered, 'disclosure_id', written.disclosure_id, 'request_id', written.request_id,
        'file_sha256', record_package.file_sha256, 'records', record_package.records,
        'columns_withheld', record_package.withheld, 'expires_on', record_package.expires_on, 'made_by', session_user
    ));
    return registered;
end
$$;

-- The files of packages that expired before that day and were not removed.
create or replace function ledger.due_packages(expired_before date) returns setof text
language sql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    select p.file_name from ledger.packages as p
    where p.removed_at is null and p.expires_on < expired_before order by p.file_name
$$;

-- Says that these files are gone.
create or replace function ledger.note_packages_removed(file_names text[]) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    noted bigint;
begin
    perform ledger.begin_removal();
    update ledger.packages as p set removed_at = now()
    where p.file_name = any(note_packages_removed.file_names) and p.removed_at is null;
    get diagnostics noted = row_count;
    return noted;
end
$$;

-- Forgets the keys of records that are gone: decisions on ambiguous ones, and which locked one was read. That one was
-- read, when, why and by whom stays.
create or replace function ledger.forget_gone_records() returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    decided bigint;
    disclosed bigint;
begin
    perform ledger.begin_removal();
    if to_regclass('intermediate.int_record_cases') is null then
        return 0;
    end if;
    delete from ledger.ambiguity_decisions as d
    where not exists (
        select from intermediate.int_record_cases as cases
        where
            cases.source_schema = d.source_schema and cases.source_table = d.source_table
            and cases.record_key = d.record_key
    );
    get diagnostics decided = row_count;
    update ledger.disclosures as d set record_key = null
    where d.record_key is not null and d.expires_at < now() and not exists (
        select from intermediate.int_record_cases as cases
        where
            cases.source_schema = d.source_schema and cases.source_table = d.source_table
            and cases.record_key = d.record_key
    );
    get diagnostics disclosed = row_count;
    return decided + disclosed;
end
$$;

grant execute on function ledger.person_of, ledger.persons_by_contact, ledger.person_records, ledger.person_candidates,
ledger.decide_ambiguity, ledger.disclose, ledger.show_person_rows, ledger.record_package to retention_rights_officer;
grant execute on function ledger.disclose to retention_custodian;
grant execute on function ledger.due_packages to retention_rights_officer, retention_reader, retention_purger;
grant execute on function ledger.note_packages_removed, ledger.forget_gone_records to retention_purger;

reset role;
