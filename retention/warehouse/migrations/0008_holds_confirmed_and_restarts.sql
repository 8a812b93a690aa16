-- A hold that stands beyond its day was confirmed by somebody; a released one may have begun R4 anew.
set local role retention_owner;

create table ledger.blocker_confirmations (
    blocker_id uuid not null references ledger.blockers,
    until_before date,
    until_on date not null,
    reason text not null check (btrim(reason) <> ''),
    confirmed_by text not null default session_user,
    confirmed_at timestamptz not null default now(),
    primary key (blocker_id, until_on)
);
comment on table ledger.blocker_confirmations is
'Who confirmed a hold beyond its day, until when and why. Nobody confirms it: it stands all the same.';

create table ledger.assignment_restarts (
    blocker_id uuid not null references ledger.blockers,
    assignment_id text not null,
    restarted_on date not null,
    law text not null check (btrim(law) <> ''),
    restarted_by text not null default session_user,
    restarted_at timestamptz not null default now(),
    primary key (blocker_id, assignment_id)
);
create index on ledger.assignment_restarts (assignment_id);
comment on table ledger.assignment_restarts is
'Claims that were acknowledged: the day from which R4 runs anew for an assignment, and by which law. '
'Forgotten with the last record of the assignment.';

-- It takes the law and the day of a restart now.
drop function if exists ledger.release_blocker(uuid);

reset role;

grant select on ledger.blocker_confirmations, ledger.assignment_restarts to retention_purger;
grant delete on ledger.assignment_restarts to retention_purger;
