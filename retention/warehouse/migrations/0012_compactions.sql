-- Tables rewritten after a purge: which, by which run, and what the database itself saw of it.
set local role retention_owner;

create table ledger.compactions (
    compaction_id bigint generated always as identity primary key,
    covers_entry bigint not null,
    begun_by text not null default session_user,
    begun_at timestamptz not null default now(),
    finished_at timestamptz,
    entry_id bigint,
    position pg_lsn,
    archive_mode text,
    oldest_wal_at timestamptz,
    unowned_files integer,
    check ((finished_at is null) = (entry_id is null))
);
comment on table ledger.compactions is
'Each run that rewrote tables. One that was cut short has not finished, and counts for nothing.';
comment on column ledger.compactions.covers_entry is
'The evidence of the latest batch before it began: it says nothing of what was purged later.';
comment on column ledger.compactions.position is
'The end of the write-ahead log when it finished; what was purged stands in the log before that.';

comment on column ledger.compactions.unowned_files is
'Files of the database that no table owns, which a crash left behind; null where the login may not look.';

create table ledger.compacted_tables (
    compaction_id bigint not null references ledger.compactions,
    relation_schema text not null,
    relation_name text not null,
    part text not null check (part in ('landing', 'copy', 'ledger', 'statistics')),
    waiting_since timestamptz not null,
    since xid8,
    files oid[],
    bytes_before bigint,
    bytes_after bigint,
    rewritten_at timestamptz,
    left_because text,
    primary key (compaction_id, relation_schema, relation_name),
    check (rewritten_at is null or left_because is null)
);
comment on table ledger.compacted_tables is
'The tables that a run was to rewrite: from which files, whether it did, and if not, why.';
comment on column ledger.compacted_tables.since is
'The transaction from which on no open one may still see what was purged: a rewrite copies what one can see.';

reset role;

grant usage on schema ledger to retention_compactor;

-- The right to rewrite without being the owner came with PostgreSQL 17. Before it a compactor is a member of
-- the owners, or of the database's.
alter default privileges for role retention_classifier grant usage on schemas to retention_compactor;
do $$
declare
    built text;
begin
    for built in
        select format('%I', n.nspname)
        from pg_catalog.pg_namespace as n
        where n.nspname ~ '^(staging|intermediate|retention)$'
    loop
        execute format('grant usage on schema %s to retention_compactor', built);
        if current_setting('server_version_num')::integer >= 170000 then
            execute format('grant maintain on all tables in schema %s to retention_compactor', built);
        end if;
    end loop;
    if current_setting('server_version_num')::integer >= 170000 then
        execute 'alter default privileges for role retention_classifier grant maintain on tables to retention_compactor';
        execute 'grant maintain on all tables in schema ledger to retention_compactor';
        execute 'alter default privileges for role retention_owner in schema ledger'
            ' grant maintain on tables to retention_compactor';
    end if;
end
$$;
