-- A role for each kind of work, with the rights of that work and no others.
--
-- classifier: builds the models, which belong to it. planner: freezes plans. approver: as before. purger: deletes
-- what a plan holds. compactor: maintenance by the owner of the tables; nothing of the ledger. auditor: views
-- without values. Who holds more than one of them is the administrator's decision.
do $$
declare
    group_role text;
begin
    foreach group_role in array array[
        'retention_classifier', 'retention_planner', 'retention_compactor', 'retention_auditor'
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

-- These three read what the reader reads.
do $$
declare
    group_role text;
begin
    foreach group_role in array array['retention_classifier', 'retention_planner', 'retention_purger']
    loop
        if not pg_catalog.pg_has_role(group_role, 'retention_reader', 'member') then
            begin
                execute format('grant retention_reader to %I', group_role);
            exception
                when unique_violation then
                    raise notice '% was granted retention_reader meanwhile', group_role;
                when insufficient_privilege then
                    raise warning 'have an administrator run: grant retention_reader to %', group_role;
            end;
        end if;
    end loop;
end
$$;

-- To hand the models over, and to say what the classifier's tables are born with, one must be able to become it.
do $$
declare
    right_to_become text := case
        when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member'
    end;
begin
    if not pg_catalog.pg_has_role(current_user, 'retention_classifier', right_to_become) then
        execute format('grant retention_classifier to %I', current_user);
    end if;
exception
    when insufficient_privilege then
        raise exception using errcode = 'SL003', message = format(
            'this login may not hand over the models: have an administrator run: grant retention_classifier to %I',
            current_user
        );
end
$$;

grant usage on schema ledger to retention_classifier, retention_planner, retention_auditor;
revoke all on schema sletteplikt from public;
grant usage on schema sletteplikt to retention_reader, retention_approver, retention_purger;

-- What the classifier builds, the purge removes rows from: dbt makes these tables anew, so each is born with it.
alter default privileges for role retention_classifier grant usage on schemas to retention_purger;
alter default privileges for role retention_classifier grant select, update, delete on tables to retention_purger;

-- Models that another login built before. What that login alone can hand over, it is asked for.
do $$
declare
    built record;
begin
    for built in
        select format('schema %I', n.nspname) as named, pg_get_userbyid(n.nspowner) as owner, 1 as step
        from pg_catalog.pg_namespace as n
        where n.nspname ~ '^(policy|staging|intermediate|retention)(_as_of_\d{8})?$'
        and n.nspowner <> 'retention_classifier'::regrole
        union all
        select
            format(
                '%s %I.%I', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end,
                n.nspname, c.relname
            ),
            pg_get_userbyid(c.relowner), 2
        from pg_catalog.pg_class as c inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
        where n.nspname ~ '^(policy|staging|intermediate|retention)(_as_of_\d{8})?$'
        and c.relkind in ('r', 'p', 'v', 'm') and c.relowner <> 'retention_classifier'::regrole
        order by step
    loop
        if not pg_catalog.pg_has_role(current_user, built.owner, 'usage') then
            raise exception using errcode = 'SL003', message = format(
                '%s belongs to %s: have it run `alter %s owner to retention_classifier`, or drop it; models belong to'
                ' that role', built.named, built.owner, built.named
            );
        end if;
        -- The new owner of a table must be able to make one in its schema; the schemas come first.
        execute format('alter %s owner to retention_classifier', built.named);
        if built.step = 1 then
            execute format('grant usage on %s to retention_purger', built.named);
        elsif built.named like 'table %' then
            execute format('grant select, update, delete on %s to retention_purger', built.named);
        end if;
    end loop;
end
$$;

-- PostgreSQL lets only those lock a row for update who may write a column of it. This one says nothing: the
-- purger, which locks guards, may write no other, and so lifts none.
set local role retention_owner;
alter table ledger.guards add column lock_right boolean;
comment on column ledger.guards.lock_right is
'Never written. The right to write it is the purger''s right to lock a guard for update.';
reset role;
revoke update (blockers) on ledger.guards from retention_purger;
grant update (lock_right) on ledger.guards to retention_purger;

-- What is deleted by which key: frozen with the plan, so that no purge says it anew.
set local role retention_owner;
create table ledger.plan_keys (
    plan_id uuid not null references ledger.plans,
    source_schema text not null,
    source_table text not null,
    columns text[] not null check (cardinality(columns) > 0),
    is_personal boolean not null,
    minimisable text[] not null,
    primary key (plan_id, source_schema, source_table),
    check (not is_personal or cardinality(columns) = 1)
);
comment on table ledger.plan_keys is
'The key columns of the tables in a plan, and those that may become null, as declared when it was frozen.';
reset role;
grant select on ledger.plan_keys to retention_purger;

-- Landing is changed by ledger.delete_landing and ledger.minimise_landing, which write all of this.
revoke insert on ledger.tombstones, ledger.column_tombstones from retention_purger;
revoke update (record_key, case_id, subject_token, guard_keys) on ledger.plan_items from retention_purger;

-- The look for what came back is a part of the classification.
grant select, insert, update, delete on ledger.returned_records, ledger.returns_looked_for
to retention_classifier;
revoke insert, update on ledger.returned_records from retention_purger;
revoke insert, update, delete on ledger.returns_looked_for from retention_purger;
grant select, insert on ledger.suppressions to retention_classifier;

-- `create or replace` keeps the grants that a function has. The files of ../functions, which follow, grant anew.
set local role retention_owner;
revoke execute on all functions in schema ledger from retention_approver, retention_purger, retention_reader;
reset role;
