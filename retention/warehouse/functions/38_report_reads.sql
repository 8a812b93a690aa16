-- What the retention report counts of tables that people's roles do not read: decisions on records and consents.
-- Counts, purposes of the policy and names of laws; no key, no token, nobody's words.
set local role retention_owner;

-- What was decided on records until a day, by what asked for it; everything where no day is given.
create or replace function ledger.decisions_counted(until date) returns table (
    basis text, outcome text, law text, decided bigint, carried_out bigint
)
language sql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
    select
        d.basis, d.outcome, d.law, count(*),
        count(*) filter (
            where d.carried_out_at is not null
            and (until is null or sletteplikt.local_date(d.carried_out_at) <= until)
        )
    from ledger.erasure_decisions as d
    where until is null or sletteplikt.local_date(d.decided_at) <= until
    group by d.basis, d.outcome, d.law
$$;

-- Persons' consents as the models see them, by purpose. `suffix` names a replay. None where the models were never
-- built.
create or replace function ledger.consents_counted(suffix text) returns table (
    purpose text, in_force bigint, withdrawn bigint, last_withdrawn_on date
)
language plpgsql stable security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if consents_counted.suffix !~ '^(_as_of_\d{8})?$' or not exists (
        select from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
        where
            n.nspname = 'intermediate' || consents_counted.suffix and c.relname = 'int_consents_decided'
            and c.relkind = 'r' and not c.relrowsecurity and c.relowner = 'retention_classifier'::regrole
    ) then
        return;
    end if;
    return query execute format(
        'select c.purpose, count(*) filter (where not c.is_withdrawn), count(*) filter (where c.is_withdrawn),'
        ' max(c.withdrawn_on) filter (where c.is_withdrawn) from %I.int_consents_decided as c group by c.purpose',
        'intermediate' || consents_counted.suffix
    );
end
$$;

grant execute on function ledger.decisions_counted, ledger.consents_counted to retention_reader;

reset role;
