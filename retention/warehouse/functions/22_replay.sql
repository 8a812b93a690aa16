-- Bringing back what a restored backup lacks. Only the owner calls these: a restore is an administrator's work.
set local role retention_owner;

-- Adds rows of an exported delta to the table they were read from. What is there already stays, but where
-- the delta says what became of it later: plans, holds.
create or replace function ledger.bring_back(table_name text, added jsonb) returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    row_count bigint;
begin
    case bring_back.table_name
        when 'entries' then
            row_count := ledger.bring_back_entries(added);
        when 'plans' then
            row_count := ledger.bring_back_plans(added);
        when 'blockers' then
            row_count := ledger.bring_back_blockers(added);
        when 'requests' then
            row_count := ledger.bring_back_requests(added);
        when 'relays' then
            insert into ledger.relays
            select * from jsonb_populate_recordset(null::ledger.relays, added)
            on conflict (relay_id) do update set
                state = excluded.state, taken_at = excluded.taken_at, taken_by = excluded.taken_by,
                taken_in = excluded.taken_in, answer = excluded.answer, note = excluded.note,
                answered_at = excluded.answered_at, answered_by = excluded.answered_by,
                closed_at = excluded.closed_at, closed_by = excluded.closed_by,
                close_reason = excluded.close_reason;
            get diagnostics row_count = row_count;
        when 'erasure_decisions' then
            insert into ledger.erasure_decisions
            select * from jsonb_populate_recordset(null::ledger.erasure_decisions, added)
            on conflict (decision_id) do update set
                record_key = excluded.record_key, blocker_id = excluded.blocker_id,
                carried_out_at = excluded.carried_out_at;
            get diagnostics row_count = row_count;
        when 'halts' then
            insert into ledger.halts (
                halted_at, halted_by, reason, resumed_at, resumed_by, resume_reason
            )
            select h.halted_at, h.halted_by, h.reason, h.resumed_at, h.resumed_by, h.resume_reason
            from jsonb_populate_recordset(null::ledger.halts, added) as h
            where not exists (select from ledger.halts as known where known.halted_at = h.halted_at)
            on conflict do nothing;
            get diagnostics row_count = row_count;
        when 'keys' then
            insert into ledger.keys
            select * from jsonb_populate_recordset(null::ledger.keys, added)
            on conflict (kind, key_id) do update set
                destroyed_at = excluded.destroyed_at, destroyed_by = excluded.destroyed_by,
                destroy_reason = excluded.destroy_reason;
            get diagnostics row_count = row_count;
        when
            'tombstones', 'column_tombstones', 'blocker_confirmations', 'assignment_restarts',
            'review_decisions', 'suppressions'
        then
            execute format(
                'insert into ledger.%1$I select * from jsonb_populate_recordset(null::ledger.%1$I, $1)
                on conflict do nothing',
                bring_back.table_name
            ) using added;
            get diagnostics row_count = row_count;
    end case;
    return row_count;
end
$$;

-- Entries with the numbers that they had. Those from before the backup are there, some of them without a
-- number yet; their text says when they were written, so that no two are the same.
create or replace function ledger.bring_back_entries(added jsonb) returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    size_before bigint := ledger.tree_size();
begin
    with lost as materialized (
        select
            (e.value ->> 'leaf_index')::bigint as leaf_index,
            e.value ->> 'kind' as kind,
            e.value ->> 'body' as body,
            (e.value ->> 'at')::timestamptz as at,
            coalesce(there.entry_id, nextval(pg_get_serial_sequence('ledger.entries', 'entry_id'))) as entry_id,
            there.entry_id is not null as is_there
        from jsonb_array_elements(added) as e (value)
        left join (
            select known.entry_id, known.body
            from ledger.unsequenced inner join ledger.entries as known using (entry_id)
        ) as there on there.body = e.value ->> 'body'
        where (e.value ->> 'leaf_index')::bigint >= size_before
    ),
    numbered as (
        delete from ledger.unsequenced as u using lost as l where u.entry_id = l.entry_id
    ),
    written as (
        insert into ledger.entries (entry_id, kind, body, leaf_hash, at) overriding system value
        select l.entry_id, l.kind, l.body, sha256('\x00'::bytea || convert_to(l.body, 'UTF8')), l.at
        from lost as l
        where not l.is_there
    )
    insert into ledger.leaves (leaf_index, entry_id)
    select l.leaf_index, l.entry_id from lost as l;
    return ledger.grow_tree(size_before) - size_before;
end
$$;

-- Plans with what became of them. One that was still open when the database was lost is over: its rows were
-- not exported, and what it deleted is known by its tombstones.
create or replace function ledger.bring_back_plans(added jsonb) returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    row_count bigint;
begin
    insert into ledger.classifications (
        as_of, code_hash, policy_hash, marked_schemas, started_by, started_at, finished_at
    )
    select distinct on (c.started_at)
        c.as_of, c.code_hash, c.policy_hash, c.marked_schemas, c.started_by, c.started_at, c.finished_at
    from jsonb_array_elements(added) as p (value)
    cross join lateral jsonb_populate_record(null::ledger.classifications, p.value -> 'classification') as c
    where not exists (select from ledger.classifications as known where known.started_at = c.started_at)
    order by c.started_at;
    insert into ledger.plans
    select plan.*
    from jsonb_array_elements(added) as p (value)
    cross join lateral jsonb_populate_record(null::ledger.plans, p.value || jsonb_build_object(
        'classification_id', (
            select min(c.classification_id) from ledger.classifications as c
            where c.started_at = (p.value -> 'classification' ->> 'started_at')::timestamptz
        ),
        'state', case
            when p.value ->> 'state' in ('proposed', 'approved', 'executing') then 'expired'
            else p.value ->> 'state'
        end
    )) as plan
    on conflict (plan_id) do update set
        state = excluded.state, digest = excluded.digest, tokens_root = excluded.tokens_root,
        items = excluded.items, fence = greatest(plans.fence, excluded.fence),
        approved_by = excluded.approved_by, approved_at = excluded.approved_at,
        approval_kind = excluded.approval_kind, rejected_by = excluded.rejected_by,
        rejected_at = excluded.rejected_at, reject_reason = excluded.reject_reason,
        started_at = excluded.started_at, executed_at = excluded.executed_at, run_by = excluded.run_by;
    get diagnostics row_count = row_count;
    return row_count;
end
$$;

-- The tokens of persons that the restored ledger does not know. A person that it knows by another one keeps that:
-- `named` are rows with the token and the subjects that bear it.
create or replace function ledger.bring_back_tokens(named jsonb) returns void
language sql
set search_path = pg_catalog, ledger, pg_temp as $$
    insert into ledger.subject_tokens (subject_id, subject_token)
    select distinct on (bearer.subject_id) bearer.subject_id, coalesce((
        -- One of them may be known here by another token.
        select t.subject_token from ledger.subject_tokens as t
        where t.subject_id in (select jsonb_array_elements_text(n.value -> 'subject_ids'))
        order by t.created_at limit 1
    ), (n.value ->> 'token')::uuid)
    from jsonb_array_elements(named) as n (value)
    cross join lateral jsonb_array_elements_text(n.value -> 'subject_ids') as bearer (subject_id)
    where bearer.subject_id is not null
    on conflict do nothing
$$;

-- Requests as they were last, each with its person. What held the person is a blocker, which was brought back before.
create or replace function ledger.bring_back_requests(added jsonb) returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    row_count bigint;
begin
    perform ledger.bring_back_tokens(jsonb_agg(jsonb_build_object(
        'token', q.value -> 'subject_token', 'subject_ids', q.value -> 'subject_ids'
    )))
    from jsonb_array_elements(added) as q (value)
    where jsonb_typeof(q.value -> 'subject_ids') = 'array'
    having count(*) > 0;
    insert into ledger.requests
    select request.*
    from jsonb_array_elements(added) as q (value)
    cross join lateral jsonb_populate_record(null::ledger.requests, q.value || jsonb_build_object(
        'subject_token', coalesce((
            select t.subject_token::text from ledger.subject_tokens as t
            where
                jsonb_typeof(q.value -> 'subject_ids') = 'array'
                and t.subject_id in (select jsonb_array_elements_text(q.value -> 'subject_ids'))
            order by t.created_at limit 1
        ), q.value ->> 'subject_token')
    )) as request
    on conflict (request_id) do update set
        asserted = excluded.asserted, state = excluded.state, answer_by = excluded.answer_by,
        record_key = excluded.record_key, subject_token = excluded.subject_token, hold_id = excluded.hold_id,
        extended_on = excluded.extended_on, extension_reason = excluded.extension_reason,
        verified_how = excluded.verified_how, verified_by = excluded.verified_by,
        verified_at = excluded.verified_at, decided_by = excluded.decided_by, decided_at = excluded.decided_at,
        outcome = excluded.outcome, carried_out_by = excluded.carried_out_by,
        carried_out_at = excluded.carried_out_at, closed_as = excluded.closed_as,
        closed_by = excluded.closed_by, closed_at = excluded.closed_at;
    get diagnostics row_count = row_count;
    return row_count;
end
$$;

-- Holds, restrictions and locks as they were last. A person is found again by what names the person here.
create or replace function ledger.bring_back_blockers(added jsonb) returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    row_count bigint;
    -- Deltas written before tokens were shared name one subject.
    named jsonb := (
        select coalesce(jsonb_agg(b.value || jsonb_build_object('subject_ids', coalesce(
            nullif(b.value -> 'subject_ids', 'null'), jsonb_build_array(b.value -> 'subject_id')
        ))), '[]')
        from jsonb_array_elements(added) as b (value)
    );
begin
    perform ledger.bring_back_tokens(jsonb_agg(jsonb_build_object(
        'token', b.value -> 'target', 'subject_ids', b.value -> 'subject_ids'
    )))
    from jsonb_array_elements(named) as b (value)
    where b.value ->> 'scope' = 'subject'
    having count(*) > 0;
    insert into ledger.blockers
    select blocker.*
    from jsonb_array_elements(named) as b (value)
    cross join lateral jsonb_populate_record(null::ledger.blockers, b.value || jsonb_build_object(
        'target', coalesce((
            select t.subject_token::text from ledger.subject_tokens as t
            where
                b.value ->> 'scope' = 'subject'
                and t.subject_id in (select jsonb_array_elements_text(b.value -> 'subject_ids'))
            order by t.created_at limit 1
        ), b.value ->> 'target')
    )) as blocker
    on conflict (blocker_id) do update set
        until_on = excluded.until_on, released_at = excluded.released_at,
        released_by = excluded.released_by, guard_lifted_at = excluded.guard_lifted_at;
    get diagnostics row_count = row_count;
    return row_count;
end
$$;

-- After the last of them: guards weigh what stands, items of plans that are over hold no keys, and every
-- landing row is met with every tombstone again.
create or replace function ledger.settle_what_came_back() returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    update ledger.guards set blockers = 0, records = '{}', row_only = '{}'
    where blockers > 0 or records <> '{}' or row_only <> '{}';
    insert into ledger.guards as g (guard_key, blockers, records, row_only)
    select
        ledger.guard_key(b.scope, b.target),
        count(*) filter (where b.scope <> 'record'),
        coalesce(
            array_agg(substr(b.target, position(':' in b.target) + 1))
            filter (where b.scope = 'record' and not b.row_only),
            '{}'
        ),
        coalesce(array_agg(substr(b.target, position(':' in b.target) + 1)) filter (where b.row_only), '{}')
    from ledger.blockers as b
    where b.released_at is null and b.guard_lifted_at is null and b.target is not null
    group by 1
    on conflict (guard_key) do update
    set blockers = excluded.blockers, records = excluded.records, row_only = excluded.row_only;

    update ledger.plan_items as i
    set state = gone.state, batch_no = gone.batch_no, skip_reason = null, record_key = null, case_id = null,
        subject_token = null, guard_keys = '{}'
    from (
        select plan_id, source_schema, source_table, token, batch_no, 'purged' as state from ledger.tombstones
        union
        select plan_id, source_schema, source_table, token, batch_no, 'minimised'
        from ledger.column_tombstones
    ) as gone
    where
        i.plan_id = gone.plan_id and i.source_schema = gone.source_schema
        and i.source_table = gone.source_table and i.token = gone.token and i.state in ('planned', 'skipped');
    update ledger.plan_items as i
    set state = 'withdrawn', record_key = null, case_id = null, subject_token = null, guard_keys = '{}'
    from ledger.plans as p
    where
        i.plan_id = p.plan_id and i.state = 'planned'
        and p.state in ('executed', 'rejected', 'expired', 'superseded', 'empty');
    delete from ledger.returns_looked_for;
end
$$;

reset role;
