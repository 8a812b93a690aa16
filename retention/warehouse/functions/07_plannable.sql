-- Which overdue records may be purged now, and what the others wait for. Rule ids here name the engine's
-- own rules (R1 and R2 run from the lead's own date).
set local role retention_owner;

-- Overdue records, each with the reason why it must wait, or null where it may be purged now; and records of
-- which only columns are due, which stay and are minimised, with the ground of those columns.
--
-- `tables` describes the declared tables: [{source_schema, source_table, position, refused,
-- minimise_refused, is_person, is_lead, is_anchor, is_assignment, keeps}]; keeps is 'person' or 'assignment'
-- where the table's rows stand on facts of that kind, and null where they have an anchor of their own.
--
-- Minimising removes no fact, so it waits for no other record. What a withdrawn consent erases of a row is due
-- whatever the row's own clock or review says; the row stays, and whatever it keeps stays with it.
--
-- `scope` is that of the plan that is made. What a decision covers goes into the plan of what was decided, with
-- nothing else in it, and other plans leave it to that one; without a scope all that is due is told. A locked row is
-- due by its decision alone, with the columns that nothing requires.
--
-- Facts outlive their evidence (requirements § 2), in three steps, each on what the step before left:
-- an assignment's own rows wait for every record that follows the assignment; a lead under R1 or R2 waits
-- for the other leads of the same hand-over, because their date is the first one's; a person's row, its
-- contacts, hand-overs and the leads that follow it wait for every record of the case that stands on them. What a
-- decision locked stands on the day of its lock, and on no fact.
--
-- `suffix` names another classification of today, one that is tried beside the one in force; what is due within
-- `ahead` days counts as due.
--
-- With `plan`, only its items from `first_item` to `last_item` that are still planned are candidates: what
-- a batch may purge after some of its items were skipped is decided by this same text.
create or replace function ledger.plannable(
    tables jsonb,
    as_of date,
    plan uuid default null,
    first_item bigint default null,
    last_item bigint default null,
    scope text default null,
    suffix text default '',
    ahead integer default 0
) returns table (
    source_schema text,
    source_table text,
    record_key text,
    case_id text,
    assignment_id text,
    subject_token uuid,
    case_fingerprint text,
    category text,
    rule_id text,
    disposition text,
    anchor_on date,
    due_on date,
    "position" integer,
    waits_for text
)
language plpgsql stable
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    candidates text;
    reach text;
begin
    if plannable.suffix !~ '^(_as_of_\d{8})?$' then
        raise exception using errcode = 'SL002', message = 'there is no such classification';
    end if;
    if plan is null then
        -- What is frozen is overdue, and nothing else can be: a look ahead adds its own condition.
        candidates := '(
            records.status = ''overdue'' and records.disposition = ''purge'''
        || case
            when plannable.ahead > 0
                then ' or records.status in (''due_soon'', ''retained'') and records.disposition = ''purge'''
                    || ' and records.due_on <= $2 + $7'
            else ''
        end
        || '
            or records.status in (''due_soon'', ''retained'', ''active'') and records.disposition = ''minimise''
            and column_ground.due_on <= $2 + $7
            or coalesce(decided.is_minimised or decided.is_withdrawn, false)
        ) and records.as_of = $2'
        || case plannable.scope when 'decided' then ' and decided.record_key is not null' else '' end;
        reach := 'true';
    else
        candidates := 'items.item_no is not null';
        reach := 'cases.case_id in (select case_id from items)
            or cases.assignment_id in (
                select own.assignment_id
                from items
                inner join intermediate.int_record_cases as own using (source_schema, source_table, record_key)
            )';
    end if;
    return query execute replace(replace(replace(replace(replace($sql$
        with declared as materialized (
            select * from jsonb_to_recordset($1) as t (
                source_schema text, source_table text, "position" integer, refused text,
                minimise_refused text, is_person boolean, is_lead boolean, is_anchor boolean,
                is_assignment boolean, keeps text
            )
        ),
        guarded as materialized (
            select guard_key from ledger.guards where blockers > 0
        ),
        records_guarded as materialized (
            select guard_key || ':' || unnest(records) as record_guard, false as row_only
            from ledger.guards where records <> '{}'
            union all
            select guard_key || ':' || unnest(row_only), true from ledger.guards where row_only <> '{}'
        ),
        covered as materialized (
            select * from ledger.covered_records()
        ),
        withdrawn as materialized (
            select
                grounds.source_schema, grounds.source_table, grounds.record_key, grounds.anchor_on, grounds.due_on
            from retention.grounds as grounds
            where
                grounds.column_group = 'consent' and grounds.wins and grounds.approved and grounds.due_on <= $2
        ),
        -- What a standing decision covers of the records as they are classified: an erasure that made it due, a lock
        -- that ended on its day with no other hindrance left, columns of a row that is locked, or that a withdrawn
        -- consent erases. A row that goes as a whole needs no more.
        decided as materialized (
            select
                covered.source_schema, covered.source_table, covered.record_key, covered.rule_id, covered.category,
                case covered.covers when 'columns' then withdrawn.anchor_on else covered.decided_on end as decided_on,
                case covered.covers when 'columns' then withdrawn.due_on else covered.decided_on end as decided_due_on,
                covered.covers = 'minimise' as is_minimised,
                covered.covers = 'columns' as is_withdrawn
            from covered
            inner join retention.records as records using (source_schema, source_table, record_key)
            inner join intermediate.int_record_cases as cases using (source_schema, source_table, record_key)
            left join withdrawn using (source_schema, source_table, record_key)
            left join declared using (source_schema, source_table)
            where case covered.covers
                when 'erase' then records.status = 'overdue' and records.rule_id = covered.rule_id
                when 'minimise' then records.status = 'locked' and cases.has_minimisable
                when 'columns' then
                    withdrawn.record_key is not null and records.status not in ('held', 'restricted', 'locked')
                    and (records.status <> 'overdue' or declared.minimise_refused is null)
                    and not exists (
                        select from covered as whole
                        where
                            whole.covers <> 'columns' and whole.source_schema = covered.source_schema
                            and whole.source_table = covered.source_table and whole.record_key = covered.record_key
                    )
                else
                    records.status = 'overdue' and records.last_day = covered.until_on
                    and not exists (
                        select from intermediate.int_record_grounds as grounds
                        inner join policy.policy_hindrances as hindrances
                            on hindrances.rule_id = grounds.basis_rule_id
                        where
                            grounds.row_id = cases.row_id and grounds.column_group = 'row'
                            and coalesce(grounds.last_day >= $2, true)
                    )
            end
        ),
        locked_by_decision as materialized (
            select decisions.source_schema, decisions.source_table, decisions.record_key
            from ledger.erasure_decisions as decisions
            inner join ledger.blockers as blockers on decisions.blocker_id = blockers.blocker_id
            where
                decisions.record_key is not null and blockers.released_at is null
                and blockers.guard_lifted_at is null
            group by decisions.source_schema, decisions.source_table, decisions.record_key
        ),
        -- Records that may be a held person's are held: a hold in doubt is a hold.
        candidates_guarded as materialized (
            select candidates.row_id
            from intermediate.int_record_candidates as candidates
            inner join ledger.subject_tokens as tokens on candidates.subject_id = tokens.subject_id
            where 'subject:' || tokens.subject_token::text in (select guard_key from guarded)
        ),
        -- Persons of whom one may be the person of a record that is not settled: without her row, the record
        -- would become the other one's.
        persons_in_doubt as materialized (
            select candidates.subject_id
            from intermediate.int_record_candidates as candidates
            inner join intermediate.int_record_cases as cases on candidates.row_id = cases.row_id
            inner join retention.records as records using (source_schema, source_table, record_key)
            where
                records.status in ('review', 'held', 'restricted', 'locked')
                -- It follows a rule of its own because nobody knows whose it is.
                or (cases.subject_id is null and cases.follows = 'person' and records.status <> 'overdue')
        ),
        -- Claims acknowledged since the classification: it does not know yet until when they keep what.
        restarted as materialized (
            select decided.assignment_id, decided.subject_id
            from ledger.assignment_restarts as restarts
            inner join intermediate.int_assignments_decided as decided
                on restarts.assignment_id = decided.assignment_id
            where restarts.restarted_on > decided.anchor_on
        ),
        items as materialized (
            select item_no, source_schema, source_table, record_key, case_id
            from ledger.plan_items
            where plan_id = $3 and item_no between $4 and $5 and state = 'planned'
        ),
        base as materialized (
            select
                cases.source_schema,
                cases.source_table,
                cases.record_key,
                cases.case_id,
                cases.assignment_id,
                cases.subject_token,
                fingerprints.fingerprint,
                case
                    when decided.is_minimised then decided.category
                    when decided.is_withdrawn then coalesce(records.category, 'unclassified')
                    when column_ground.rule_id is null then records.category
                    else column_ground.category
                end as category,
                case
                    when decided.is_minimised or decided.is_withdrawn then decided.rule_id
                    else coalesce(column_ground.rule_id, records.rule_id)
                end as rule_id,
                case when decided.is_minimised or decided.is_withdrawn then 'minimise' else records.disposition end
                    as disposition,
                case
                    when decided.is_minimised or decided.is_withdrawn then decided.decided_on
                    when column_ground.rule_id is null then records.anchor_on
                    else column_ground.anchor_on
                end as anchor_on,
                case
                    when decided.is_minimised or decided.is_withdrawn then decided.decided_due_on
                    else coalesce(column_ground.due_on, records.due_on)
                end as due_on,
                declared.position,
                coalesce(decided.is_withdrawn, false) as stays,
                declared.is_lead and not coalesce(decided.is_withdrawn, false) as is_lead,
                declared.is_assignment and column_ground.rule_id is null and not coalesce(decided.is_withdrawn, false)
                    as is_assignment,
                case when locked_by_decision.record_key is null then declared.keeps end as keeps,
                (declared.is_anchor or (declared.is_lead and records.rule_id not in ('R1', 'R2')))
                and column_ground.rule_id is null and not coalesce(decided.is_withdrawn, false) as is_anchor,
                case
                    when declared.source_table is null then 'its table is not declared'
                    when
                        (records.disposition = 'minimise' or decided.is_minimised or decided.is_withdrawn)
                        and declared.minimise_refused is not null
                        then declared.minimise_refused
                    when
                        records.disposition is distinct from 'minimise'
                        and not coalesce(decided.is_minimised or decided.is_withdrawn, false)
                        and declared.refused is not null
                        then declared.refused
                    when $6 in ('ordinary', 'unattended') and decided.record_key is not null
                        then 'it stands in the plan of what was decided'
                    when
                        'subject:' || cases.subject_token::text in (select guard_key from guarded)
                        or 'assignment:' || cases.assignment_id in (select guard_key from guarded)
                        or 'table:' || cases.source_schema || '.' || cases.source_table in (select guard_key from guarded)
                        or 'table:' || cases.source_schema || '.' || cases.source_table || ':' || cases.record_key
                        in (
                            select record_guard from records_guarded
                            where not row_only or not coalesce(decided.is_minimised, false)
                        )
                        or cases.row_id in (select row_id from candidates_guarded)
                        then 'held, restricted or locked since the classification'
                    when
                        cases.assignment_id in (select assignment_id from restarted)
                        or cases.subject_id in (select subject_id from restarted)
                        then 'a claim was acknowledged since the classification'
                    when declared.is_person and cases.subject_id in (select subject_id from persons_in_doubt)
                        then 'a record that may be this person''s is under review or held'
                end as refused,
                coalesce(/*candidates*/, false) as is_overdue
            from intermediate.int_record_cases as cases
            inner join retention.records as records using (source_schema, source_table, record_key)
            inner join intermediate.int_case_fingerprints as fingerprints on cases.case_id = fingerprints.case_id
            left join declared using (source_schema, source_table)
            left join items using (source_schema, source_table, record_key)
            left join decided using (source_schema, source_table, record_key)
            left join locked_by_decision using (source_schema, source_table, record_key)
            left join retention.grounds as column_ground
                on records.disposition = 'minimise'
                and column_ground.source_schema = records.source_schema
                and column_ground.source_table = records.source_table
                and column_ground.record_key = records.record_key
                and column_ground.column_group = 'person'
                and column_ground.wins
            where /*scope*/
        ),
        assignments_kept as (
            select assignment_id from base
            where
                keeps = 'assignment' and assignment_id is not null
                and (refused is not null or not is_overdue or stays)
            group by assignment_id
        ),
        after_assignments as materialized (
            select
                base.*,
                case
                    when not base.is_overdue then 'not due'
                    when base.refused is not null then base.refused
                    when base.is_assignment and assignments_kept.assignment_id is not null
                        then 'its assignment has records that stay'
                end as waits
            from base
            left join assignments_kept on base.assignment_id = assignments_kept.assignment_id
        ),
        leads_kept as (
            select case_id, rule_id, anchor_on from after_assignments
            where is_lead and waits is not null
            group by case_id, rule_id, anchor_on
        ),
        after_leads as materialized (
            select
                after_assignments.*,
                case
                    when after_assignments.waits is not null then after_assignments.waits
                    when after_assignments.is_lead and leads_kept.case_id is not null
                        then 'another lead of the same hand-over stays'
                end as waits_now
            from after_assignments
            left join leads_kept
                on after_assignments.case_id = leads_kept.case_id
                and after_assignments.rule_id = leads_kept.rule_id
                and after_assignments.anchor_on = leads_kept.anchor_on
        ),
        cases_kept as (
            select case_id from after_leads
            where keeps is not null and (waits_now is not null or stays)
            group by case_id
        )
        select
            after_leads.source_schema,
            after_leads.source_table,
            after_leads.record_key,
            after_leads.case_id,
            after_leads.assignment_id,
            after_leads.subject_token,
            after_leads.fingerprint,
            after_leads.category,
            after_leads.rule_id,
            after_leads.disposition,
            after_leads.anchor_on,
            after_leads.due_on,
            after_leads.position,
            case
                when after_leads.waits_now is not null then after_leads.waits_now
                when after_leads.is_anchor and cases_kept.case_id is not null
                    then 'other records stand on what it shows'
            end as waits_for
        from after_leads
        left join cases_kept on after_leads.case_id = cases_kept.case_id
        where after_leads.is_overdue
    $sql$,
        ' intermediate.', ' intermediate' || suffix || '.'), ' retention.', ' retention' || suffix || '.'),
        ' policy.', ' policy' || suffix || '.'), '/*candidates*/', candidates), '/*scope*/', reach)
    using tables, as_of, plan, first_item, last_item, plannable.scope, ahead;
end
$$;

grant execute on function ledger.plannable to retention_purger;

reset role;
