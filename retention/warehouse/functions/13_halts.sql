-- The kill switch: one for everything that deletes.
set local role retention_owner;

-- Why nothing destructive may begin now, without the reason that was given (it stays out of the evidence);
-- null where nothing is halted. Everything that deletes asks, behind the lock that it holds while it does.
create or replace function ledger.halt_objection() returns text
language sql stable
set search_path = pg_catalog, ledger, pg_temp as $$
    select
        'everything that deletes was halted by ' || h.halted_by || ' at '
        || to_char(h.halted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"')
    from ledger.halts as h
    where h.resumed_at is null
$$;

create or replace function ledger.halt(reason text) returns ledger.halts
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    placed ledger.halts;
begin
    if coalesce(btrim(halt.reason), '') = '' then
        raise exception using errcode = 'SL002', message = 'a halt needs a reason: give one';
    end if;
    insert into ledger.halts (reason) values (halt.reason) on conflict do nothing returning * into placed;
    if placed.halt_id is null then
        raise exception using errcode = 'SL003', message = coalesce(
            ledger.halt_objection() || ' already: an approver ends that with `retention resume`',
            'somebody halted and resumed at this moment: try again'
        );
    end if;
    perform ledger.append('halt', jsonb_build_object(
        'halt_id', placed.halt_id, 'by', session_user
    ));
    return placed;
end
$$;

-- Anybody with a role may stop everything in haste; that it goes on is an approver's decision.
create or replace function ledger.resume(reason text) returns ledger.halts
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    ended ledger.halts;
begin
    if not ledger.is_member(session_user, 'retention_approver') then
        raise exception using errcode = 'SL003',
        message = 'this login may not resume: an approver does (have retention_approver granted to one)';
    end if;
    if coalesce(btrim(resume.reason), '') = '' then
        raise exception using errcode = 'SL002', message = 'resuming needs a reason: give one';
    end if;
    update ledger.halts as h
    set resumed_at = now(), resumed_by = session_user, resume_reason = resume.reason
    where h.resumed_at is null
    returning * into ended;
    if not found then
        raise exception using errcode = 'SL003', message = 'nothing is halted: there is nothing to resume';
    end if;
    perform ledger.append('resume', jsonb_build_object(
        'halt_id', ended.halt_id, 'by', session_user
    ));
    return ended;
end
$$;

-- Whoever works may stop the work; who may not resume may ask, to be told so.
grant execute on function ledger.halt, ledger.resume
to retention_classifier, retention_planner, retention_approver, retention_purger;
grant execute on function ledger.halt_objection to retention_reader, retention_approver, retention_purger;

reset role;
