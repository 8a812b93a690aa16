-- What the catalogue held, and since when a finding of coverage stands. Names and types only.
set local role retention_owner;

create table ledger.landing_columns (
    source_schema text not null,
    source_table text not null,
    column_name text not null,
    column_type text not null,
    first_seen_on date not null,
    last_seen_on date not null,
    primary key (source_schema, source_table, column_name, column_type),
    check (first_seen_on <= last_seen_on)
);
comment on table ledger.landing_columns is
'Each column that landed, under each type it had, and the first and last day on which it was seen so.';

create table ledger.coverage_findings (
    source_schema text not null,
    source_table text not null,
    column_name text not null,
    kind text not null,
    first_found_on date not null,
    primary key (source_schema, source_table, column_name, kind)
);
comment on table ledger.coverage_findings is
'Findings of coverage that stand, and since when. An empty name: it is about the whole schema, or table.';

reset role;

grant select on ledger.landing_columns, ledger.coverage_findings to retention_reader, retention_purger;
