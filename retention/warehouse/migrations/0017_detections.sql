-- What the last scan for personal data said of each column. Kinds and counts only.
set local role retention_owner;

create table ledger.scanned_columns (
    source_schema text not null,
    source_table text not null,
    column_name text not null,
    scanned_at timestamptz not null default now(),
    sampled bigint not null check (sampled >= 0),
    unread text check (unread ~ '^[A-Za-z'' ]{1,80}$'),
    primary key (source_schema, source_table, column_name)
);
comment on table ledger.scanned_columns is
'Each column that was scanned: when last, and how many of its values were looked at.';
comment on column ledger.scanned_columns.unread is 'Why its values could not be looked at: then its name alone spoke.';

create table ledger.detections (
    source_schema text not null,
    source_table text not null,
    column_name text not null,
    place smallint not null check (place > 0),
    kind text not null check (kind ~ '^[a-z_]{1,40}$'),
    pattern text not null check (pattern ~ '^[a-z0-9_]{1,40}$'),
    confidence text not null check (confidence in ('high', 'medium', 'low')),
    basis text not null check (basis in ('value', 'name', 'both')),
    matched bigint not null check (matched >= 0),
    primary key (source_schema, source_table, column_name, place),
    foreign key (source_schema, source_table, column_name) references ledger.scanned_columns on delete cascade
);
comment on table ledger.detections is
'What a scanned column seems to hold, the most likely first: no rows where it seems harmless.';

reset role;

grant select on ledger.scanned_columns, ledger.detections to retention_reader, retention_purger;
