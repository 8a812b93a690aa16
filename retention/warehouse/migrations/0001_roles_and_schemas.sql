-- Group roles, our own two schemas and the record of what was migrated.
--
-- Roles belong to the whole server while the migration lock is per database, so another database's
-- migration may create the same role at the same moment: each statement tolerates that and nothing else.
do $$
declare
    group_role text;
begin
    foreach group_role in array array[
        'retention_owner', 'retention_reader', 'retention_approver', 'retention_purger'
    ]
    loop
        if not exists (select from pg_catalog.pg_roles where rolname = group_role) then
            begin
                execute format('create role %I nologin', group_role);
            exception
                when duplicate_object or unique_violation then
                    raise notice 'role % was created by someone else meanwhile', group_role;
            end;
        end if;
    end loop;
end
$$;

-- The reader reads everything and writes nothing. pg_read_all_data covers tables that dbt rebuilds,
-- which a grant on today's tables would not. A login without the right to hand it out leaves it to the
-- administrator, and says so.
do $$
begin
    if not pg_catalog.pg_has_role('retention_reader', 'pg_read_all_data', 'member') then
        begin
            grant pg_read_all_data to retention_reader;
        exception
            when unique_violation then
                raise notice 'retention_reader was granted pg_read_all_data meanwhile';
            when insufficient_privilege then
                raise warning 'have an administrator run: grant pg_read_all_data to retention_reader';
        end;
    end if;
end
$$;

-- A schema can be given only to a role one may become; a superuser may become every role. From
-- PostgreSQL 16 on, having created a role does not bring that right with it.
do $$
declare
    right_to_become text := case
        when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member'
    end;
begin
    if not pg_catalog.pg_has_role(current_user, 'retention_owner', right_to_become) then
        execute format('grant retention_owner to %I', current_user);
    end if;
end
$$;

create schema ledger authorization retention_owner;
create schema sletteplikt authorization retention_owner;

comment on schema ledger is 'What dbt never builds: holds, plans, approvals, tombstones, evidence.';
comment on schema sletteplikt is 'Immutable SQL functions that the models use.';

-- Which functions and tables a role may use is granted one by one where they are made.
grant usage on schema ledger to retention_reader, retention_approver, retention_purger;
-- Every login that reads a model calls these; they hold no data.
grant usage on schema sletteplikt to public;

-- Who may call a function of the ledger is said where it is made; without this, everybody might.
alter default privileges for role retention_owner revoke execute on functions from public;

create table ledger.migrations (
    version integer primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
);
alter table ledger.migrations owner to retention_owner;

comment on table ledger.migrations is 'The numbered SQL files applied to this database.';

create table ledger.functions_applied (
    only_row boolean primary key default true check (only_row),
    checksum text not null,
    applied_at timestamptz not null default now()
);
alter table ledger.functions_applied owner to retention_owner;

comment on table ledger.functions_applied is 'Which text of the functions this database has.';
