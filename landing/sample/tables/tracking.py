"""Tables of Twilio, Google Analytics and Fivetran's own log, with the connectors' own columns.

Belongs here: the columns of schemas `twilio`, `google_analytics` and `fivetran_log`, in the order
of the connectors' published test files. Does not belong here: rows.
"""

from landing.sample.tables.model import Table, table

TABLES: tuple[Table, ...] = (
    table(
        "twilio.call",
        "id text, _fivetran_synced timestamptz, account_id text, annotation text,"
        " answered_by text, caller_name text, created_at timestamptz, direction text,"
        " duration bigint, end_time timestamptz, forwarded_from text, from text,"
        " from_formatted text, group_id text, outgoing_caller_id text, parent_call_id text,"
        " price double precision, price_unit text, queue_time bigint, start_time timestamptz,"
        " status text, to text, to_formatted text, trunk_id text, updated_at timestamptz",
    ),
    table(
        "twilio.message",
        "id text, _fivetran_synced timestamptz, account_id text, body text,"
        " created_at timestamptz, date_sent timestamptz, direction text, error_code bigint,"
        " error_message text, from text, messaging_service_sid text, num_media bigint,"
        " num_segments bigint, price double precision, price_unit text, status text, to text,"
        " updated_at timestamptz",
    ),
    # The connector's file gives param_session_engaged twice; no table can. The second one bears the
    # name that landing the file itself gives it.
    table(
        "google_analytics.event",
        "_fivetran_id text, _fivetran_synced timestamptz, bundle_sequence_id bigint, date date,"
        " device_category text, geo_city text, geo_country text, geo_region text, name text,"
        " platform text, timestamp timestamptz, traffic_source_medium text,"
        " traffic_source_name text, traffic_source_source text,"
        " user_first_touch_timestamp timestamptz, user_id text, user_pseudo_id text,"
        " value_in_usd double precision, ecommerce_purchase_revenue_in_usd double precision,"
        " ecommerce_refund_value_in_usd double precision, ecommerce_total_item_quantity bigint,"
        " ecommerce_transaction_id text, event_dimensions_hostname text,"
        " param_video_duration bigint, param_percent_scrolled bigint, param_campaign text,"
        " param_gclid text, param_medium text, param_source text, param_ga_session_id text,"
        " param_ga_session_number bigint, param_engagement_time_msec bigint,"
        " param_engaged_session_event boolean, param_session_engaged boolean, stream_id text,"
        " is_intraday boolean, collected_traffic_source_manual_medium text,"
        " collected_traffic_source_manual_source text, batch_event_index bigint,"
        " param_session_engaged_2 boolean",
        key="_fivetran_id",
    ),
    table(
        "fivetran_log.connection",
        "connection_id text, _fivetran_synced timestamptz, connecting_user_id text,"
        " connection_name text, connector_type text, destination_id text, paused boolean,"
        " signed_up timestamptz, _fivetran_deleted boolean",
        key="connection_id",
    ),
    table(
        "fivetran_log.log",
        "id text, time_stamp timestamptz, _fivetran_synced timestamptz, connection_id text,"
        " event text, message_data text, message_event text, transformation_id text,"
        " sync_id text",
    ),
)
