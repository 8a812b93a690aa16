{{ config(
    indexes=[{'columns': ['source_schema', 'source_table', 'record_key']}],
    post_hook="{% if not var('dry_run', false) and not env_var('RETENTION_SCHEMA_SUFFIX', '') %}select ledger.decide_withdrawals(){% endif %}"
) }}
-- Each record that holds what a consent allowed which is withdrawn: columns, or the whole row where none are named. The
-- post-hook decides on them in the policy's name, where its section on withdrawals is approved; a dry run and a replay
-- of an earlier day decide nothing. Minimal proof of the consent, its own row, rests on no consent and is not here; nor
-- is what we process for a partner, who decides (§ 1).
select
    cases.row_id,
    cases.source_schema,
    cases.source_table,
    cases.record_key,
    declared.consented_purpose as purpose,
    coalesce(declared.consented_columns, '') as consented_columns,
    consents.withdrawn_on,
    consents.request_id,
    {{ approved('purposes.mark', 'purposes.approval', 'marked.is_sample') }} as is_approved
from {{ ref('int_record_cases') }} as cases
inner join {{ ref('int_record_paths') }} as paths on cases.row_id = paths.row_id
inner join {{ ref('int_records_unioned') }} as records on cases.row_id = records.row_id
inner join {{ ref('declared_tables') }} as declared
    on cases.source_schema = declared.source_schema and cases.source_table = declared.source_table
inner join {{ ref('policy_consent_purposes') }} as purposes
    on declared.consented_purpose = purposes.purpose and purposes.on_withdrawal = 'erase'
inner join {{ ref('int_consents_decided') }} as consents
    on cases.subject_token = consents.subject_token and purposes.purpose = consents.purpose
-- Who is told of a decision (GDPR art. 19). depends_on: {{ ref('int_person_partners') }}, {{ ref('policy_recipients') }}
left join {{ ref('int_marked_schemas') }} as marked on cases.source_schema = marked.source_schema
where
    consents.is_withdrawn
    and records.has_consented
    and not (paths.controller_role = 'processor' and paths.path not in ('accounting', 'rule'))
    and (
        not declared.consented_by_partner
        or records.partner_key in (
            select partners.partner_key from {{ ref('int_records_unioned') }} as partners
            where partners.reveals_purpose = purposes.purpose
        )
    )
