"""The figures about what keeps records from being purged: holds, restrictions, locks, and halts.

Belongs here: how many there are and until when, never whom they are on and why. Does not belong here:
requests, which hold a person by themselves (`rights`).
"""

from __future__ import annotations

from retention.language import N_
from retention.report.figures.figure import Code, Figure, Reader


def blockers(reader: Reader) -> Figure:
    """Holds, restrictions and locks in force on the report's day, by kind, scope and the month in which
    they end."""
    return reader.ask(
        "blockers",
        N_("Holds, restrictions and locks in force"),
        {
            "kind": Code("blocker"),
            "scope": Code("scope"),
            "until_month": "month",
            "blockers": "count",
            "past_their_day": "count",
            "first_from_on": "day",
        },
        reader.classification.query(
            """
            select kind, scope, to_char(until_on, 'YYYY-MM') as until_month, count(*) as blockers,
                count(*) filter (where until_on < %(as_of)s::date) as past_their_day,
                min(from_on) as first_from_on
            from ledger.blockers_shown
            where least(from_on, sletteplikt.local_date(placed_at)) <= %(as_of)s::date
                and (
                    released_at is null
                    or %(until)s::date is not null
                    and sletteplikt.local_date(released_at) > %(until)s::date
                )
            group by 1, 2, 3
            order by 1, 2, 3
            """
        ),
        {"as_of": reader.as_of, "until": reader.until},
    )


def blocked(reader: Reader) -> Figure:
    """Records that something keeps from being purged, by what it is."""
    return reader.ask(
        "blocked",
        N_("Records that are held or restricted, by blocker"),
        {
            "blocker": Code("blocked_by"),
            "status": Code("status"),
            "records": "count",
            "past_due": "count",
        },
        reader.classification.query(
            """
            select blocker, status, count(*) as records,
                count(*) filter (where due_on <= %(as_of)s::date) as past_due
            from {records}
            cross join lateral unnest(blocked_by) as blocker
            group by blocker, status
            order by blocker, status
            """
        ),
        {"as_of": reader.as_of},
    )


def halts(reader: Reader) -> Figure:
    """When everything that deletes was stopped, and by whom; their words stand in the ledger alone."""
    return reader.ask(
        "halts",
        N_("When everything that deletes was stopped"),
        {
            "halted_at": "moment",
            "halted_by": "text",
            "resumed_at": "moment",
            "resumed_by": "text",
        },
        reader.classification.query(
            """
            select halted_at, halted_by,
                case when known then resumed_at end as resumed_at,
                case when known then resumed_by end as resumed_by
            from ledger.halts
            cross join lateral (
                values (
                    %(until)s::date is null or sletteplikt.local_date(resumed_at) <= %(until)s::date
                )
            ) as t (known)
            where %(until)s::date is null or sletteplikt.local_date(halted_at) <= %(until)s::date
            order by halted_at, halt_id
            """
        ),
        {"until": reader.until},
    )
