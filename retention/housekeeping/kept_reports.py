"""The counts of reports that were kept for comparison, for as long as reports are kept themselves.

Belongs here: having the ledger forget them. Does not belong here: their hashes, which stay, and the files
of reports (`places`).
"""

from datetime import date
from typing import Any

import psycopg

from retention.housekeeping.rules import Rule, Swept

Connection = psycopg.Connection[Any]


def forget(conn: Connection, rule: Rule, today: date, *, remove: bool) -> Swept:
    """Forget the counts of reports that were kept before the rule's day."""
    first = rule.first_day(today)
    row = conn.execute("select count(*) from ledger.due_report_figures(%s)", (first,)).fetchone()
    due = int(row[0]) if row else 0
    gone = 0
    if remove and due:
        row = conn.execute("select ledger.forget_report_figures(%s)", (first,)).fetchone()
        gone = int(row[0]) if row else 0
    return Swept(rule.kind, rule.kept, due, gone)
