-- Withdrawn consents and objections to marketing: what is remembered when a partner's id becomes null, which columns
-- a withdrawal erases, and which contact points were looked at.
set local role retention_owner;

create table ledger.received_via_partner (
    source_schema text not null,
    source_table text not null,
    record_key text not null,
    received_on date,
    instruction_period interval,
    remembered_at timestamptz not null default now(),
    primary key (source_schema, source_table, record_key)
);
comment on table ledger.received_via_partner is
'Leads and hand-overs whose partner became null because a consent was withdrawn: that a partner was there, and what '
'the deadline runs from. No partner, no hash. Purged with its record.';
comment on column ledger.received_via_partner.received_on is
'The day on which that partner first handed the lead over, as it was decided when its id became null.';

-- Of a record one withdrawal stands; what stands no more has forgotten its record.
create unique index erasure_decisions_withdrawal_stands
on ledger.erasure_decisions (source_schema, source_table, record_key)
where basis = 'withdrawal' and record_key is not null;

alter table ledger.plan_keys add column consented text[] not null default '{}';
comment on column ledger.plan_keys.consented is
'The columns that become null where the consent they rest on was withdrawn, as declared when it was frozen.';

create table ledger.contact_points_checked (
    link_hash text primary key,
    suppressed boolean not null
);
comment on table ledger.contact_points_checked is
'Every contact point in landing, as the models'' salted hash, and whether its owner objected to marketing: an '
'allow-list, made anew by each classification.';

reset role;

grant select on ledger.received_via_partner, ledger.contact_points_checked
to retention_reader, retention_classifier, retention_purger;
grant delete on ledger.received_via_partner, ledger.contact_points_checked to retention_purger;
grant insert, delete on ledger.contact_points_checked to retention_classifier;
