-- What the columns of views say that people read, and what functions do of which their own files do not say it.
-- One name means the same in every view, so it has one text; VIEW.COLUMN speaks of one view alone, and goes before.
-- docs/reference/sql.md is made from these; a test names a column that has none.
set local role retention_owner;

do $$
declare
    said record;
begin
    for said in
        with texts (name, text) as (
            values
            ('accepted_reason', 'why what is left over was accepted'),
            ('acknowledged_at', 'when the store said that the object is gone'),
            ('acknowledged_by', 'the login that took the store''s answer'),
            ('acknowledgement', 'the store''s own reference'),
            ('anchor_on', 'local date (Europe/Oslo) of the event that starts the clock'),
            ('answer', 'the answer that was given'),
            ('answer_by', 'last day for our own answer to the person'),
            ('answered_at', 'when the partner answered, or we did'),
            ('answered_by', 'who at the recipient acknowledged it'),
            ('approval_kind', 'whose approval it is: person, demonstration, policy, decision or control'),
            ('approved_at', 'when it was approved'),
            ('approved_by', 'the login, or the policy or decisions, that approved it'),
            ('as_of', 'local date (Europe/Oslo) that was classified'),
            ('at', 'when it was written'),
            ('authority', 'who demands it, or by which law'),
            ('because', 'why the request goes to or comes from the partner'),
            ('blocker_id', 'the hold, restriction or lock'),
            ('body', 'the event as canonical JSON (RFC 8785): counts, dates, hashes, logins'),
            ('category', 'retention category; null for locked records'),
            ('closed_at', 'when it ended'),
            ('code_hash', 'hash of declarations and compiled models that classified'),
            ('column_name', 'the column whose value was wrong'),
            ('column_tombstones', 'tokens of rows that stay and lost columns'),
            ('control_run_id', 'the run'),
            ('controller_role', 'in which role we have it: controller, joint_controller or processor (§ 1)'),
            ('corrected_on', 'local date on which the source had the right value'),
            ('destroyed_at', 'when it was destroyed'),
            ('destroyed_by', 'the login that destroyed it'),
            ('digest', 'SHA-256 over rows, policy, day and code: what an approver repeats'),
            ('direction', 'out to a partner, or in from one'),
            ('disposition', 'what happens when due: purge, minimise, review or keep'),
            ('due_on', 'day after the last day; overdue from it on'),
            ('ended_at', 'when nothing of the old value was left, or that was accepted'),
            ('entry_id', 'the entry, in the order of writing'),
            ('erased_at', 'when what it pointed to was erased here: with the row, or because the order was withdrawn'),
            ('executed_at', 'when the last of it was carried out'),
            ('expires_on', 'last day on which it may be carried out'),
            ('exported_at', 'when it was exported'),
            ('from_on', 'first day'),
            ('guard_lifted_at', 'when a lock that has ended stopped guarding its records'),
            ('halt_id', 'the halt'),
            ('halted_at', 'since when'),
            ('halted_by', 'the login that halted'),
            ('in_use_since', 'when something was first written under it'),
            ('items', 'how many records it holds'),
            ('key_id', 'the key''s id, which tells nothing of the key'),
            ('kind', 'hold, restriction or lock'),
            ('last_day', 'last day on which it may be kept'),
            ('leaf_hash', 'hash of the entry as a leaf of the tree (RFC 6962)'),
            ('leaf_index', 'its number in the tree; null for a moment'),
            ('left_over', 'table.column, and how many rows of it still hold the old value'),
            ('not_searched', 'tables that could not be searched, and why'),
            ('note', 'the signed note, as it was exported'),
            ('notice_id', 'the notice'),
            ('occasion', 'purge, erasure, restriction, rectification, withdrawal or sharing_stopped'),
            ('occasion_id', 'the plan, request, restriction or decision behind it'),
            ('old_versions', 'table.column, and how many versions that are over hold the old value'),
            ('oldest_due_on', 'earliest due date among them'),
            ('open_plans', 'plans under the key that are not over'),
            ('opened_at', 'when it came about'),
            ('order_id', 'the order'),
            ('ordered_at', 'when it was given'),
            ('outcomes', 'of each control person: what should have become of it, and what did'),
            ('passed', 'whether each met its fate'),
            ('placed_at', 'when it was placed'),
            ('placed_by', 'the login that placed it'),
            ('plan_id', 'the plan'),
            ('planned_at', 'when it was frozen'),
            ('planned_by', 'the login that froze it, which may not approve it'),
            ('pointers', 'how many keys it still holds for the recipient'),
            ('policy_clause', 'clause of the privacy policy behind the rule'),
            ('policy_hash', 'hash of the policy version that was applied'),
            ('policy_version', 'name of the policy version that was applied'),
            ('public_key', 'of a signing key, the public part'),
            ('reason', 'why, in the words of whoever placed it; of a lock nothing'),
            ('recipient_id', 'the recipient, by its id in the policy'),
            ('recorded_at', 'when it was recorded that a value is wrong'),
            ('records', 'how many records'),
            ('rectification_id', 'the correction'),
            ('rectifications', 'fingerprints of corrected values'),
            ('rejected_at', 'when it was rejected'),
            ('rejected_by', 'the login that rejected it'),
            ('relay_id', 'the relay'),
            ('released_at', 'when it was released'),
            ('released_by', 'the login that released it'),
            ('request_id', 'the request behind it'),
            ('request_state', 'how far the request itself is'),
            ('resumed_at', 'when it ended; null while it lasts'),
            ('resumed_by', 'the approver who ended it'),
            ('root', 'root of the tree (RFC 6962)'),
            ('rule_id', 'winning rule of the policy'),
            ('run_at', 'when it ran'),
            ('run_by', 'the login that carried it out'),
            ('scope', 'what it covers: subject, assignment, record or table'),
            ('sent_at', 'when it was sent'),
            ('settled_at', 'when it was acknowledged, or given up as impossible'),
            ('settled_by', 'the login that settled it'),
            ('size', 'how many entries the head covers'),
            ('skip_reason', 'why the purge left it'),
            ('source_schema', 'landing schema'),
            ('source_table', 'landing table'),
            ('started_at', 'when its first batch began'),
            ('state', 'how far it is'),
            ('status', 'held, restricted, locked, review, overdue, due_soon, retained or active'),
            ('store', 'the store outside the warehouse'),
            ('suppressions', 'suppressed contact points'),
            ('taken_at', 'when somebody took it in hand'),
            ('target', 'what it is on, as SCHEMA.TABLE:KEY or a token; of a lock nothing'),
            ('to_partner', 'whether it goes to a partner; to which it does not say'),
            ('token', 'keyed token of the row'),
            ('tombstones', 'tokens of purged records'),
            ('traced_at', 'when the old value was last searched for'),
            ('until_on', 'last day expected; a lock ends after it'),
            ('audit_entries.kind', 'what happened: plan, approval, batch, refusal, hold, checkpoint and so on'),
            ('audit_keys.kind', 'hmac or signing'),
            ('audit_plans.scope', 'what it was made of: ordinary, unattended or decided'),
            ('audit_plans.state', 'proposed, approved, executing, executed, rejected, expired, superseded or empty'),
            ('audit_plan_counts.state', 'planned, purged, minimised, skipped or withdrawn'),
            ('audit_orders.state', 'open, acknowledged, done or withdrawn'),
            ('deletion_orders_shown.state', 'open, acknowledged, done or withdrawn'),
            ('notices_shown.state', 'open, sent, acknowledged or impossible'),
            ('relays_shown.state', 'open, sent, received, answered or closed')
        )

        select a.attrelid::regclass as relation, a.attname as column_name, coalesce(exact.text, by_name.text) as text
        from pg_attribute as a
        inner join pg_class as c on a.attrelid = c.oid
        left join texts as by_name on a.attname = by_name.name
        left join texts as exact on c.relname || '.' || a.attname = exact.name
        where
            c.relnamespace = 'ledger'::regnamespace and c.relkind = 'v' and a.attnum > 0 and not a.attisdropped
            and coalesce(exact.text, by_name.text) is not null
    loop
        execute format('comment on column %s.%I is %L', said.relation, said.column_name, said.text);
    end loop;
end
$$;

comment on function ledger.today() is 'the date in Europe/Oslo';
comment on function ledger.iso_time(timestamptz) is 'an instant as UTC ISO 8601 text';
comment on function ledger.halt(text) is 'stops everything that deletes, at once, as the login that is connected';
comment on function ledger.reject_plan(uuid, text) is 'rejects a plan that was not carried out; its records lose their keys in it';
comment on function ledger.records_without_keys() is 'every governed record without its key, as the last classification has it';
comment on function ledger.records_counted() is 'the population per table, category and status';
comment on function ledger.node_hash(bytea, bytea) is 'the hash of two nodes of the tree (RFC 6962)';
comment on function ledger.due_deltas(date) is 'deltas that were exported before a day and not removed, by checkpoint';
comment on function ledger.carry_out_request(uuid) is 'carries out what was decided on one request';
comment on function ledger.partner_of_notice(uuid) is 'the partner that a notice goes to, to the login that sends it';
comment on function ledger.partner_of_relay(uuid) is 'the partner of a relay, to the login that took it in hand';

reset role;

-- These are the migrator's own.
comment on function sletteplikt.local_date(text) is 'the date in Europe/Oslo of a date or instant, whatever type it landed in';
comment on function sletteplikt.control_sum_2(bigint) is 'the second control sum of Norwegian eleven-digit numbers';
comment on function sletteplikt.is_bank_account(text) is 'whether eleven digits are a Norwegian bank account, by their control sum';
comment on function sletteplikt.url_mark(text) is 'the mark of a web address';
comment on function sletteplikt.link_hash(text, text) is 'the salted hash by which a contact point is compared';
