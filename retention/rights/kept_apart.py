"""How many records are kept apart from ordinary use, and who is on the suppression list: counts alone.

Belongs here: what a reader may count. Does not belong here: which records those are, and keeping them out
of use (`out_of_use`).
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from retention.classified import Classification

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Locks:
    """Locks that stand and that have ended; records under a lock, records whose lock has ended and that are
    due, and those of them that are still there after the days of grace."""

    standing: int
    ended: int
    locked_records: int
    due_records: int
    late_records: int


@dataclass(frozen=True)
class Restrictions:
    """Restrictions in force, those past the day expected for them, and the records that they keep."""

    standing: int
    past_their_day: int
    restricted_records: int


def locks(conn: Connection, classification: Classification) -> Locks:
    """Count as of that classification; of a record whose lock has ended its rule says so."""
    with conn.cursor(row_factory=class_row(Locks)) as cursor:
        cursor.execute(
            classification.query(
                """
                select
                    blockers.standing, blockers.ended, records.locked_records, records.due_records,
                    records.late_records
                from (
                    select
                        count(*) filter (where until_on >= %(as_of)s::date) as standing,
                        count(*) filter (where until_on < %(as_of)s::date) as ended
                    from ledger.blockers_shown where kind = 'lock' and released_at is null
                ) as blockers
                cross join (
                    select
                        count(*) filter (where status = 'locked') as locked_records,
                        count(*) filter (where status = 'overdue') as due_records,
                        count(*) filter (
                            where status = 'overdue' and due_on < %(as_of)s::date - %(grace)s::integer
                        ) as late_records
                    from {records} where status = 'locked' or rule_id = 'R6'
                ) as records
                """
            ),
            {"as_of": classification.as_of, "grace": classification.grace_days},
        )
        found = cursor.fetchone()
    assert found is not None
    return found


def restrictions(conn: Connection, classification: Classification) -> Restrictions:
    """Count as of that classification."""
    with conn.cursor(row_factory=class_row(Restrictions)) as cursor:
        cursor.execute(
            classification.query(
                """
                select
                    count(*) as standing,
                    count(*) filter (where until_on < %(as_of)s::date) as past_their_day,
                    (select count(*) from {records} where status = 'restricted')
                        as restricted_records
                from ledger.blockers_shown where kind = 'restriction' and released_at is null
                """
            ),
            {"as_of": classification.as_of},
        )
        found = cursor.fetchone()
    assert found is not None
    return found


def suppressions(conn: Connection) -> dict[str, int]:
    """Entries of the suppression list by kind of contact point."""
    rows = conn.execute(
        "select kind, count(*) from ledger.suppressions group by kind order by kind"
    ).fetchall()
    return dict(rows)
