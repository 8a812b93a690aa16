"""The CRM's tables (Heroku Postgres), as a database connector lands them.

Belongs here: the columns of schema `crm`. Does not belong here: what they mean for retention;
that is declared beside the dbt sources.

Each table has Fivetran's `_fivetran_deleted` and `_fivetran_synced`; `assignment` is synced in
history mode, so a change adds a version instead of overwriting.
"""

from landing.sample.tables.model import Table, table

_SYSTEM = ", _fivetran_deleted boolean, _fivetran_synced timestamptz"


def _crm(name: str, columns: str, *, key: str = "id") -> Table:
    return table(f"crm.{name}", columns + _SYSTEM, key=key)


TABLES: tuple[Table, ...] = (
    _crm(
        "person",
        "id bigint, created_at timestamptz, first_name text, last_name text, national_id text,"
        " email text, phone text, ip_address text, address text, family_situation text,"
        " housing_type text, account_number text, received_via_partner boolean, source text",
    ),
    _crm(
        "partner",
        "id bigint, name text, is_union boolean, instruction_id text, instruction_period text",
    ),
    _crm(
        "lead",
        "id bigint, person_id bigint, partner_id bigint, received_at timestamptz, name text,"
        " email text, phone text, campaign text",
    ),
    _crm(
        "handover",
        "id bigint, person_id bigint, partner_id bigint, assignment_id bigint, scope text,"
        " handed_over_at timestamptz",
    ),
    _crm(
        "contact_event",
        "id bigint, person_id bigint, channel text, direction text, outcome text,"
        " automated boolean, purpose text, duration_seconds bigint, occurred_at timestamptz,"
        " notes text",
    ),
    _crm(
        "inbound_email",
        "id bigint, from_address text, to_address text, subject text, body text, purpose text,"
        " received_at timestamptz",
    ),
    _crm(
        "recording",
        "id bigint, person_id bigint, contact_event_id bigint, recorded_at timestamptz,"
        " object_url text",
    ),
    _crm(
        "assignment",
        "id bigint, person_id bigint, type text, state text, title text, opened_at timestamptz,"
        " completed_at timestamptz, acknowledged_at timestamptz, _fivetran_start timestamptz,"
        " _fivetran_end timestamptz, _fivetran_active boolean",
        key="id _fivetran_start",
    ),
    _crm(
        "assignment_document",
        "id bigint, assignment_id bigint, file_name text, created_at timestamptz,"
        " object_url text, third_person_name text",
    ),
    _crm(
        "product_order",
        "id bigint, person_id bigint, product_type text, state text, ordered_at timestamptz,"
        " delivered_at timestamptz, product_input text",
    ),
    _crm(
        "consent",
        "id bigint, person_id bigint, purpose text, given_at timestamptz, withdrawn_at timestamptz",
    ),
    _crm(
        "public_source_data",
        "id bigint, person_id bigint, source text, fetched_at timestamptz, payload text",
    ),
    _crm(
        "business_contact",
        "id bigint, organisation text, name text, email text, phone text, created_at timestamptz",
    ),
    _crm(
        "rights_request",
        "id bigint, person_id bigint, right_asserted text, state text, received_at timestamptz,"
        " closed_at timestamptz, id_scan_url text",
    ),
    _crm(
        "marketing_objection",
        "email text, objected_at timestamptz, channel text",
        key="email",
    ),
)
