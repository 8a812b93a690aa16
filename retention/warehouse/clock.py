"""The day, as the database sees it.

Belongs here: asking for it. Does not belong here: what falls due on a day, and the day that a
classification is as of, which is an input.
"""

from datetime import date
from typing import Any

import psycopg


def today(conn: psycopg.Connection[Any]) -> date:
    """The local date in Oslo."""
    row = conn.execute("select ledger.today()").fetchone()
    assert row is not None
    day: date = row[0]
    return day
