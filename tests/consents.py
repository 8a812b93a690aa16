"""What the tests of consents and objections share: members of a union, and a login that answers them.

Belongs here: rows and logins. Does not belong here: what becomes of them.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from psycopg import sql

from retention.plan import Plan, create_decided
from retention.settings import Settings
from tests.factories import Shop

GIVEN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WITHDRAWN = datetime(2026, 9, 7, 9, 0, tzinfo=UTC)
UNION, BANK = 3, 1


def partners(shop: Shop) -> None:
    shop.add("partner", id=BANK, is_union=False)
    shop.add("partner", id=UNION, is_union=True, instruction_period="P2M")


def member(shop: Shop, number: int, *, withdrawn: datetime | None = WITHDRAWN) -> int:
    """A person whom a union handed over to us and whom we handed over to it, with her consent; her other
    records are due long from now. The lead has the id of the person, and so has the consent."""
    shop.add("person", id=number, email=f"person{number}@shop.example")
    shop.add("lead", id=number, person_id=number, partner_id=UNION, name=f"Navn {number}")
    shop.add("handover", id=number, person_id=number, partner_id=UNION)
    shop.add("contact", id=number, person_id=number)
    shop.add("cookie", id=number, person_id=number)
    shop.add("consent", id=number, person_id=number, given_at=GIVEN, withdrawn_at=withdrawn)
    return number


def partner_of(shop: Shop, table: str, key: int) -> int | None:
    found: int | None = shop.one(f"select partner_id from shop.{table} where id = %s", key)
    return found


def run(shop: Shop, statement: str, *values: Any) -> None:
    shop.conn.execute(statement, values)
    shop.conn.commit()


def decisions(shop: Shop) -> set[tuple[str, str]]:
    """Table and key of the records on which a withdrawal stands."""
    rows = shop.conn.execute(
        "select source_table, record_key from ledger.erasure_decisions"
        " where basis = 'withdrawal' and record_key is not null"
    ).fetchall()
    shop.conn.commit()
    return {(table, key) for table, key in rows}


def decided_plan(shop: Shop) -> Plan:
    """Classify what has landed, and plan what was decided; the policy approves."""
    shop.classify()
    return create_decided(shop.settings)


@contextmanager
def officer_of(shop: Shop) -> Iterator[Settings]:
    """A rights officer whose login may also do the engine's part, as where one login has both roles."""
    name = f"{shop.conn.info.dbname}_officer"
    shop.conn.execute(
        sql.SQL(
            "create role {} login password 'secret' in role retention_rights_officer, retention_classifier"
        ).format(sql.Identifier(name))
    )
    shop.conn.commit()
    parts = urlsplit(shop.settings.database_url or "")
    netloc = f"{name}:secret@{parts.netloc.rpartition('@')[2]}"
    yield dataclasses.replace(shop.settings, database_url=urlunsplit(parts._replace(netloc=netloc)))
    shop.conn.rollback()
    shop.conn.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
    shop.conn.commit()
