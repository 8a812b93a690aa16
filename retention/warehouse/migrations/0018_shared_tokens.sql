-- Several data subjects may be one human, and then bear one token.
set local role retention_owner;

alter table ledger.subject_tokens drop constraint subject_tokens_subject_token_key;
create index subject_tokens_subject_token_idx on ledger.subject_tokens (subject_token);
comment on table ledger.subject_tokens is
'The random token of each data subject, the same for all that are one human; forgotten when the last record of the '
'subject is purged.';

reset role;
