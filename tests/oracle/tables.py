"""What each landing table of the sample is, written down from the requirements.

Belongs here: per table its key, how it finds its person or assignment, and which date is its own.
Does not belong here: reading the dbt declarations: a mistake there must show as a mismatch.
"""

from __future__ import annotations

from tests.oracle.landing_table import LandingTable, Link


def _person(column: str = "person_id") -> Link:
    return Link("person_key", (column,))


def _parent(column: str, table: str) -> Link:
    return Link("parent", (column,), table)


TABLES: tuple[LandingTable, ...] = (
    LandingTable(
        "crm.person",
        ("id",),
        Link("self"),
        "person_row",
        own_date="created_at",
        dated=True,
        also_read=("email", "phone", "received_via_partner"),
    ),
    LandingTable(
        "crm.lead",
        ("id",),
        _person(),
        "lead",
        own_date="received_at",
        dated=True,
        also_read=("partner_id",),
    ),
    LandingTable(
        "crm.handover",
        ("id",),
        _person(),
        "person",
        own_date="handed_over_at",
        dated=True,
        also_read=("partner_id", "scope"),
    ),
    LandingTable(
        "crm.contact_event",
        ("id",),
        _person(),
        "person",
        own_date="occurred_at",
        dated=True,
        also_read=(
            "channel",
            "direction",
            "outcome",
            "automated",
            "purpose",
            "duration_seconds",
        ),
    ),
    LandingTable(
        "crm.inbound_email",
        ("id",),
        Link("email", ("from_address",)),
        "person",
        own_date="received_at",
        dated=True,
        fallback_rule="R3",
        also_read=("purpose",),
    ),
    LandingTable("crm.recording", ("id",), _person(), "person", own_date="recorded_at"),
    LandingTable(
        "crm.assignment",
        ("id", "_fivetran_start"),
        _person(),
        "assignment",
        own_date="opened_at",
        also_read=(
            "type",
            "state",
            "completed_at",
            "acknowledged_at",
            "_fivetran_active",
            "_fivetran_deleted",
        ),
    ),
    LandingTable(
        "crm.assignment_document",
        ("id",),
        _parent("assignment_id", "crm.assignment"),
        "assignment",
        own_date="created_at",
        assignment=_parent("assignment_id", "crm.assignment"),
    ),
    LandingTable(
        "crm.product_order",
        ("id",),
        _person(),
        "assignment",
        own_date="ordered_at",
        also_read=("product_type", "state", "delivered_at", "_fivetran_deleted"),
    ),
    LandingTable(
        "crm.consent",
        ("id",),
        _person(),
        "person",
        own_date="given_at",
        also_read=("purpose", "withdrawn_at"),
    ),
    LandingTable("crm.public_source_data", ("id",), _person(), "person", own_date="fetched_at"),
    LandingTable(
        "crm.business_contact",
        ("id",),
        Link(),
        "rule",
        own_date="created_at",
        dated=True,
        rule="BUSINESS",
    ),
    LandingTable(
        "crm.rights_request",
        ("id",),
        _person(),
        "rule",
        own_date="received_at",
        dated=True,
        rule="RIGHTS",
        also_read=("state",),
    ),
    LandingTable(
        "crm.marketing_objection",
        ("email",),
        Link(),
        "rule",
        own_date="objected_at",
        dated=True,
        rule="OWN",
        key_is_personal=True,
    ),
    LandingTable(
        "stripe.customer", ("id",), Link("email", ("email",)), "person", own_date="created"
    ),
    LandingTable(
        "stripe.charge",
        ("id",),
        _parent("customer_id", "stripe.customer"),
        "accounting",
        own_date="created",
        dated=True,
        rule="primary",
    ),
    LandingTable(
        # The connector's invoice has no `created`: the end of the invoiced time is its document
        # date (its start would end the duty too early when the time spans New Year).
        "stripe.invoice",
        ("id",),
        _parent("customer_id", "stripe.customer"),
        "accounting",
        own_date="period_end",
        dated=True,
        rule="primary",
    ),
    LandingTable(
        "stripe.refund",
        ("id",),
        _parent("charge_id", "stripe.charge"),
        "accounting",
        own_date="created",
        dated=True,
        rule="primary",
    ),
    LandingTable(
        # An intent is an order to pay; the voucher of the payment is the charge (bokføringsloven
        # § 13 (1) nos. 5 to 8: orders and agreements are secondary material).
        "stripe.payment_intent",
        ("id",),
        _parent("customer_id", "stripe.customer"),
        "accounting",
        own_date="created",
        dated=True,
        rule="secondary",
    ),
    LandingTable(
        "stripe.subscription_history",
        ("id",),
        _parent("customer_id", "stripe.customer"),
        "assignment",
        own_date="start_date",
        also_read=("status", "ended_at", "_fivetran_active"),
    ),
    LandingTable(
        "twilio.call",
        ("id",),
        Link("phone", ("from", "to")),
        "person",
        own_date="start_time",
        dated=True,
        fallback_rule="R3",
        also_read=("status", "duration", "answered_by"),
    ),
    LandingTable(
        "twilio.message", ("id",), Link("phone", ("from", "to")), "person", own_date="created_at"
    ),
    LandingTable(
        "scrive.document",
        ("id",),
        _parent("assignment_id", "crm.assignment"),
        "assignment",
        own_date="created_at",
        assignment=_parent("assignment_id", "crm.assignment"),
    ),
    LandingTable(
        "scrive.signatory",
        ("id",),
        _parent("document_id", "scrive.document"),
        "assignment",
        own_date="signed_at",
        assignment=_parent("document_id", "scrive.document"),
    ),
    LandingTable(
        "scrive.authentication",
        ("id",),
        Link("email", ("email",)),
        "person",
        own_date="authenticated_at",
    ),
    LandingTable(
        "aws_agreements.contract",
        ("id",),
        _person(),
        "assignment",
        own_date="created_at",
        also_read=("product_type", "state", "signed_at"),
    ),
    LandingTable(
        "aws_agreements.contract_party",
        ("id",),
        _parent("contract_id", "aws_agreements.contract"),
        "assignment",
        assignment=_parent("contract_id", "aws_agreements.contract"),
    ),
    LandingTable(
        "new_relic.page_view",
        ("id",),
        _person(),
        "person",
        own_date="viewed_at",
        dated=True,
        period_key="session_log",
        fallback_rule="R2",
    ),
    LandingTable(
        "google_analytics.event",
        ("_fivetran_id",),
        _person("user_id"),
        "person",
        own_date="timestamp",
        dated=True,
        period_key="session_log",
        fallback_rule="R2",
        consented="optional_cookies",
    ),
)

BY_NAME: dict[str, LandingTable] = {table.name: table for table in TABLES}
#: Governed by nothing: no personal data. Its rows are no records.
EXEMPT = frozenset({"crm.partner", "fivetran_log.connection", "fivetran_log.log"})
