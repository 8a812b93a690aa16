-- Purging without a person: which cases the policy leaves to a job, and the blast radius inside which it may.
-- Outside the radius nothing is approved, and the plan waits for a person.
set local role retention_owner;

-- Why nothing may be purged unattended here, or null. An approval that is an example counts only where every
-- landing schema bears the sample's marker. `suffix` names a policy that is tried.
create or replace function ledger.unattended_objection(suffix text default '') returns text
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    marks_a_rule boolean;
    approval text;
begin
    if unattended_objection.suffix !~ '^(_as_of_\d{8})?$' then
        raise exception using errcode = 'SL002', message = 'there is no such classification';
    end if;
    execute format(
        'select exists (select from policy%1$s.policy_rules where unattended), (select u.approval from policy%1$s.policy_unattended as u)',
        suffix
    ) into marks_a_rule, approval;
    if not coalesce(marks_a_rule, false) then
        return 'the policy marks no rule as unattended: a person approves every plan';
    end if;
    return case
        when suffix = '' and ledger.policy_objection() is not null then ledger.policy_objection()
        when approval = 'approved' then null
        when approval = 'example' and ledger.only_samples() then null
        when approval = 'example'
            then 'the approval of the policy''s section `unattended` is an example, which counts in a sample alone:'
                || ' have somebody approve the section'
        else 'nobody approved the policy''s section `unattended`: have somebody approve it'
    end;
end
$$;

-- Those of `cases` that the policy leaves to a job: every overdue record stands under a rule marked unattended,
-- supporting records under the rule that decides their person, and so does every ground of columns that are due
-- of a record that stays; nothing in them is blocked or under review. `suffix` and `ahead` as
-- `ledger.plannable` has them.
create or replace function ledger.unattended_cases(
    cases text[], suffix text default '', ahead integer default 0
) returns setof text
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if unattended_cases.suffix !~ '^(_as_of_\d{8})?$' then
        raise exception using errcode = 'SL002', message = 'there is no such classification';
    end if;
    return query execute replace($sql$
        select members.case_id
        from unnest($1) as wanted (case_id)
        inner join intermediate/*suffix*/.int_record_cases as members using (case_id)
        inner join retention/*suffix*/.records as records using (source_schema, source_table, record_key)
        left join intermediate/*suffix*/.int_person_winners as persons on members.subject_id = persons.subject_id
        left join policy/*suffix*/.policy_rules as rules
            on case records.rule_id when 'SUPPORTING' then persons.rule_id else records.rule_id end = rules.rule_id
        left join retention/*suffix*/.grounds as columns
            on
                records.disposition = 'minimise'
                and columns.source_schema = records.source_schema
                and columns.source_table = records.source_table
                and columns.record_key = records.record_key
                and columns.column_group = 'person'
                and columns.wins
        left join policy/*suffix*/.policy_rules as columns_rules on columns.rule_id = columns_rules.rule_id
        group by members.case_id
        having
            bool_and(
                records.status not in ('held', 'restricted', 'locked', 'review')
                -- A lock that has ended makes a record due and still stands in this list: R6 is no rule of these.
                and cardinality(records.blocked_by) = 0
                and (
                    records.status <> 'overdue'
                    and not (records.status in ('due_soon', 'retained') and records.due_on <= records.as_of + $2)
                    or coalesce(rules.unattended, false)
                )
                and (records.disposition <> 'minimise' or coalesce(columns_rules.unattended, false))
            )
        $sql$, '/*suffix*/', suffix) using cases, ahead;
end
$$;

-- What is checked before the policy approves: the plan's figures beside the limits of the policy in force.
create or replace function ledger.blast_radius(plan ledger.plans) returns jsonb
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    figures jsonb;
begin
    with items as materialized (
        select * from ledger.plan_items where plan_id = plan.plan_id and state = 'planned'
    ),
    tables as (
        select source_schema, source_table, count(*) as records from items group by source_schema, source_table
    ),
    shares as (
        select
            tables.source_schema || '.' || tables.source_table as qualified,
            tables.records,
            coalesce(sum(summary.records), 0)::bigint as table_rows
        from tables
        left join retention.summary as summary using (source_schema, source_table)
        group by tables.source_schema, tables.source_table, tables.records
    ),
    cases as (
        select array_agg(distinct case_id) as planned from items
    )
    select jsonb_build_object(
        'records', (select count(*) from items),
        'most_records', limits.most_records,
        'tables', (
            select coalesce(jsonb_agg(
                jsonb_build_object('table', qualified, 'records', records, 'table_rows', table_rows)
                order by qualified collate "C"
            ), '[]')
            from shares
        ),
        'most_table_share_percent', limits.most_table_share_percent,
        'overdue_days', jsonb_build_object(
            'least', (select min(plan.as_of - due_on) from items),
            'most', (select max(plan.as_of - due_on) from items),
            'at_least', limits.at_least_days,
            'at_most', limits.at_most_days
        ),
        'never_purge', to_jsonb(coalesce(string_to_array(limits.never_purge, ' '), '{}')),
        'cases', cardinality(cases.planned),
        'cases_left_to_a_job', (select count(*) from ledger.unattended_cases(cases.planned))
    ) into figures
    from policy.policy_unattended as limits cross join cases;
    return figures;
end
$$;

-- Where the figures lie outside the radius, in words, or null where they lie inside.
create or replace function ledger.outside_radius(figures jsonb) returns text
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select 'outside the policy''s blast radius: ' || string_agg(breach, '; ' order by number) || ': a person decides'
    from (
        select 1, format('%s records, at most %s are allowed', figures ->> 'records', figures ->> 'most_records')
        where not coalesce((figures ->> 'records')::bigint <= (figures ->> 'most_records')::bigint, false)
        union all
        select 2, case
            when count(*) > 1 then format('%s tables would lose more than %s percent, most of all ', count(*), figures ->> 'most_table_share_percent')
            else ''
        end || (array_agg(
            format('%s of the %s rows of %s', share.records, share.table_rows, share.table)
            order by share.records::numeric / nullif(share.table_rows, 0) desc nulls first, share.table
        ))[1] || case count(*) when 1 then format(', at most %s percent are allowed', figures ->> 'most_table_share_percent') else '' end
        from jsonb_to_recordset(figures -> 'tables') as share ("table" text, records bigint, table_rows bigint)
        where not coalesce(
            share.records * 100 <= (figures ->> 'most_table_share_percent')::bigint * share.table_rows, false
        )
        having count(*) > 0
        union all
        select 3, format(
            'overdue for %s to %s days, expected are %s to %s',
            age ->> 'least', age ->> 'most', age ->> 'at_least', age ->> 'at_most'
        )
        from (values (figures -> 'overdue_days')) as ages (age)
        where not coalesce(
            (age ->> 'least')::int >= (age ->> 'at_least')::int and (age ->> 'most')::int <= (age ->> 'at_most')::int,
            false
        )
        union all
        select 4, format('%s is never purged unattended', share.table)
        from jsonb_to_recordset(figures -> 'tables') as share ("table" text)
        where figures -> 'never_purge' ? share.table
        union all
        select 5, format(
            '%s of %s cases hold what the policy leaves to a person',
            (figures ->> 'cases')::int - (figures ->> 'cases_left_to_a_job')::int, figures ->> 'cases'
        )
        where (figures ->> 'cases')::int is distinct from (figures ->> 'cases_left_to_a_job')::int
    ) as breaches (number, breach)
    having count(*) > 0
$$;

-- Why nobody but a person may approve the plan now, whatever speaks for it: it is over, or its rows, the policy or what
-- classified them changed since it was frozen. Null where none of that holds.
create or replace function ledger.frozen_objection(plan ledger.plans) returns text
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    return case
        when (plan).state <> 'proposed' then 'the plan is ' || (plan).state || ', not proposed'
        when (plan).expires_on < ledger.today()
            then 'the plan expired on ' || (plan).expires_on || ': make a new one'
        when (plan).digest is distinct from ledger.plan_digest(plan, ledger.tokens_root((plan).plan_id))
            then 'the plan''s rows were changed after it was frozen: reject it and look into it'
        when (plan).policy_hash is distinct from (select s.policy_hash from policy.policy_settings as s)
            then 'the policy changed since the plan was frozen: make a new one'
        else ledger.classification_objection((plan).code_hash)
    end;
end
$$;

-- Approves a plan in the policy's name: the person who approved the section answers for it, and is named. Returns
-- null, or why it was refused; either is evidence, with the figures.
create or replace function ledger.approve_unattended(plan_id uuid) returns text
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    plan ledger.plans;
    figures jsonb;
    approver text;
    refusal text;
begin
    select * into plan from ledger.plans as p where p.plan_id = approve_unattended.plan_id for update;
    if not found then
        return 'there is no such plan: `retention plan list` shows them';
    end if;
    refusal := case
        when plan.scope <> 'unattended' then 'the plan is an ordinary one: a person approves it'
        else coalesce(ledger.frozen_objection(plan), ledger.unattended_objection())
    end;
    if refusal is null then
        figures := ledger.blast_radius(plan);
        refusal := ledger.outside_radius(figures);
    end if;
    if refusal is not null then
        perform ledger.append('refusal', jsonb_build_object(
            'plan_id', plan.plan_id, 'of', 'unattended approval', 'reason', refusal, 'checked', figures,
            'by', session_user
        ));
        return refusal;
    end if;
    select
        'policy ' || plan.policy_version || case
            when u.approval = 'approved' then ', approved by ' || u.approved_by || ' on ' || u.approved_on
            else ', an example approval of the sample'
        end
    into approver
    from policy.policy_unattended as u;
    update ledger.plans as p
    set state = 'approved', approved_by = approver, approved_at = now(), approval_kind = 'policy'
    where p.plan_id = plan.plan_id;
    perform ledger.append('approval', jsonb_build_object(
        'plan_id', plan.plan_id, 'digest', plan.digest, 'kind', 'policy', 'approved_by', approver,
        'checked', figures, 'by', session_user
    ));
    return null;
end
$$;

grant execute on function ledger.unattended_objection to retention_reader, retention_purger;
grant execute on function ledger.approve_unattended to retention_planner;

reset role;
