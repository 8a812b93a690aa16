"""A login for each role, a member of that role and of nothing else.

Belongs here: making them for one test's database and taking them away. Does not belong here: what they try.
"""

import dataclasses
import time
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from retention.settings import Settings

ROLES = (
    *("classifier", "planner", "approver", "purger", "compactor", "auditor", "reader"),
    *("examiner", "rights_officer", "custodian"),
)


@dataclass(frozen=True)
class Logins:
    """The logins of one database; `settings` is whoever made them."""

    settings: Settings
    prefix: str

    def name(self, role: str) -> str:
        return f"{self.prefix}_{role}"

    def of(self, role: str) -> Settings:
        """The settings under which everything is done as that login."""
        parts = urlsplit(self.settings.database_url or "")
        host = parts.netloc.rpartition("@")[2]
        netloc = f"{self.name(role)}:secret@{host}"
        return dataclasses.replace(
            self.settings, database_url=urlunsplit(parts._replace(netloc=netloc))
        )

    def make(self, conn: psycopg.Connection[object]) -> None:
        for role in ROLES:
            # Who approves a plan reads it first; approving as such gives no right to read.
            groups = ("approver", "reader") if role == "approver" else (role,)
            conn.execute(
                sql.SQL("create role {} login password 'secret' in role {}").format(
                    sql.Identifier(self.name(role)),
                    sql.SQL(", ").join(sql.Identifier(f"retention_{group}") for group in groups),
                )
            )
        conn.commit()

    def drop(self, conn: psycopg.Connection[object]) -> None:
        """Drop them. A session that was closed goes on for a moment, and with it what it owns."""
        conn.rollback()
        deadline = time.monotonic() + 30
        while conn.execute(
            "select from pg_stat_activity where usename = any(%s)",
            ([self.name(role) for role in ROLES],),
        ).fetchone():
            assert time.monotonic() < deadline, "a login's session does not end"
            conn.rollback()
            time.sleep(0.02)
        for role in ROLES:
            conn.execute(sql.SQL("drop role {}").format(sql.Identifier(self.name(role))))
        conn.commit()
