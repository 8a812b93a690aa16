-- How a blocker goes on or ends: confirmed beyond its day, or released, with R4 beginning anew or not.
set local role retention_owner;

-- The last day that was expected when a hold was placed has passed, or will: it stands until a later one.
create or replace function ledger.confirm_blocker(blocker_id uuid, until_on date, reason text) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    blocker ledger.blockers := ledger.standing_blocker(confirm_blocker.blocker_id);
begin
    if coalesce(btrim(confirm_blocker.reason), '') = '' then
        raise exception using errcode = 'SL002', message = 'a confirmation needs a reason';
    end if;
    if blocker.kind = 'lock' then
        raise exception using errcode = 'SL002',
        message = 'a lock ends with its hindrance: where that lasts longer, place another lock';
    end if;
    if coalesce(confirm_blocker.until_on < ledger.today(), true) then
        raise exception using errcode = 'SL002', message = 'confirm it until a day that has not passed';
    end if;
    if confirm_blocker.until_on <= blocker.until_on then
        raise exception using errcode = 'SL002',
        message = 'it stands until ' || blocker.until_on || ' already: give a later day';
    end if;
    insert into ledger.blocker_confirmations (blocker_id, until_before, until_on, reason)
    values (blocker.blocker_id, blocker.until_on, confirm_blocker.until_on, confirm_blocker.reason);
    update ledger.blockers as b
    set until_on = confirm_blocker.until_on
    where b.blocker_id = blocker.blocker_id;
    perform ledger.append('blocker_confirmed', jsonb_build_object(
        'blocker_id', blocker.blocker_id, 'kind', blocker.kind, 'scope', blocker.scope,
        'until_before', blocker.until_on, 'until_on', confirm_blocker.until_on,
        'confirmed_by', session_user
    ));
end
$$;

-- The blocker, locked against whoever else would confirm or release it.
create or replace function ledger.standing_blocker(blocker_id uuid) returns ledger.blockers
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    blocker ledger.blockers;
begin
    select * into blocker from ledger.blockers as b
    where b.blocker_id = standing_blocker.blocker_id for update;
    if not found then
        raise exception using errcode = 'SL002', message = 'there is no such blocker: `retention hold list` shows them';
    end if;
    if blocker.released_at is not null then
        raise exception using errcode = 'SL003', message = 'it was released before';
    end if;
    return blocker;
end
$$;

-- Releases a blocker; returns for how many assignments the period of R4 begins anew. Nothing begins anew
-- unless the claim was acknowledged and the law that says so is cited (requirements § 2, R4).
create or replace function ledger.release_blocker(
    blocker_id uuid, restart_law text default null, restart_on date default null
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    blocker ledger.blockers := ledger.standing_blocker(release_blocker.blocker_id);
    restarted bigint := 0;
begin
    if exists (select from ledger.requests as r where r.hold_id = blocker.blocker_id) then
        raise exception using errcode = 'SL003',
        message = 'a request holds the person: decide or close that, `retention request list` shows it';
    end if;
    if release_blocker.restart_law is not null or release_blocker.restart_on is not null then
        restarted := ledger.restart_assignments(blocker, release_blocker.restart_law, release_blocker.restart_on);
    end if;
    perform ledger.refuse_untold(blocker);
    if blocker.guard_lifted_at is null then
        perform ledger.lift_guard(blocker);
    end if;
    update ledger.blockers as b
    set released_at = now(), released_by = session_user
    where b.blocker_id = release_blocker.blocker_id;
    perform ledger.append('blocker_released', jsonb_build_object(
        'blocker_id', blocker.blocker_id, 'kind', blocker.kind, 'scope', blocker.scope,
        'released_by', session_user,
        'restarted_on', release_blocker.restart_on, 'restarted_assignments', restarted
    ));
    return restarted;
end
$$;

-- Writes down that R4 begins anew for the assignment that was held, or for each of the person's that is
-- completed. Which records that keeps is found out by the next classification; until then nothing of these
-- assignments and their persons is purged (`ledger.plannable`). Their guards are locked first, in the order
-- in which a batch locks them: one of the two waits for the other, and neither for both.
create or replace function ledger.restart_assignments(blocker ledger.blockers, law text, restart_on date)
returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    guarded text[];
    restarted bigint := 0;
begin
    if blocker.kind <> 'hold' or blocker.scope not in ('subject', 'assignment') then
        raise exception using errcode = 'SL002',
        message = 'only the release of a hold on an assignment or a person begins R4 anew';
    end if;
    if coalesce(btrim(restart_assignments.law), '') = '' or restart_assignments.restart_on is null then
        raise exception using errcode = 'SL002',
        message = 'R4 begins anew on a day and by a law: give both';
    end if;
    if restart_assignments.restart_on > ledger.today() then
        raise exception using errcode = 'SL002', message = 'a claim is not acknowledged on a day to come';
    end if;
    if to_regclass('intermediate.int_assignments_decided') is not null then
        insert into ledger.assignment_restarts (blocker_id, assignment_id, restarted_on, law)
        select blocker.blocker_id, decided.assignment_id, restart_assignments.restart_on, restart_assignments.law
        from intermediate.int_assignments_decided as decided
        left join ledger.subject_tokens as tokens on decided.subject_id = tokens.subject_id
        where
            decided.anchor_on is not null
            and blocker.target = case blocker.scope
                when 'assignment' then decided.assignment_id else tokens.subject_token::text
            end;
        get diagnostics restarted = row_count;
    end if;
    if restarted = 0 then
        raise exception using errcode = 'SL002',
        message = 'no completed assignment is held by it: release it without beginning R4 anew';
    end if;

    select array_agg(distinct guard_key) into guarded
    from (
        select 'assignment:' || decided.assignment_id as guard_key
        from intermediate.int_assignments_decided as decided
        inner join ledger.assignment_restarts as restarts
            on decided.assignment_id = restarts.assignment_id and restarts.blocker_id = blocker.blocker_id
        union all
        select 'subject:' || tokens.subject_token::text
        from intermediate.int_assignments_decided as decided
        inner join ledger.assignment_restarts as restarts
            on decided.assignment_id = restarts.assignment_id and restarts.blocker_id = blocker.blocker_id
        inner join ledger.subject_tokens as tokens on decided.subject_id = tokens.subject_id
    ) as keys;
    insert into ledger.guards (guard_key) select unnest(guarded) order by 1 on conflict do nothing;
    perform from ledger.guards as g where g.guard_key = any(guarded) order by g.guard_key for update;
    return restarted;
end
$$;

grant execute on function ledger.confirm_blocker, ledger.release_blocker
to retention_approver, retention_planner;

reset role;
