"""The contract platform's tables: Scrive (log-in and signing), the AWS contract flows, New Relic.

Belongs here: the columns of schemas `scrive`, `aws_agreements` and `new_relic`, whose connectors
have no published files; the shape is ours. Does not belong here: rows.
"""

from landing.sample.tables.model import Table, table

_SYNCED = ", _fivetran_synced timestamptz"

TABLES: tuple[Table, ...] = (
    table(
        "aws_agreements.contract",
        "id text, person_id bigint, product_type text, state text, created_at timestamptz,"
        " signed_at timestamptz, counterparty_address text" + _SYNCED,
    ),
    table(
        "aws_agreements.contract_party",
        "id text, contract_id text, name text, email text, national_id text,"
        " is_third_person boolean" + _SYNCED,
    ),
    table(
        "scrive.document",
        "id text, assignment_id bigint, title text, status text, created_at timestamptz,"
        " signed_at timestamptz" + _SYNCED,
    ),
    table(
        "scrive.signatory",
        "id text, document_id text, name text, email text, national_id text, ip_address text,"
        " signed_at timestamptz" + _SYNCED,
    ),
    table(
        "scrive.authentication",
        "id text, email text, authenticated_at timestamptz, ip_address text" + _SYNCED,
    ),
    table(
        "new_relic.page_view",
        "id text, person_id bigint, session_id text, ip_address text, user_agent text,"
        " viewed_at timestamptz" + _SYNCED,
    ),
)
