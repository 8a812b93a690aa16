-- What is kept of the report of a day, so that the report made again can be held against it.
set local role retention_owner;

create table ledger.reports_kept (
    report_id bigint generated always as identity primary key,
    classification_id bigint not null references ledger.classifications,
    as_of date not null,
    -- Of the file, byte for byte, and of what two makings of the same report have in common.
    document_sha256 text not null unique check (document_sha256 ~ '^[0-9a-f]{64}$'),
    content_sha256 text not null check (content_sha256 ~ '^[0-9a-f]{64}$'),
    parts jsonb not null,
    figures jsonb,
    landing jsonb not null,
    kept_by text not null default session_user,
    kept_at timestamptz not null default clock_timestamp(),
    figures_forgotten_at timestamptz,
    check ((figures is null) = (figures_forgotten_at is not null))
);
create index on ledger.reports_kept (as_of, report_id);
comment on table ledger.reports_kept is
'Reports of classifications that were in force: hashes for ever, and counts by figure for as long as reports are kept.';
comment on column ledger.reports_kept.parts is 'The hash of each figure and of each other part of the report.';
comment on column ledger.reports_kept.figures is
'The counts of each figure by table, category, status and the like: no key, no token, no text that a person wrote.';
comment on column ledger.reports_kept.landing is
'Per governed table, until when the rows that were classified had been loaded; null where the table does not say.';

reset role;

grant select on ledger.reports_kept to retention_reader, retention_purger;
