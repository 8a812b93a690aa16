"""Which columns the bulk fills, in the order in which its lines state them.

Belongs here: names. Columns that are not listed stay null. Does not belong here: values.
"""

COLUMNS: dict[str, tuple[str, ...]] = {
    table: tuple(columns.split())
    for table, columns in {
        "crm.person": "id created_at first_name last_name national_id email phone ip_address"
        " address family_situation housing_type account_number received_via_partner source"
        " _fivetran_deleted _fivetran_synced",
        "crm.lead": "id person_id partner_id received_at name email phone campaign"
        " _fivetran_deleted _fivetran_synced",
        "crm.handover": "id person_id partner_id assignment_id scope handed_over_at"
        " _fivetran_deleted _fivetran_synced",
        "crm.contact_event": "id person_id occurred_at channel direction outcome automated purpose"
        " duration_seconds notes _fivetran_deleted _fivetran_synced",
        "crm.inbound_email": "id from_address to_address subject body purpose received_at"
        " _fivetran_deleted _fivetran_synced",
        "crm.recording": "id person_id contact_event_id recorded_at object_url"
        " _fivetran_deleted _fivetran_synced",
        "crm.assignment": "id person_id type state title opened_at completed_at acknowledged_at"
        " _fivetran_start _fivetran_end _fivetran_active _fivetran_deleted _fivetran_synced",
        "crm.assignment_document": "id assignment_id file_name created_at object_url"
        " third_person_name _fivetran_deleted _fivetran_synced",
        "crm.product_order": "id person_id product_type state ordered_at delivered_at product_input"
        " _fivetran_deleted _fivetran_synced",
        "crm.consent": "id person_id purpose given_at withdrawn_at"
        " _fivetran_deleted _fivetran_synced",
        "crm.public_source_data": "id person_id source fetched_at payload"
        " _fivetran_deleted _fivetran_synced",
        "crm.business_contact": "id organisation name email phone created_at"
        " _fivetran_deleted _fivetran_synced",
        "crm.rights_request": "id person_id right_asserted state received_at closed_at id_scan_url"
        " _fivetran_deleted _fivetran_synced",
        "crm.marketing_objection": "email objected_at channel _fivetran_deleted _fivetran_synced",
        "stripe.customer": "id created currency email name phone address_line_1 address_city"
        " address_country is_deleted livemode metadata _fivetran_synced",
        "stripe.charge": "id amount amount_refunded captured created currency customer_id"
        " description invoice_id livemode paid payment_intent_id receipt_email refunded status"
        " metadata _fivetran_synced",
        "stripe.payment_intent": "id amount amount_received created currency customer_id livemode"
        " status _fivetran_synced",
        "stripe.invoice": "id invoice_id amount currency customer_id description is_deleted"
        " livemode period_start period_end amount_due amount_paid total number paid status"
        " subscription_id _fivetran_synced",
        "stripe.refund": "id amount charge_id created currency reason status _fivetran_synced",
        "stripe.subscription_history": "id _fivetran_active billing billing_cycle_anchor"
        " cancel_at_period_end canceled_at created current_period_start current_period_end"
        " customer_id ended_at livemode quantity start_date status _fivetran_synced",
        "twilio.call": "id account_id answered_by created_at direction duration end_time from to"
        " start_time status queue_time updated_at _fivetran_synced",
        "twilio.message": "id account_id body created_at date_sent direction from to num_media"
        " num_segments price_unit status updated_at _fivetran_synced",
        "google_analytics.event": "_fivetran_id date timestamp name platform device_category"
        " geo_city geo_country user_id user_pseudo_id user_first_touch_timestamp"
        " event_dimensions_hostname param_ga_session_id param_engagement_time_msec is_intraday"
        " _fivetran_synced",
        "scrive.document": "id assignment_id title status created_at signed_at _fivetran_synced",
        "scrive.signatory": "id document_id name email national_id ip_address signed_at"
        " _fivetran_synced",
        "scrive.authentication": "id email authenticated_at ip_address _fivetran_synced",
        "new_relic.page_view": "id person_id session_id ip_address user_agent viewed_at"
        " _fivetran_synced",
        "aws_agreements.contract": "id person_id product_type state created_at signed_at"
        " counterparty_address _fivetran_synced",
        "aws_agreements.contract_party": "id contract_id name email national_id is_third_person"
        " _fivetran_synced",
    }.items()
}
