-- Plans for a person and plans that the policy approves by itself; cases that an approver takes out of a plan.
set local role retention_owner;

alter table ledger.plans
add column scope text not null default 'ordinary' check (scope in ('ordinary', 'unattended')),
drop constraint plans_approval_kind_check,
add constraint plans_approval_kind_check check (approval_kind in ('person', 'demonstration', 'policy'));
comment on column ledger.plans.scope is
'unattended: only cases that the policy leaves to a job; ordinary: whatever else is overdue, for a person.';

alter table ledger.review_decisions
add column plan_id uuid references ledger.plans,
drop constraint review_decisions_decision_check,
add constraint review_decisions_decision_check check (decision in ('keep', 'purge', 'anchor', 'review'));
comment on column ledger.review_decisions.plan_id is
'The plan that the record was taken out of by whoever was to approve it; null for a record under review.';

-- It takes the plan's scope from now on.
drop function if exists ledger.freeze_plan(jsonb, text[], bytea[], bytea[], text, integer, text);

reset role;
