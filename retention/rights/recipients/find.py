"""Whom the data of one person went to.

Belongs here: asking it, for the person's own letter. Does not belong here: telling the recipients
(`notices`).
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class RecipientOf:
    """A recipient as the policy names it (§ 5), with how many records of the person it concerns. For a
    partner, `partner` is its own row, `schema.table:key (name)`: one line a partner."""

    recipient_id: str
    name: str
    role: str
    records: int
    partner: str | None


def recipients_of(conn: Connection, token: UUID) -> tuple[RecipientOf, ...]:
    """The recipients of the data of everybody who bears this token, by the last classification.

    Names partners, among them unions: for a rights officer, and for the person (GDPR art. 15(1)(c)).
    Empty for a token that nothing is left of.
    """
    with conn.cursor(row_factory=class_row(RecipientOf)) as cursor:
        cursor.execute(
            "select recipient_id, name, role, records, partner from ledger.recipients_of(%s)",
            (token,),
        )
        return tuple(cursor.fetchall())
