"""The figures about what went: purged, minimised, erased in stores outside.

Belongs here: the queries on tombstones and deletion orders. Does not belong here: the plans that led to it
(`plans`), and how thoroughly it went (`erasure`).
"""

from __future__ import annotations

from retention.language import N_
from retention.report.figures.figure import Code, Figure, Reader


def purged(reader: Reader) -> Figure:
    """What was purged so far, by table and rule."""
    return reader.ask(
        "purged",
        N_("Records purged so far, by table and rule"),
        {
            "table": "table",
            "rule_id": Code("rule"),
            "records": "count",
            "first_at": "moment",
            "last_at": "moment",
        },
        reader.classification.query(
            """
            select source_schema || '.' || source_table as "table", rule_id, count(*) as records,
                min(purged_at) as first_at, max(purged_at) as last_at
            from ledger.tombstones
            where %(until)s::date is null
                or sletteplikt.local_date(purged_at) <= %(until)s::date
            group by source_schema, source_table, rule_id
            order by source_schema, source_table, rule_id
            """
        ),
        {"until": reader.until},
    )


def minimised(reader: Reader) -> Figure:
    """Rows that were kept and of which columns were made null, by table and the columns' rule."""
    return reader.ask(
        "minimised",
        N_("Records minimised so far, by table and rule of the columns"),
        {
            "table": "table",
            "rule_id": Code("rule"),
            "records": "count",
            "first_at": "moment",
            "last_at": "moment",
        },
        reader.classification.query(
            """
            select source_schema || '.' || source_table as "table", rule_id, count(*) as records,
                min(minimised_at) as first_at, max(minimised_at) as last_at
            from ledger.column_tombstones
            where %(until)s::date is null
                or sletteplikt.local_date(minimised_at) <= %(until)s::date
            group by source_schema, source_table, rule_id
            order by source_schema, source_table, rule_id
            """
        ),
        {"until": reader.until},
    )


def orders(reader: Reader) -> Figure:
    """What stores outside the warehouse were told to delete, and what they answered."""
    return reader.ask(
        "orders",
        N_("Deletion orders to stores outside the warehouse"),
        {
            "store": "text",
            "table": "table",
            "state": Code("order_state"),
            "orders": "count",
            "first_ordered_at": "moment",
            "last_answered_at": "moment",
        },
        reader.classification.query(
            """
            select store, source_schema || '.' || source_table as "table", state, count(*) as orders,
                min(ordered_at) as first_ordered_at, max(acknowledged_at) as last_answered_at
            from ledger.deletion_orders_shown
            where %(until)s::date is null or sletteplikt.local_date(ordered_at) <= %(until)s::date
            group by 1, 2, 3
            order by 1, 2, 3
            """
        ),
        {"until": reader.until},
    )
