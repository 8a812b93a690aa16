-- The life of the keys: which are in use, what needs them, which were destroyed. Ids alone, no key.
set local role retention_owner;

-- What would be matched no more, or not carried out, without an HMAC key. Counts all there is: for who asks.
create or replace view ledger.hmac_key_needs as
select
    key_id,
    sum(tombstones)::bigint as tombstones,
    sum(column_tombstones)::bigint as column_tombstones,
    sum(open_plans)::bigint as open_plans,
    sum(suppressions)::bigint as suppressions,
    sum(rectifications)::bigint as rectifications
from (
    select
        key_id, count(*) as tombstones, 0 as column_tombstones, 0 as open_plans, 0 as suppressions,
        0 as rectifications
    from ledger.tombstones
    group by key_id
    union all
    select key_id, 0, count(*), 0, 0, 0 from ledger.column_tombstones group by key_id
    union all
    select key_id, 0, 0, count(*), 0, 0 from ledger.plans where state in ('proposed', 'approved', 'executing')
    group by key_id
    union all
    select key_id, 0, 0, 0, count(*), 0 from ledger.suppressions group by key_id
    union all
    select key_id, 0, 0, 0, 0, count(*) from ledger.rectifications where fingerprint is not null group by key_id
) as needing
group by key_id;
comment on view ledger.hmac_key_needs is 'What each HMAC key is needed for, counted.';

-- The HMAC keys that something was written under and that were not destroyed. A tombstone bears the key of
-- its plan, so that plans are read here and not every tombstone.
create or replace function ledger.hmac_keys_needed() returns setof text
language sql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    (
        select p.key_id
        from ledger.plans as p
        where
            exists (select from ledger.tombstones as t where t.plan_id = p.plan_id)
            or exists (select from ledger.column_tombstones as c where c.plan_id = p.plan_id)
        union
        select s.key_id from ledger.suppressions as s
        union
        select r.key_id from ledger.rectifications as r where r.fingerprint is not null
    )
    except
    select k.key_id from ledger.keys as k where k.kind = 'hmac' and k.destroyed_at is not null
$$;

-- Whatever writes under a key says so first. The first time is evidence: the first key of its kind, or a
-- rotation from the one before. True where it is the first time.
create or replace function ledger.use_key(kind text, key_id text, public_key bytea default null) returns boolean
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    known ledger.keys;
    before text;
begin
    select * into known from ledger.keys as k where k.kind = use_key.kind and k.key_id = use_key.key_id;
    if known.destroyed_at is not null then
        raise exception using errcode = 'SL003', message = format(
            'the %s key %s was destroyed on %s: make a new one', use_key.kind, use_key.key_id,
            known.destroyed_at::date
        );
    end if;
    if known.key_id is not null then
        return false;
    end if;
    select k.key_id into before from ledger.keys as k where k.kind = use_key.kind
    order by k.in_use_since desc limit 1;
    insert into ledger.keys (kind, key_id, public_key)
    values (use_key.kind, use_key.key_id, use_key.public_key) on conflict do nothing;
    if not found then
        return false;
    end if;
    perform ledger.append('key', jsonb_strip_nulls(jsonb_build_object(
        'key', use_key.kind, 'key_id', use_key.key_id, 'before', before, 'by', session_user,
        'event', case when before is null then 'taken_into_use' else 'rotated' end,
        'public_key', encode(use_key.public_key, 'hex')
    )));
    return true;
end
$$;

-- Records that a key is destroyed: nothing waits for it any more. The evidence says how much is matched no
-- more, and not the words of the reason, which may name somebody.
create or replace function ledger.destroy_key(kind text, key_id text, reason text, although_needed boolean)
returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    known ledger.keys;
    needs ledger.hmac_key_needs;
begin
    if not ledger.is_member(session_user, 'retention_approver') then
        raise exception using errcode = 'SL003',
        message = 'this login may not destroy a key: an approver does (have retention_approver granted to one)';
    end if;
    if coalesce(btrim(destroy_key.reason), '') = '' then
        raise exception using errcode = 'SL002', message = 'destroying a key needs a reason: give one';
    end if;
    select * into known from ledger.keys as k
    where k.kind = destroy_key.kind and k.key_id = destroy_key.key_id for update;
    if not found then
        raise exception using errcode = 'SL002',
        message = 'there is no such key: `retention keys list` shows them';
    end if;
    if known.destroyed_at is not null then
        raise exception using errcode = 'SL003',
        message = format('the key was destroyed on %s', known.destroyed_at::date);
    end if;
    if known.kind = 'hmac' then
        select * into needs from ledger.hmac_key_needs as n where n.key_id = known.key_id;
    end if;
    if needs.open_plans > 0 then
        raise exception using errcode = 'SL003',
        message = 'an open plan was frozen with that key: carry it out or reject it first';
    end if;
    if needs.tombstones + needs.column_tombstones + needs.suppressions + needs.rectifications > 0 and not destroy_key.although_needed then
        raise exception using errcode = 'SL003', message = format(
            'the key is needed: without it %s tombstones and %s suppressions match nothing, and what comes back is'
            ' taken for new; give --although-needed to do it nevertheless',
            needs.tombstones + needs.column_tombstones, needs.suppressions
        );
    end if;
    update ledger.keys as k
    set destroyed_at = now(), destroyed_by = session_user, destroy_reason = destroy_key.reason
    where k.kind = known.kind and k.key_id = known.key_id;
    perform ledger.append('key', jsonb_build_object(
        'key', known.kind, 'key_id', known.key_id, 'event', 'destroyed', 'by', session_user,
        'tombstones', coalesce(needs.tombstones, 0), 'column_tombstones', coalesce(needs.column_tombstones, 0),
        'suppressions', coalesce(needs.suppressions, 0)
    ));
end
$$;

create or replace view ledger.audit_keys as
select kind, key_id, public_key, in_use_since, destroyed_at, destroyed_by from ledger.keys;
comment on view ledger.audit_keys is 'Which keys were used since when, and which were destroyed; no key but public ones.';

grant select on ledger.audit_keys to retention_auditor;
grant select on ledger.hmac_key_needs to retention_reader;
grant execute on function ledger.hmac_keys_needed to retention_reader;
grant execute on function ledger.use_key to retention_classifier, retention_planner, retention_purger;
-- Who may not destroy a key may ask, to be told so.
grant execute on function ledger.destroy_key to retention_approver, retention_planner, retention_purger;

reset role;
