"""Stripe's tables, with the connector's own columns in its order.

Belongs here: the columns of schema `stripe`. Does not belong here: rows.

Names and order are those of the connector's published test files; the types are the ones it lands
these values as in PostgreSQL. JSON lands as text.
"""

from landing.sample.tables.model import Table, table

_SHIPPING = (
    "shipping_address_city text, shipping_address_country text, shipping_address_line_1 text,"
    " shipping_address_line_2 text, shipping_address_postal_code text,"
    " shipping_address_state text, shipping_carrier text, shipping_name text,"
    " shipping_phone text, shipping_tracking_number text"
)

TABLES: tuple[Table, ...] = (
    table(
        "stripe.customer",
        "id text, _fivetran_synced timestamptz, account_balance bigint, address_city text,"
        " address_country text, address_line_1 text, address_line_2 text,"
        " address_postal_code text, address_state text, balance bigint, bank_account_id text,"
        " created timestamptz, currency text, default_card_id text, delinquent boolean,"
        " description text, email text, invoice_prefix text,"
        " invoice_settings_default_payment_method text, invoice_settings_footer text,"
        f" is_deleted boolean, livemode boolean, name text, phone text, {_SHIPPING},"
        " source_id text, tax_exempt text, tax_info_tax_id text, tax_info_type text,"
        " tax_info_verification_status text, tax_info_verification_verified_name text,"
        " metadata text",
    ),
    table(
        "stripe.charge",
        "id text, _fivetran_synced timestamptz, amount bigint, amount_refunded bigint,"
        " application text, application_fee_amount bigint, balance_transaction_id text,"
        " bank_account_id text, captured boolean, card_id text, connected_account_id text,"
        " created timestamptz, currency text, customer_id text, description text,"
        " destination text, failure_code text, failure_message text,"
        " fraud_details_stripe_report text, fraud_details_user_report text, invoice_id text,"
        " livemode boolean, metadata text, on_behalf_of text, outcome_network_status text,"
        " outcome_reason text, outcome_risk_level text, outcome_risk_score bigint,"
        " outcome_seller_message text, outcome_type text, paid boolean, payment_intent_id text,"
        " receipt_email text, receipt_number text, receipt_url text, refunded boolean,"
        f" {_SHIPPING}, source_id text, source_transfer text, statement_descriptor text,"
        " status text, transfer_data_destination text, transfer_group text, transfer_id text,"
        " calculated_statement_descriptor text",
    ),
    table(
        "stripe.invoice",
        "id text, _fivetran_synced timestamptz, amount bigint, currency text, customer_id text,"
        " due_date timestamptz, description text, discountable boolean, invoice_id text,"
        " is_deleted boolean, livemode boolean, period_end timestamptz,"
        " period_start timestamptz, proration boolean, quantity bigint, subscription_id text,"
        " subscription_item_id text, unit_amount bigint, default_payment_method_id text,"
        " amount_due bigint, amount_paid bigint, amount_remaining bigint,"
        " post_payment_credit_notes_amount bigint, pre_payment_credit_notes_amount bigint,"
        " subtotal bigint, tax bigint, total bigint, attempt_count bigint,"
        " auto_advance boolean, billing_reason text, metadata text, number text, paid boolean,"
        " receipt_number text, status text, source_relation text",
    ),
    table(
        "stripe.refund",
        "id text, _fivetran_synced timestamptz, amount bigint, balance_transaction_id text,"
        " charge_id text, created timestamptz, currency text, description text,"
        " failure_balance_transaction_id text, failure_reason text, metadata text, reason text,"
        " receipt_number text, status text",
    ),
    table(
        "stripe.payment_intent",
        "id text, _fivetran_synced timestamptz, amount bigint, amount_capturable bigint,"
        " amount_received bigint, application text, application_fee_amount bigint,"
        " canceled_at timestamptz, cancellation_reason text, capture_method text,"
        " confirmation_method text, created timestamptz, currency text, customer_id text,"
        " description text, last_payment_error_charge_id text, last_payment_error_code text,"
        " last_payment_error_decline_code text, last_payment_error_doc_url text,"
        " last_payment_error_message text, last_payment_error_param text,"
        " last_payment_error_source_id text, last_payment_error_type text, livemode boolean,"
        " on_behalf_of text, payment_method_id text, receipt_email text, source_id text,"
        " statement_descriptor text, status text, transfer_data_destination text,"
        " transfer_group text",
    ),
    table(
        "stripe.subscription_history",
        "id text, _fivetran_synced timestamptz, _fivetran_active boolean,"
        " application_fee_percent double precision, billing text,"
        " billing_cycle_anchor timestamptz, billing_threshold_amount_gte bigint,"
        " billing_threshold_reset_billing_cycle_anchor boolean, cancel_at timestamptz,"
        " cancel_at_period_end boolean, canceled_at timestamptz, created timestamptz,"
        " current_period_end timestamptz, current_period_start timestamptz, customer_id text,"
        " days_until_due bigint, default_source_id text, ended_at timestamptz,"
        " livemode boolean, metadata text, quantity bigint, start_date timestamptz,"
        " status text, tax_percent double precision, trial_end timestamptz,"
        " trial_start timestamptz",
    ),
)
