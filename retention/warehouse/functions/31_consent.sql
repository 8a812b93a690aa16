-- Withdrawn consents: the decision per record, and what is remembered when a partner's id becomes null. The names of
-- the engine's own rules and column groups stand here, no period and no purpose.
set local role retention_owner;

-- Decides on every record that holds what a withdrawn consent allowed (intermediate.int_withdrawn_records), in one
-- statement a side. The policy's section `consent_withdrawal` approves; where nobody approved it, nothing is
-- decided. A decision that stands no more (the consent was given again, nothing is held any more) forgets its
-- record. Where a withdrawal stops the sharing, it decides on no record. Returns how many decisions are new.
create or replace function ledger.decide_withdrawals() returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    decided bigint;
    ended bigint;
    told_of uuid[];
begin
    with ended_now as (
        update ledger.erasure_decisions as d set record_key = null
        where
            d.basis = 'withdrawal' and d.record_key is not null
            and not exists (
                select from intermediate.int_withdrawn_records as w
                where
                    w.is_approved and w.source_schema = d.source_schema and w.source_table = d.source_table
                    and w.record_key = d.record_key
                    and string_to_array(w.consented_columns, ' ') = d.columns
            )
        returning 1
    )
    select count(*) into ended from ended_now;

    with decided_now as (
        insert into ledger.erasure_decisions (
            basis, request_id, source_schema, source_table, record_key, outcome, columns
        )
        select distinct on (w.source_schema, w.source_table, w.record_key)
            'withdrawal', w.request_id, w.source_schema, w.source_table, w.record_key, 'erase',
            string_to_array(w.consented_columns, ' ')
        from intermediate.int_withdrawn_records as w
        where w.is_approved
        order by w.source_schema, w.source_table, w.record_key, w.withdrawn_on
        on conflict (source_schema, source_table, record_key)
        where basis = 'withdrawal' and record_key is not null do nothing
        returning coalesce(request_id, decision_id) as occasion_id
    )
    select count(*), array_agg(distinct occasion_id) into decided, told_of from decided_now;

    if decided > 0 or ended > 0 then
        perform ledger.append('withdrawals', jsonb_build_object(
            'decided', decided, 'ended', ended, 'by', session_user
        ));
    end if;
    if decided > 0 then
        perform ledger.notify('withdrawal', told_of);
    end if;
    -- A withdrawal that landed stops the sharing back by itself; the register has it as answered, and the partners
    -- are told.
    with stopped as (
        insert into ledger.requests (
            asserted, state, received_on, answer_by, subject_token, purpose, closed_as, closed_by, closed_at
        )
        select
            'withdrawal', 'closed', c.withdrawn_on, c.withdrawn_on + 1, c.subject_token, c.purpose, 'answered',
            session_user, now()
        from intermediate.int_consents_decided as c
        inner join policy.policy_consent_purposes as p on c.purpose = p.purpose and p.on_withdrawal = 'stop'
        where
            c.is_withdrawn and not exists (
                select from ledger.requests as known
                where
                    known.asserted = 'withdrawal' and known.subject_token = c.subject_token
                    and known.purpose = c.purpose and known.received_on >= c.withdrawn_on
            )
        returning request_id
    )
    select array_agg(request_id) into told_of from stopped;
    if told_of is not null then
        perform ledger.attest_requests(told_of);
        perform ledger.notify('sharing_stopped', told_of);
    end if;
    -- A request is carried out when nothing of what its consent allowed is left; it was heeded by the models that
    -- found nothing.
    perform ledger.carry_out_requests(array(
        select r.request_id
        from ledger.requests as r
        inner join intermediate.int_consents_decided as c
            on r.subject_token = c.subject_token and r.purpose = c.purpose and c.withdrawn_at is not null
        inner join policy.policy_consent_purposes as p on r.purpose = p.purpose and p.on_withdrawal = 'erase'
        where
            r.asserted = 'withdrawal' and r.state = 'decided' and r.outcome is distinct from 'refused'
            and sletteplikt.local_date(c.withdrawn_at) >= r.received_on
            and not exists (
                select from intermediate.int_withdrawn_records as w
                inner join intermediate.int_record_cases as cases using (source_schema, source_table, record_key)
                where w.purpose = r.purpose and cases.subject_token = r.subject_token
            )
    ));
    return decided;
end
$$;

-- What the models must still know of leads and hand-overs whose partner becomes null in this transaction: comes
-- before the null. What was remembered before stays: a sync that restores the id brings no newer day.
create or replace function ledger.remember_partner(
    plan uuid, first_item bigint, last_item bigint, source_schema text, source_table text
) returns void
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    insert into ledger.received_via_partner (
        source_schema, source_table, record_key, received_on, instruction_period
    )
    select i.source_schema, i.source_table, i.record_key, leads.anchor_on, handed.instruction_period
    from ledger.plan_items as i
    inner join intermediate.int_record_cases as cases using (source_schema, source_table, record_key)
    inner join intermediate.int_records_unioned as facts using (row_id)
    left join intermediate.int_leads_decided as leads
        on cases.row_id = leads.row_id and not leads.is_registration
    left join intermediate.int_handovers_decided as handed
        on cases.subject_id = handed.subject_id and facts.handover_at = handed.referred_at
    where
        i.plan_id = remember_partner.plan and i.item_no between first_item and last_item
        and i.state = 'planned' and i.disposition = 'minimise' and i.rule_id = 'CONSENT'
        and i.source_schema = remember_partner.source_schema and i.source_table = remember_partner.source_table
        and facts.partner_key is not null
    on conflict do nothing;
end
$$;

-- Objections that are decided and wait for their contact points to be suppressed.
create or replace function ledger.objections_decided() returns table (request_id uuid, subject_token uuid)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    return query
        select r.request_id, r.subject_token
        from ledger.requests as r
        where
            r.asserted = 'objection' and r.state = 'decided' and r.subject_token is not null
            and r.outcome is distinct from 'refused';
end
$$;

-- Their contact points are suppressed: the same transaction says that they are carried out.
create or replace function ledger.end_objections(request_ids uuid[]) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    perform ledger.carry_out_requests(array(
        select o.request_id from ledger.objections_decided() as o
        where o.request_id = any(end_objections.request_ids)
    ));
end
$$;

-- What withdrawals stand on records, by table: how many, how many of them are blocked, and how many of the others are
-- past the last of the days that a withdrawal may take.
create or replace function ledger.withdrawals_standing(months integer, days integer)
returns table (qualified text, records bigint, blocked bigint, late bigint)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if to_regclass('intermediate.int_withdrawn_records') is null then
        return;
    end if;
    return query
        select
            w.source_schema || '.' || w.source_table, count(*),
            count(*) filter (where r.status in ('held', 'restricted', 'locked')),
            count(*) filter (
                where r.status not in ('held', 'restricted', 'locked')
                and ledger.today() > sletteplikt.last_day(w.withdrawn_on, withdrawals_standing.months, withdrawals_standing.days)
            )
        from intermediate.int_withdrawn_records as w
        inner join retention.records as r using (source_schema, source_table, record_key)
        group by w.source_schema, w.source_table
        order by w.source_schema, w.source_table;
end
$$;

-- The outcome of comparing marketing models with the suppression list: counts and names of models.
create or replace function ledger.record_marketing_check(models integer, found jsonb) returns bigint
language sql security definer
set search_path = pg_catalog, ledger, pg_temp
return ledger.append('check', jsonb_build_object(
    'check', 'nobody_objected_in_marketing', 'models', models, 'found', found, 'by', session_user
));

grant execute on function ledger.withdrawals_standing to retention_reader;
grant execute on function ledger.record_marketing_check to retention_examiner;
grant execute on function ledger.decide_withdrawals, ledger.objections_decided, ledger.end_objections
to retention_classifier;

reset role;
