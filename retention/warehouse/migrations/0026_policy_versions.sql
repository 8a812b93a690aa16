-- Who put which text of the policy into force, and why; and classifications that are tried beside the one in force.
set local role retention_owner;

create table ledger.policy_activations (
    activation_id bigint generated always as identity primary key,
    policy_version text not null check (btrim(policy_version) <> ''),
    policy_hash text not null check (policy_hash ~ '^[0-9a-f]{64}$'),
    effective_from date not null,
    reason text not null check (btrim(reason) <> ''),
    kind text not null check (kind in ('person', 'demonstration')),
    -- What a what-if counted of this text, where one was made: counts alone.
    counted jsonb,
    activated_by text not null default session_user,
    activated_at timestamptz not null default now()
);
create index on ledger.policy_activations (policy_hash);
comment on table ledger.policy_activations is
'Texts of the policy that a person put into force, with the reason. The evidence holds who, which text and the hash of '
'the reason; the reason itself stays here.';

-- They take the suffix of a classification from now on.
drop function if exists ledger.plannable(jsonb, date, uuid, bigint, bigint, text);
drop function if exists ledger.unattended_cases(text[]);
drop function if exists ledger.unattended_objection();

reset role;
