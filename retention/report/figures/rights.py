"""The figures about persons' rights: requests, what was decided, consents, suppressed contact points.

Belongs here: counts by right and state. Does not belong here: who asked, and whom we told (`recipients`).
"""

from __future__ import annotations

from retention.language import N_
from retention.report.figures.figure import Code, Figure, Reader


def requests(reader: Reader) -> Figure:
    """Requests by right and state, and whether each was answered by its last day."""
    return reader.ask(
        "requests",
        N_("Requests of persons, by right and state"),
        {
            "right": Code("right"),
            "state": Code("request_state"),
            "requests": "count",
            "answered_in_time": "count",
            "answered_late": "count",
            "open_past_deadline": "count",
            "extended": "count",
            "next_deadline": "day",
        },
        reader.classification.query(
            """
            with known as (
                select asserted, answer_by, extended_on, answered_on,
                    case
                        when closed_on <= as_known.of then 'closed'
                        when carried_out_on <= as_known.of then 'carried_out'
                        when decided_on <= as_known.of then 'decided'
                        when verified_on <= as_known.of then 'identity_verified'
                        else 'received'
                    end as state,
                    coalesce(answered_on <= as_known.of, false) as is_answered
                from ledger.requests
                cross join lateral (
                    values (
                        sletteplikt.local_date(closed_at), sletteplikt.local_date(carried_out_at),
                        sletteplikt.local_date(decided_at), sletteplikt.local_date(verified_at),
                        sletteplikt.local_date(least(carried_out_at, closed_at))
                    )
                ) as t (closed_on, carried_out_on, decided_on, verified_on, answered_on)
                cross join lateral (values (coalesce(%(until)s::date, 'infinity'))) as as_known (of)
                where received_on <= as_known.of
            )
            select asserted as "right", state, count(*) as requests,
                count(*) filter (where is_answered and answered_on <= answer_by) as answered_in_time,
                count(*) filter (where is_answered and answered_on > answer_by) as answered_late,
                count(*) filter (
                    where not is_answered and answer_by < %(as_of)s::date
                ) as open_past_deadline,
                count(extended_on) as extended,
                min(answer_by) filter (where not is_answered) as next_deadline
            from known
            group by asserted, state
            order by asserted nulls last, state
            """
        ),
        {"as_of": reader.as_of, "until": reader.until},
    )


def decisions(reader: Reader) -> Figure:
    """What was decided on records whose erasure was asked for, or whose consent was withdrawn."""
    return reader.ask(
        "decisions",
        N_("Decisions on records, by request or withdrawn consent"),
        {
            "basis": Code("decision_basis"),
            "outcome": Code("decision_outcome"),
            "law": "text",
            "records": "count",
            "carried_out": "count",
        },
        reader.classification.query(
            """
            select basis, outcome, law, decided as records, carried_out
            from ledger.decisions_counted(%(until)s::date)
            order by basis, outcome, law
            """
        ),
        {"until": reader.until},
    )


def consents(reader: Reader) -> Figure:
    """Persons' consents by purpose: in force, or withdrawn."""
    return reader.ask(
        "consents",
        N_("Consents in force and withdrawn, by purpose"),
        {
            "purpose": Code("purpose"),
            "in_force": "count",
            "withdrawn": "count",
            "last_withdrawn_on": "day",
        },
        reader.classification.query(
            """
            select purpose, in_force, withdrawn, last_withdrawn_on
            from ledger.consents_counted(%(suffix)s)
            order by purpose
            """
        ),
        {"suffix": reader.classification.suffix},
    )


def suppressions(reader: Reader) -> Figure:
    """Contact points that are not written to, because their owner objected."""
    return reader.ask(
        "suppressions",
        N_("Suppressed contact points"),
        {"kind": Code("contact_point"), "contact_points": "count", "last_added_at": "moment"},
        reader.classification.query(
            """
            select kind, count(*) as contact_points, max(added_at) as last_added_at
            from ledger.suppressions
            where %(until)s::date is null or sletteplikt.local_date(added_at) <= %(until)s::date
            group by kind
            order by kind
            """
        ),
        {"until": reader.until},
    )
