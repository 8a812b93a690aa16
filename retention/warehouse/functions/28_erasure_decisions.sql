-- What becomes of each record of a person who asks for erasure (§ 8), decided set-wise from the grounds of the last
-- classification and the policy's hindrances, and what those decisions cover afterwards. Rule ids here name the
-- engine's own rules.
set local role retention_owner;

-- Keeps the last classification as it is until the transaction ends; whoever builds the next one waits. Raises where
-- nothing may be decided on it.
create or replace function ledger.keep_classification() returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    last ledger.classifications;
    objection text;
begin
    if to_regclass('intermediate.int_record_grounds') is not null then
        lock table
            intermediate.int_record_cases, intermediate.int_record_grounds, intermediate.int_record_candidates,
            intermediate.int_record_mentions, intermediate.int_assignments_decided
        in access share mode;
    end if;
    select * into last from ledger.classifications order by classification_id desc limit 1;
    objection := case
        when last.classification_id is null then 'nothing was classified yet: `retention run` does'
        when last.finished_at is null
            then 'a classification is going on, or was cut short: wait for it, or run `retention run`'
        when last.as_of <> ledger.today()
            then 'the records were classified as of ' || last.as_of || ', not today: run `retention run` first'
        when last.policy_hash is distinct from (select s.policy_hash from policy.policy_settings as s)
            then 'the policy changed since the records were classified: run `retention run` first'
    end;
    if objection is not null then
        raise exception using errcode = 'SL003', message = objection;
    end if;
end
$$;

-- What the rules say of every record of the requests' persons, a row each; nothing is written.
--
-- A person's records are those of all data subjects under the token; what only follows one of their assignments
-- (third persons in a document) goes with it. A record that may be another's is decided once a person has said whose
-- it is. What follows a person or an assignment is judged by the rule of what it follows. Every ground of the row
-- counts: a refusal before a doubt, a doubt before a lock, the latest lock before an earlier one.
create or replace function ledger.propose_erasures(request_ids uuid[])
returns table (
    request_id uuid, source_schema text, source_table text, record_key text, category text, outcome text,
    rule_id text, law text, until_on date
)
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    perform ledger.refuse_other_than_officer();
    perform ledger.keep_classification();
    return query
        with persons as materialized (
            select r.request_id, r.subject_token, tokens.subject_id
            from ledger.requests as r
            inner join ledger.subject_tokens as tokens on r.subject_token = tokens.subject_token
            where r.request_id = any(propose_erasures.request_ids)
        ),
        settled as materialized (
            select distinct on (said.source_schema, said.source_table, said.record_key, said.subject_token) said.*
            from ledger.ambiguity_decisions as said
            where said.subject_token in (select persons.subject_token from persons)
            order by
                said.source_schema, said.source_table, said.record_key, said.subject_token, said.decision_no desc
        ),
        -- Records of others that may be theirs. `is_theirs` is null where nobody said yet.
        perhaps as materialized (
            select persons.request_id, named.row_id, bool_or(settled.is_theirs) as is_theirs
            from persons
            cross join lateral (
                select candidates.row_id from intermediate.int_record_candidates as candidates
                where candidates.subject_id = persons.subject_id
                union
                select mentions.row_id from intermediate.int_record_mentions as mentions
                where mentions.subject_id = persons.subject_id
            ) as named
            inner join intermediate.int_record_cases as cases on cases.row_id = named.row_id
            left join settled
                on
                    settled.subject_token = persons.subject_token
                    and settled.source_schema = cases.source_schema
                    and settled.source_table = cases.source_table
                    and settled.record_key = cases.record_key
                    and settled.inputs_hash = cases.inputs_hash
            where cases.case_id <> persons.subject_id
            group by persons.request_id, named.row_id
        ),
        reached as materialized (
            select persons.request_id, cases.row_id, false as is_doubtful
            from persons inner join intermediate.int_record_cases as cases on cases.case_id = persons.subject_id
            union
            select persons.request_id, following.row_id, false
            from persons
            inner join intermediate.int_assignments_decided as assignments
                on assignments.subject_id = persons.subject_id
            -- The case of a record without a person is its assignment's.
            inner join intermediate.int_record_cases as following on following.case_id = assignments.assignment_id
            where not exists (
                select from intermediate.int_record_candidates as candidates
                where candidates.row_id = following.row_id
            )
            union
            select perhaps.request_id, perhaps.row_id, perhaps.is_theirs is null
            from perhaps where perhaps.is_theirs is not false
        ),
        -- Each ground that a hindrance of the policy names. It hinders until its last day has passed; where that
        -- day, the period or the hindrance itself is not certain, a lock has no end that could be named.
        grounds as materialized (
            select
                grounds.row_id,
                grounds.column_group,
                grounds.basis_rule_id,
                hindrances.outcome,
                hindrances.law,
                grounds.last_day,
                grounds.review_reason is null and grounds.is_approved and grounds.last_day < ledger.today() as has_ended,
                hindrances.mark = 'text' or hindrances.approval = 'approved'
                or (hindrances.approval = 'example' and cases.source_schema = any(ledger.marked_schemas()))
                    as is_approved,
                grounds.review_reason is null and grounds.is_approved and grounds.last_day is not null as is_certain
            from (select distinct reached.row_id from reached) as wanted
            inner join intermediate.int_record_cases as cases on cases.row_id = wanted.row_id
            inner join intermediate.int_record_grounds as grounds on grounds.row_id = wanted.row_id
            inner join policy.policy_hindrances as hindrances on hindrances.rule_id = grounds.basis_rule_id
        ),
        hindering as materialized (
            select
                g.row_id,
                g.column_group,
                g.basis_rule_id,
                g.law,
                g.last_day,
                case
                    when not coalesce(g.is_approved, false) then 'person'
                    when g.outcome = 'refuse' then 'refuse'
                    when coalesce(g.is_certain, false) then 'lock'
                    else 'person'
                end as says
            from grounds as g
            where not coalesce(g.has_ended, false)
        ),
        strictest as materialized (
            select distinct on (h.row_id) h.*
            from hindering as h
            where h.column_group = 'row'
            order by
                h.row_id, array_position(array['refuse', 'person', 'lock'], h.says), h.last_day desc nulls first,
                h.basis_rule_id
        ),
        judged as (
            select
                reached.request_id,
                cases.source_schema,
                cases.source_table,
                cases.record_key,
                winners.category,
                strictest.basis_rule_id as hindering_rule,
                strictest.says,
                strictest.law,
                strictest.last_day,
                case
                    -- Refused for its own sake: an objection, a request. Whose it is does not matter for that.
                    when reached.is_doubtful and strictest.says = 'refuse' and winners.path = 'rule' then 'refuse'
                    when reached.is_doubtful then 'person'
                    when winners.rule_id = 'PROCESSOR' then 'relay'
                    when not cases.has_unique_key or cases.record_key like 'row:%' then 'person'
                    when
                        strictest.says = 'lock' and winners.path = 'accounting' and cases.has_minimisable
                        and not exists (
                            select from hindering as columns
                            where columns.row_id = cases.row_id and columns.column_group = 'person'
                        )
                        then 'minimise'
                    else coalesce(strictest.says, 'erase')
                end as outcome
            from reached
            inner join intermediate.int_record_cases as cases on cases.row_id = reached.row_id
            inner join intermediate.int_record_grounds as winners
                on winners.row_id = reached.row_id and winners.column_group = 'row' and winners.wins
            left join strictest on strictest.row_id = reached.row_id
        )
        select
            judged.request_id, judged.source_schema, judged.source_table, judged.record_key, judged.category,
            judged.outcome,
            case when judged.outcome <> 'relay' then judged.hindering_rule end,
            -- Left to a person although the law is certain: then only whose record it is, is not.
            case when judged.outcome <> 'relay' and judged.says in ('refuse', 'lock') then judged.law end,
            case when judged.outcome <> 'relay' and judged.says = 'lock' then judged.last_day end
        from judged;
end
$$;

-- The decision that counts for each record of a request: the latest of it.
create or replace function ledger.decisions_of(request_ids uuid[]) returns setof ledger.erasure_decisions
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select distinct on (
        d.request_id, d.source_schema, d.source_table, coalesce(d.record_key, d.decision_id::text)
    ) d.*
    from ledger.erasure_decisions as d
    where d.request_id = any(decisions_of.request_ids) and d.basis = 'request'
    order by
        d.request_id, d.source_schema, d.source_table, coalesce(d.record_key, d.decision_id::text), d.decided_at desc
$$;

-- Locks the guard of every declared table, and those of `others`, in the order in which a batch locks them: a
-- batch under way waits for what is decided now, or is waited for.
create or replace function ledger.lock_guards(others text[]) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    keys text[] := array(
        select 'table:' || t.source_schema || '.' || t.source_table from policy.declared_tables as t
        union
        select o.guard_key from unnest(lock_guards.others) as o (guard_key)
    );
begin
    insert into ledger.guards (guard_key) select k.guard_key from unnest(keys) as k (guard_key) order by 1
    on conflict do nothing;
    perform from ledger.guards as g where g.guard_key = any(keys) order by g.guard_key for update;
end
$$;

-- Places the locks that the latest decisions of the requests order and that do not stand yet. A lock of an earlier
-- decision on the same record stays where it is the same, and makes way where it is another: the latest decision
-- counts. The guards of the tables are locked before.
create or replace function ledger.place_decided_locks(request_ids uuid[]) returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    overtaken uuid[];
    placed bigint;
begin
    update ledger.erasure_decisions as d set blocker_id = b.blocker_id
    from ledger.blockers as b
    where
        d.decision_id in (select l.decision_id from ledger.decisions_of(place_decided_locks.request_ids) as l)
        and d.outcome in ('lock', 'minimise') and d.blocker_id is null and d.record_key is not null
        and b.scope = 'record' and b.kind = 'lock' and b.released_at is null and b.guard_lifted_at is null
        and b.target = d.source_schema || '.' || d.source_table || ':' || d.record_key
        and b.until_on = d.until_on and b.row_only = (d.outcome = 'minimise');

    select array_agg(distinct b.blocker_id) into overtaken
    from ledger.decisions_of(place_decided_locks.request_ids) as latest
    inner join ledger.erasure_decisions as earlier
        on
            earlier.source_schema = latest.source_schema and earlier.source_table = latest.source_table
            and earlier.record_key = latest.record_key and earlier.decided_at < latest.decided_at
    inner join ledger.blockers as b on b.blocker_id = earlier.blocker_id
    where
        latest.outcome in ('erase', 'refuse', 'lock', 'minimise') and b.released_at is null
        and b.blocker_id is distinct from latest.blocker_id;
    perform ledger.lift_record_guards(array(
        select b.blocker_id from ledger.blockers as b
        where b.blocker_id = any(overtaken) and b.guard_lifted_at is null
    ));
    update ledger.blockers as b set released_at = now(), released_by = session_user
    where b.blocker_id = any(overtaken);
    perform ledger.append('blocker_released', jsonb_build_object(
        'blocker_id', o.blocker_id, 'kind', 'lock', 'scope', 'record', 'released_by', session_user,
        'restarted_on', null, 'restarted_assignments', 0
    ))
    from unnest(overtaken) as o (blocker_id);

    with wanted as materialized (
        select
            d.source_schema || '.' || d.source_table || ':' || d.record_key as target, d.record_key,
            d.source_schema || '.' || d.source_table as qualified, d.outcome = 'minimise' as row_only, d.until_on,
            min(d.law) as law, array_agg(d.decision_id) as decisions, gen_random_uuid() as blocker_id
        from ledger.decisions_of(place_decided_locks.request_ids) as d
        where d.outcome in ('lock', 'minimise') and d.blocker_id is null and d.record_key is not null
        group by d.source_schema, d.source_table, d.record_key, d.outcome, d.until_on
    ),
    locks as (
        insert into ledger.blockers (blocker_id, kind, scope, target, reason, authority, from_on, until_on, row_only)
        select
            w.blocker_id, 'lock', 'record', w.target, 'its erasure was refused', w.law, ledger.today(), w.until_on,
            w.row_only
        from wanted as w
        returning 1
    ),
    guarded as (
        insert into ledger.guards as g (guard_key, records, row_only)
        select
            'table:' || w.qualified,
            coalesce(array_agg(w.record_key) filter (where not w.row_only), '{}'),
            coalesce(array_agg(w.record_key) filter (where w.row_only), '{}')
        from wanted as w group by w.qualified order by 1
        on conflict (guard_key) do update
        set records = g.records || excluded.records, row_only = g.row_only || excluded.row_only
    ),
    known as (
        update ledger.erasure_decisions as d set blocker_id = w.blocker_id
        from wanted as w where d.decision_id = any(w.decisions)
    )
    select count(*) into placed from locks;
    return placed;
end
$$;

-- Evidence of what was decided from a decision on, an entry a request: counts and days, no key.
create or replace function ledger.attest_decisions(request_ids uuid[], since timestamptz) returns void
language sql
set search_path = pg_catalog, ledger, pg_temp as $$
    select ledger.append('erasure_decided', jsonb_build_object(
        'request_id', counted.request_id,
        'counts', jsonb_agg(
            jsonb_build_object(
                'table', counted.qualified, 'outcome', counted.outcome, 'rule_id', counted.rule_id,
                'until_on', counted.until_on, 'records', counted.records
            )
            order by counted.qualified collate "C", counted.outcome, counted.rule_id, counted.until_on
        ),
        'decided_by', session_user
    ))
    from (
        select
            d.request_id, d.source_schema || '.' || d.source_table as qualified, d.outcome, d.rule_id, d.until_on,
            count(*) as records
        from ledger.erasure_decisions as d
        where d.request_id = any(attest_decisions.request_ids) and d.decided_at >= attest_decisions.since
        group by d.request_id, d.source_schema, d.source_table, d.outcome, d.rule_id, d.until_on
    ) as counted
    group by counted.request_id
$$;

-- What a request came to. Its own proof (RIGHTS) and an objection that must live (OWN) refuse nothing of it.
create or replace function ledger.request_outcomes(request_ids uuid[])
returns table (request_id uuid, outcome text)
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select
        asked.id,
        case
            when count(*) filter (where d.outcome in ('lock', 'refuse', 'minimise', 'person')) = 0 then 'granted'
            when count(*) filter (where d.outcome in ('erase', 'minimise')) = 0 then 'refused'
            else 'partly'
        end
    from unnest(request_outcomes.request_ids) as asked (id)
    left join ledger.decisions_of(request_outcomes.request_ids) as d
        on d.request_id = asked.id and coalesce(d.rule_id, '') not in ('RIGHTS', 'OWN')
    group by asked.id
$$;

-- Decides every record of the persons who asked, in one transaction: the decisions, their locks, the requests'
-- outcomes and the end of their holds. Of a request that was decided before, only what was left to a person and is
-- certain now. Returns how many records were decided.
create or replace function ledger.decide_erasures(request_ids uuid[]) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    began timestamptz := clock_timestamp();
    decided bigint;
    undecided uuid[];
begin
    perform ledger.refuse_other_than_officer();
    perform ledger.keep_classification();
    perform from ledger.requests as r where r.request_id = any(request_ids) order by r.request_id for update;
    if exists (
        select from unnest(decide_erasures.request_ids) as asked (id)
        left join ledger.requests as r on r.request_id = asked.id
        where r.asserted is distinct from 'erasure' or r.state not in ('identity_verified', 'decided')
    ) then
        raise exception using errcode = 'SL003', message =
            'only requests for erasure whose person is verified are decided here: `retention request show` says which';
    end if;
    undecided := array(
        select r.request_id from ledger.requests as r
        where r.request_id = any(request_ids) and r.state = 'identity_verified'
    );
    perform ledger.lock_guards(array(
        select ledger.guard_key(b.scope, b.target)
        from ledger.requests as r inner join ledger.blockers as b on r.hold_id = b.blocker_id
        where r.request_id = any(undecided) and b.released_at is null
    ));
    insert into ledger.erasure_decisions (
        basis, request_id, source_schema, source_table, record_key, category, outcome, rule_id, law, until_on
    )
    select
        'request', p.request_id, p.source_schema, p.source_table, p.record_key, p.category, p.outcome, p.rule_id,
        p.law, p.until_on
    from ledger.propose_erasures(decide_erasures.request_ids) as p
    left join ledger.decisions_of(decide_erasures.request_ids) as d
        using (request_id, source_schema, source_table, record_key)
    where p.request_id = any(undecided) or (d.outcome = 'person' and p.outcome <> 'person');
    get diagnostics decided = row_count;
    perform ledger.place_decided_locks(decide_erasures.request_ids);
    perform ledger.attest_decisions(decide_erasures.request_ids, began);
    perform ledger.notify('erasure', decide_erasures.request_ids);
    perform ledger.decide_requests(
        array_agg(o.request_id order by o.request_id), array_agg(o.outcome order by o.request_id)
    )
    from ledger.request_outcomes(undecided) as o
    having count(*) > 0;
    update ledger.requests as r set outcome = o.outcome
    from ledger.request_outcomes(decide_erasures.request_ids) as o
    where r.request_id = o.request_id and r.outcome is distinct from o.outcome;
    return decided;
end
$$;

-- Decides one record of a decided request as a person sees it: what was left to a person, or takes back an erasure
-- that was not carried out yet. What the law certainly keeps, nobody erases here.
create or replace function ledger.decide_record(
    request_id uuid, source_schema text, source_table text, record_key text, outcome text, reason text,
    law text default null, until_on date default null
) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    began timestamptz := clock_timestamp();
    request ledger.requests;
    latest ledger.erasure_decisions;
    proposed record;
begin
    perform ledger.refuse_other_than_officer();
    request := ledger.request_to_change(decide_record.request_id, array['decided']);
    if coalesce(decide_record.outcome, '') not in ('erase', 'lock', 'refuse') then
        raise exception using errcode = 'SL002', message = 'the outcome is erase, lock or refuse';
    end if;
    if coalesce(btrim(decide_record.reason), '') = '' then
        raise exception using errcode = 'SL002', message = 'a decision on one record needs a reason';
    end if;
    if (decide_record.outcome = 'erase') = (coalesce(btrim(decide_record.law), '') <> '') then
        raise exception using errcode = 'SL002', message = 'a refusal or a lock names its law; an erasure names none';
    end if;
    if (decide_record.outcome = 'lock') <> (decide_record.until_on is not null)
        or decide_record.until_on < ledger.today()
    then
        raise exception using errcode = 'SL002',
        message = 'a lock, and nothing else, needs the last day of its hindrance, which has not passed';
    end if;
    perform ledger.keep_classification();
    perform ledger.lock_guards('{}');
    select * into latest
    from ledger.decisions_of(array[request.request_id]) as d
    where
        d.source_schema = decide_record.source_schema and d.source_table = decide_record.source_table
        and d.record_key = decide_record.record_key;
    if not found then
        raise exception using errcode = 'SL002',
        message = 'the request decides no such record: `retention request decide --dry-run` lists its tables';
    end if;
    if latest.outcome not in ('person', 'erase', 'minimise')
        or (latest.outcome <> 'person' and decide_record.outcome = 'erase')
    then
        raise exception using errcode = 'SL003', message = format(
            'the record was decided (%s): a person decides what was left to one, or takes an erasure back',
            latest.outcome
        );
    end if;
    select * into proposed
    from ledger.propose_erasures(array[request.request_id]) as p
    where
        p.source_schema = latest.source_schema and p.source_table = latest.source_table
        and p.record_key = latest.record_key;
    if not found then
        raise exception using errcode = 'SL002', message = 'the record is not there any more';
    end if;
    if decide_record.outcome = 'erase' and (proposed.law is not null or proposed.outcome not in ('person', 'erase')) then
        raise exception using errcode = 'SL003', message = format(
            'it cannot be erased: %s', coalesce('the law keeps it, ' || proposed.law, 'a partner decides on it')
        );
    end if;
    insert into ledger.erasure_decisions (
        basis, request_id, source_schema, source_table, record_key, category, outcome, rule_id, law, until_on, reason
    ) values (
        'request', request.request_id, latest.source_schema, latest.source_table, latest.record_key,
        latest.category, decide_record.outcome, latest.rule_id, decide_record.law, decide_record.until_on,
        decide_record.reason
    );
    perform ledger.place_decided_locks(array[request.request_id]);
    perform ledger.attest_decisions(array[request.request_id], began);
    perform ledger.notify('erasure', array[request.request_id]);
    update ledger.requests as r set outcome = o.outcome
    from ledger.request_outcomes(array[request.request_id]) as o
    where r.request_id = o.request_id;
end
$$;

-- Says of every request for erasure of which nothing is left to do that it is carried out; returns how many. What was
-- to go has been purged or is there no more at its source; of a table that was not read nobody knows that.
create or replace function ledger.settle_erasures() returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    decided uuid[] := array(
        select r.request_id from ledger.requests as r where r.asserted = 'erasure' and r.state = 'decided'
    );
begin
    if (select c.finished_at is null from ledger.classifications as c order by c.classification_id desc limit 1) then
        return 0;
    end if;
    return ledger.carry_out_requests(array(
        select asked.id from unnest(decided) as asked (id)
        except
        select d.request_id
        from ledger.decisions_of(decided) as d
        left join intermediate.int_record_cases as cases using (source_schema, source_table, record_key)
        where
            d.record_key is not null
            and (
                d.outcome in ('erase', 'person')
                or (d.outcome = 'minimise' and d.carried_out_at is null and coalesce(cases.has_minimisable, true))
            )
            and (
                cases.record_key is not null
                or not exists (
                    select from intermediate.int_record_cases as read
                    where read.source_schema = d.source_schema and read.source_table = d.source_table
                )
            )
    ));
end
$$;

-- How many of a request's records are blocked now although they were decided, and by what: `hold`, `restriction`,
-- or `request`, another right of the person's that comes first.
create or replace function ledger.blocked_decisions(request_id uuid) returns table (blocked_by text, records bigint)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    perform ledger.refuse_other_than_officer();
    return query
        select
            case when q.request_id is null then b.kind else 'request' end, count(distinct d.decision_id)
        from ledger.decisions_of(array[blocked_decisions.request_id]) as d
        inner join intermediate.int_record_cases as c using (source_schema, source_table, record_key)
        inner join ledger.blockers as b
            on (b.scope, b.target) in (
                ('subject', c.subject_token::text),
                ('assignment', c.assignment_id),
                ('record', d.source_schema || '.' || d.source_table || ':' || d.record_key),
                ('table', d.source_schema || '.' || d.source_table)
            )
        left join ledger.requests as q on q.hold_id = b.blocker_id
        where b.released_at is null and b.kind in ('hold', 'restriction') and d.outcome in ('erase', 'minimise')
        group by 1;
end
$$;

-- Evidence that a decision letter was written: its hash, and not a word of it.
create or replace function ledger.attest_letter(request_id uuid, language text, sha256 text) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    perform ledger.refuse_other_than_officer();
    if attest_letter.language not in ('nb', 'en') or attest_letter.sha256 !~ '^[0-9a-f]{64}$' then
        raise exception using errcode = 'SL002', message = 'a letter is attested by its language and its SHA-256';
    end if;
    perform ledger.request_to_change(attest_letter.request_id, array['decided', 'carried_out']);
    perform ledger.append('letter_written', jsonb_build_object(
        'request_id', attest_letter.request_id, 'language', attest_letter.language, 'sha256', attest_letter.sha256,
        'written_by', session_user
    ));
end
$$;

grant execute on function ledger.blocked_decisions, ledger.attest_letter to retention_rights_officer;
grant execute on function ledger.propose_erasures, ledger.decide_erasures, ledger.decide_record, ledger.decisions_of
to retention_rights_officer;
grant execute on function ledger.settle_erasures to retention_rights_officer, retention_purger;

reset role;
