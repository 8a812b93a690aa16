"""What the tests of erasures share: a login of a rights officer, and requests that it took in.

Belongs here: going the register's own way to a verified request. Does not belong here: deciding it.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg
from psycopg import sql

from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.factories import Shop

CLAUSE = "GDPR art. 12"


@dataclass(frozen=True)
class Officer:
    """A login that may answer requests, and no other thing."""

    settings: Settings
    name: str

    def ask(self, query: str, *values: Any) -> Any:
        """Run one query as this login, and commit."""
        with connect(self.settings) as conn:
            row = conn.execute(query.encode(), values).fetchone()
            conn.commit()
        return row[0] if row else None

    def request(self, person: int | str, right: str = "erasure", *, verified: bool = True) -> UUID:
        """A request of the shop's person of that number, or of the data subject of that name."""
        request: UUID = self.ask(
            "select ledger.open_request(%s, ledger.today(), %s, 1, 0, %s)",
            right,
            person if isinstance(person, str) else f"shop.person:{person}",
            CLAUSE,
        )
        if verified:
            self.ask("select ledger.verify_identity(%s, 'in_person')::text", request)
        return request


def make_officer(
    conn: psycopg.Connection[Any], settings: Settings, name: str, *roles: str
) -> Officer:
    """Make the login, a member of the rights officers and of `roles`."""
    conn.execute(
        sql.SQL("create role {} login password 'secret' in role {}").format(
            sql.Identifier(name),
            sql.SQL(", ").join(
                sql.Identifier(role) for role in ("retention_rights_officer", *roles)
            ),
        )
    )
    conn.commit()
    parts = urlsplit(settings.database_url or "")
    netloc = f"{name}:secret@{parts.netloc.rpartition('@')[2]}"
    url = urlunsplit(parts._replace(netloc=netloc))
    return Officer(dataclasses.replace(settings, database_url=url), name)


def drop_officer(conn: psycopg.Connection[Any], officer: Officer) -> None:
    conn.rollback()
    conn.execute(sql.SQL("drop role {}").format(sql.Identifier(officer.name)))
    conn.commit()


def outcomes(shop: Shop, request: UUID) -> dict[tuple[str, str], str]:
    """The outcome that counts for each record of the request that is still there."""
    rows = shop.conn.execute(
        "select source_table, record_key, outcome from ledger.decisions_of(array[%s::uuid])"
        " where record_key is not null",
        (request,),
    ).fetchall()
    shop.conn.commit()
    return {(table, key): outcome for table, key, outcome in rows}


def statuses(shop: Shop) -> dict[tuple[str, str], str]:
    """The status of every record."""
    rows = shop.conn.execute(
        "select source_table, record_key, status from retention.records"
    ).fetchall()
    shop.conn.commit()
    return {(table, key): status for table, key, status in rows}
