"""Syncs that began and have not ended, as Fivetran's own log tells (requirements § 7).

Belongs here: what `ledger.syncs_not_ended` reads there, as values. Does not belong here: what follows
from it; the log lags, so that it advises and never guards.
"""

from dataclasses import dataclass
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Sync:
    """A connector whose last `sync_start` has no `sync_end`. `is_stale`: it began longer ago than the
    policy's timeout, so that more likely its end was lost than that it goes on."""

    connector: str
    since: str
    is_stale: bool

    def lands_in(self, schema: str) -> bool:
        """True where the connector fills that schema. A connector is called after its schema, with a
        table behind a dot or a prefix of several schemas, as its kind may be."""
        name = self.connector.partition(".")[0]
        return schema == name or schema.startswith(f"{name}_")


def not_ended(conn: Connection, timeout_hours: int) -> list[Sync]:
    """Every sync that has not ended, longest first; none without the log, or where it lacks columns. The
    database reads the log: whoever asks for the status reads no landing table."""
    rows = conn.execute(
        "select connector, since, is_stale from ledger.syncs_not_ended(%s)", (timeout_hours,)
    ).fetchall()
    return [Sync(*row) for row in rows]
