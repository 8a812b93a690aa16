-- Remembering what the catalogue held and what was found, once per classification.
set local role retention_owner;

-- Takes what is there today: `landed` as [{source_schema, source_table, column_name, column_type}], `findings` as
-- [{source_schema, source_table, column_name, kind}]. A finding that is no more is forgotten; found again, it
-- is new.
create or replace function ledger.remember_coverage(landed jsonb, findings jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    -- One at a time: two that run at once would undo each other's.
    lock table ledger.coverage_findings in share row exclusive mode;
    insert into ledger.landing_columns as known (
        source_schema, source_table, column_name, column_type, first_seen_on, last_seen_on
    )
    select l.source_schema, l.source_table, l.column_name, l.column_type, ledger.today(), ledger.today()
    from jsonb_to_recordset(landed) as l (
        source_schema text, source_table text, column_name text, column_type text
    )
    on conflict (source_schema, source_table, column_name, column_type) do update
    set last_seen_on = excluded.last_seen_on
    where known.last_seen_on < excluded.last_seen_on;
    with now_found as materialized (
        select f.source_schema, f.source_table, f.column_name, f.kind
        from jsonb_to_recordset(findings) as f (
            source_schema text, source_table text, column_name text, kind text
        )
    ),
    no_more as (
        delete from ledger.coverage_findings as known
        where not exists (
            select from now_found as f
            where
                f.source_schema = known.source_schema and f.source_table = known.source_table
                and f.column_name = known.column_name and f.kind = known.kind
        )
    )
    insert into ledger.coverage_findings (source_schema, source_table, column_name, kind, first_found_on)
    select f.source_schema, f.source_table, f.column_name, f.kind, ledger.today()
    from now_found as f
    on conflict do nothing;
end
$$;

grant execute on function ledger.remember_coverage to retention_classifier;

reset role;
