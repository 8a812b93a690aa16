-- Each governed landing schema, and whether it bears the sample's marker: example approvals count there.
select distinct
    declared_tables.source_schema,
    coalesce(
        obj_description(to_regnamespace(quote_ident(declared_tables.source_schema))::oid, 'pg_namespace')
        like 'sletteplikt-sample %',
        false
    ) as is_sample
from {{ ref('declared_tables') }} as declared_tables
