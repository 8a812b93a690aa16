-- What a person decides about records under review.
set local role retention_owner;

-- Records what a person decided on a record under review.
create or replace function ledger.decide_review(
    source_schema text,
    source_table text,
    record_key text,
    decision text,
    reason text,
    rule_id text default null,
    anchor_on date default null,
    keep_until date default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    decided uuid;
    table_guard text := 'table:' || decide_review.source_schema || '.' || decide_review.source_table;
begin
    if coalesce(decide_review.decision, '') not in ('keep', 'purge', 'anchor') then
        raise exception using errcode = 'SL002', message = 'the decision is keep, purge or anchor';
    end if;
    if coalesce(btrim(decide_review.reason), '') = '' then
        raise exception using errcode = 'SL002', message = 'a decision needs a reason';
    end if;
    if (decide_review.decision = 'anchor')
        <> (decide_review.rule_id is not null and decide_review.anchor_on is not null)
        or (decide_review.rule_id is null) <> (decide_review.anchor_on is null)
    then
        raise exception using errcode = 'SL002', message = 'anchor needs a rule and a date; the others take neither';
    end if;
    if (decide_review.decision = 'keep') <> (decide_review.keep_until is not null) then
        raise exception using errcode = 'SL002', message = 'keep needs a last day; the others take none';
    end if;
    if decide_review.rule_id is not null and not exists (
        select from policy.policy_rules as rules where rules.rule_id = decide_review.rule_id
    ) then
        raise exception using errcode = 'SL002', message = 'the policy has no such rule';
    end if;
    if not exists (
        select from retention.records as r
        where
            r.source_schema = decide_review.source_schema
            and r.source_table = decide_review.source_table
            and r.record_key = decide_review.record_key
            and r.status = 'review'
    ) and not exists (
        -- What a person decided, a person may decide again.
        select from ledger.review_decisions as d
        where
            d.source_schema = decide_review.source_schema
            and d.source_table = decide_review.source_table
            and d.record_key = decide_review.record_key
    ) then
        raise exception using errcode = 'SL002', message = 'no such record is under review';
    end if;
    -- A batch that is about to purge from this table waits for this, or is waited for.
    insert into ledger.guards (guard_key) values (table_guard) on conflict do nothing;
    perform from ledger.guards as g where g.guard_key = table_guard for update;
    insert into ledger.review_decisions (
        source_schema, source_table, record_key, decision, rule_id, anchor_on, keep_until, reason
    )
    values (
        decide_review.source_schema, decide_review.source_table, decide_review.record_key,
        decide_review.decision, decide_review.rule_id, decide_review.anchor_on, decide_review.keep_until,
        decide_review.reason
    )
    returning decision_id into decided;
    perform ledger.append('review_decision', jsonb_build_object(
        'decision_id', decided,
        'table', decide_review.source_schema || '.' || decide_review.source_table,
        'decision', decide_review.decision, 'rule_id', decide_review.rule_id,
        'anchor_on', decide_review.anchor_on, 'keep_until', decide_review.keep_until,
        'decided_by', session_user
    ));
    return decided;
end
$$;

-- The same decision on every record under review of the record's assignment, or where it has none, of its case;
-- and on the record itself. Returns how many records were decided.
create or replace function ledger.decide_review_case(
    source_schema text,
    source_table text,
    record_key text,
    decision text,
    reason text,
    rule_id text default null,
    anchor_on date default null,
    keep_until date default null
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    of_case text;
    of_assignment text;
    decided bigint;
begin
    select c.case_id, c.assignment_id into of_case, of_assignment
    from intermediate.int_record_cases as c
    where
        c.source_schema = decide_review_case.source_schema
        and c.source_table = decide_review_case.source_table
        and c.record_key = decide_review_case.record_key
    limit 1;
    perform ledger.decide_review(
        decide_review_case.source_schema, decide_review_case.source_table, decide_review_case.record_key,
        decide_review_case.decision, decide_review_case.reason, decide_review_case.rule_id,
        decide_review_case.anchor_on, decide_review_case.keep_until
    );
    select count(ledger.decide_review(
        others.source_schema, others.source_table, others.record_key, decide_review_case.decision,
        decide_review_case.reason, decide_review_case.rule_id, decide_review_case.anchor_on,
        decide_review_case.keep_until
    )) into decided
    from (
        select r.source_schema, r.source_table, r.record_key
        from intermediate.int_record_cases as c
        inner join retention.records as r using (source_schema, source_table, record_key)
        where
            r.status = 'review'
            and case when of_assignment is null then c.case_id = of_case else c.assignment_id = of_assignment end
            and (r.source_schema, r.source_table, r.record_key) <> (
                decide_review_case.source_schema, decide_review_case.source_table, decide_review_case.record_key
            )
        -- Each locks the guard of its table: always in one order.
        order by r.source_schema, r.source_table, r.record_key
    ) as others;
    return decided + 1;
end
$$;

grant execute on function ledger.decide_review, ledger.decide_review_case
to retention_approver, retention_planner;

reset role;
