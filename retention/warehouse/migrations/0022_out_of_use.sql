-- Who reads landing, and who does not: locked and restricted records serve nothing (§ 8, GDPR art. 18).
--
-- Until now every role read everything. From here on landing is read by the engine's own services alone: the
-- classifier, the purger, the owner of the delete path and, for read-backs and scans, the examiner. People's roles
-- read what is said of records, never their values.
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'retention_examiner') then
        begin
            create role retention_examiner nologin;
        exception
            when duplicate_object or unique_violation then
                raise notice 'role retention_examiner was created by someone else meanwhile';
        end;
    end if;
end
$$;

-- The one grant that opens landing, and who has a part in it. What this login may not hand out is said.
do $$
declare
    wanted record;
begin
    for wanted in
        select * from (
            values
            ('pg_read_all_data', 'retention_examiner'),
            ('retention_reader', 'retention_examiner'),
            ('retention_examiner', 'retention_classifier'),
            ('retention_examiner', 'retention_purger'),
            ('retention_examiner', 'retention_owner')
        ) as grants (granted, member)
    loop
        if not pg_catalog.pg_has_role(wanted.member, wanted.granted, 'member') then
            begin
                execute format('grant %I to %I', wanted.granted, wanted.member);
            exception
                when unique_violation then
                    raise notice '% was granted % meanwhile', wanted.member, wanted.granted;
                when insufficient_privilege then
                    raise warning 'have an administrator run: grant % to %', wanted.granted, wanted.member;
            end;
        end if;
    end loop;
end
$$;

-- The reader reads everything no more. From PostgreSQL 16 on a grant is taken back for whoever gave it.
do $$
declare
    given record;
begin
    for given in
        select pg_get_userbyid(m.grantor) as grantor
        from pg_catalog.pg_auth_members as m
        where m.roleid = 'pg_read_all_data'::regrole and m.member = 'retention_reader'::regrole
    loop
        begin
            execute format('revoke pg_read_all_data from retention_reader granted by %I', given.grantor);
        exception
            when insufficient_privilege then
                raise warning 'have an administrator run: revoke pg_read_all_data from retention_reader';
        end;
    end loop;
end
$$;

-- What a reader reads of the ledger: plans, evidence, catalogue. Not who is who (subject_tokens, link_salt), nor
-- what a record is blocked for (blockers, guards), nor what was decided or kept of it: functions and views show
-- of those what may be shown.
grant select on
ledger.migrations, ledger.functions_applied, ledger.classifications, ledger.plans, ledger.plan_items,
ledger.plan_keys, ledger.tombstones, ledger.column_tombstones, ledger.entries, ledger.log, ledger.unsequenced,
ledger.leaves, ledger.tree_nodes, ledger.checkpoints, ledger.deltas_gone, ledger.halts, ledger.control_runs,
ledger.compactions, ledger.compacted_tables, ledger.keys, ledger.replays, ledger.tables_gone, ledger.suppressions
to retention_reader;

-- dbt makes these anew and grants them itself (`readable_to_people`); here for what a build before left.
alter default privileges for role retention_classifier grant usage on schemas to retention_reader;
do $$
declare
    built record;
begin
    for built in
        select format('schema %I', n.nspname) as named, 'usage' as granted
        from pg_catalog.pg_namespace as n
        where n.nspname ~ '^(policy|intermediate|retention)(_as_of_\d{8})?$'
        union all
        select format('%I.%I', n.nspname, c.relname), 'select'
        from pg_catalog.pg_class as c inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
        where
            c.relkind in ('r', 'v')
            and (
                n.nspname ~ '^policy(_as_of_\d{8})?$'
                or n.nspname ~ '^intermediate(_as_of_\d{8})?$' and c.relname = 'int_clock'
                or n.nspname ~ '^retention(_as_of_\d{8})?$' and c.relname in (
                    'grounds', 'plan_checks', 'population_checks', 'record_checks', 'records', 'review_queue', 'summary'
                )
            )
    loop
        execute format('grant %s on %s to retention_reader', built.granted, built.named);
    end loop;
end
$$;

set local role retention_owner;

create table ledger.restriction_notices (
    notice_id uuid primary key default gen_random_uuid(),
    blocker_id uuid not null references ledger.blockers,
    told_on date not null,
    how text not null check (btrim(how) <> ''),
    told_by text not null default session_user,
    logged_at timestamptz not null default now(),
    logged_in xid8 not null default pg_current_xact_id()
);
create index on ledger.restriction_notices (blocker_id);
comment on table ledger.restriction_notices is
'That a person was told before the restriction of their data is lifted (GDPR art. 18(3)).';
comment on column ledger.restriction_notices.logged_in is
'The transaction that wrote it; in that one nothing is lifted.';

-- `create or replace` keeps the grants that a function has. The files of ../functions, which follow, grant anew.
revoke execute on all functions in schema ledger from retention_reader;

reset role;

grant select on ledger.restriction_notices to retention_rights_officer, retention_purger;
