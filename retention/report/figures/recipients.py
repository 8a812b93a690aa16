"""The figures about whom we told, and what they answered (GDPR art. 16, 19, 26).

Belongs here: notices to recipients, requests relayed to and from partners, corrections. Does not belong
here: who the recipients are by the policy (`retention.report.parts.processing`).
"""

from __future__ import annotations

from retention.language import N_
from retention.report.figures.figure import Code, Figure, Reader


def notices(reader: Reader) -> Figure:
    """Notices of what was purged, corrected or restricted, by recipient and how far they have come."""
    return reader.ask(
        "notices",
        N_("Notices to recipients and partners (GDPR art. 19)"),
        {
            "recipient": Code("recipient"),
            "occasion": Code("notice_occasion"),
            "state": Code("notice_state"),
            "notices": "count",
            "records": "count",
            "oldest_opened_at": "moment",
            "last_settled_at": "moment",
        },
        reader.classification.query(
            """
            select recipient_id as recipient, occasion, as_known.state, count(*) as notices,
                sum(records)::bigint as records, min(opened_at) as oldest_opened_at,
                max(settled_at) filter (
                    where as_known.state in ('acknowledged', 'impossible')
                ) as last_settled_at
            from ledger.notices_shown
            cross join lateral (
                values (
                    case
                        when %(until)s::date is null
                            or sletteplikt.local_date(settled_at) <= %(until)s::date
                            then notices_shown.state
                        when sletteplikt.local_date(sent_at) <= %(until)s::date then 'sent'
                        else 'open'
                    end
                )
            ) as as_known (state)
            where %(until)s::date is null or sletteplikt.local_date(opened_at) <= %(until)s::date
            group by recipient_id, occasion, as_known.state
            order by recipient_id, occasion, as_known.state
            """
        ),
        {"until": reader.until},
    )


def relays(reader: Reader) -> Figure:
    """Requests that were passed on to partners or came from one."""
    return reader.ask(
        "relays",
        N_("Requests relayed to and from partners"),
        {
            "direction": Code("relay_direction"),
            "because": Code("relay_because"),
            "state": Code("relay_state"),
            "relays": "count",
            "answered": "count",
            "oldest_opened_at": "moment",
        },
        reader.classification.query(
            """
            select direction, because, state, count(*) as relays, count(answered_at) as answered,
                min(opened_at) as oldest_opened_at
            from ledger.relays_shown
            where %(until)s::date is null or sletteplikt.local_date(opened_at) <= %(until)s::date
            group by direction, because, state
            order by direction, because, state
            """
        ),
        {"until": reader.until},
    )


def corrections(reader: Reader) -> Figure:
    """Values that persons had corrected, by column, and whether a copy still holds the old one."""
    return reader.ask(
        "corrections",
        N_("Corrections, by column"),
        {
            "table": "table",
            "column": "text",
            "corrections": "count",
            "ended": "count",
            "with_left_over": "count",
            "oldest_open_at": "moment",
        },
        reader.classification.query(
            """
            select source_schema || '.' || source_table as "table", column_name as "column",
                count(*) as corrections, count(ended_at) as ended,
                count(*) filter (
                    where ended_at is null and left_over <> '{{}}'::jsonb
                ) as with_left_over,
                min(recorded_at) filter (where ended_at is null) as oldest_open_at
            from ledger.rectifications_shown
            where %(until)s::date is null or sletteplikt.local_date(recorded_at) <= %(until)s::date
            group by source_schema, source_table, column_name
            order by source_schema, source_table, column_name
            """
        ),
        {"until": reader.until},
    )
