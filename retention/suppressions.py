"""The suppression list: who objected to marketing, kept after everything else about them is gone.

Belongs here: adding the contact points of landed objections, and asking whether one is on the list.
Does not belong here: when objections are looked for (`retention.returns`, `retention.purge`), and the
contact points of a person who objected by a request (`retention.rights.consent`).

The list holds keyed tokens of normalised contact points and nothing else (§ 4; GDPR art. 21(3)). No
purge deletes from it.
"""

from typing import Any

import psycopg

from retention.declarations import TableDeclaration
from retention.errors import UsageError
from retention.keys import MasterKey, load_keys, refuse_logged_values, take_into_use
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.sql import quote_identifier, quote_literal, quote_qualified

Connection = psycopg.Connection[Any]

# What is hashed: the kind and the value as the models compare them, so that spelling does not matter.
HASHED = (
    "sha256(keys.outer_pad || sha256(keys.inner_pad"
    " || convert_to(points.kind || ':' || sletteplikt.normalised(points.kind, points.value), 'UTF8')))"
)


def record(
    conn: Connection, table: TableDeclaration, key: MasterKey, condition: str = "true"
) -> int:
    """Add the contact points of the table's rows that meet `condition` (SQL about `landed`), in the
    caller's transaction. Returns how many were not on the list. A table of no objections adds none."""
    if table.objection is None:
        return 0
    columns = [
        (kind, column)
        for kind, named in (("email", table.objection.email), ("phone", table.objection.phone))
        for column in named
    ]
    points = ", ".join(
        f"({quote_literal(kind)}, landed.{quote_identifier(column)}::text)"
        for kind, column in columns
    )
    take_into_use(conn, key)
    inner, outer = key.suppression_pads()
    statement = f"""
        insert into ledger.suppressions (kind, token, key_id, source_schema, source_table)
        select distinct points.kind, {HASHED}, %(key_id)s, %(schema)s, %(table)s
        from {quote_qualified(table.schema_, table.name)} as landed
        cross join lateral (values {points}) as points (kind, value)
        cross join (values (%(inner)s::bytea, %(outer)s::bytea)) as keys (inner_pad, outer_pad)
        where {condition} and sletteplikt.normalised(points.kind, points.value) is not null
        on conflict do nothing
    """  # noqa: S608
    return conn.execute(
        statement.encode(),
        {
            "inner": inner,
            "outer": outer,
            "key_id": key.key_id,
            "schema": table.schema_,
            "table": table.name,
        },
    ).rowcount


def is_suppressed(
    settings: Settings, *, email: str | None = None, phone: str | None = None
) -> bool:
    """Whether the owner of the address or number objected to marketing, whatever was purged since.

    Raises UsageError unless one is given, Refused where the HMAC key is missing or the server would
    write what is asked to its log.
    """
    asked = [(kind, value) for kind, value in (("email", email), ("phone", phone)) if value]
    if not asked:
        raise UsageError("give an e-mail address or a phone number to look for")
    with connect(settings, read_only=True) as conn, safe_errors("asking the suppression list"):
        refuse_logged_values(conn)
        pads = [key.suppression_pads() for key in load_keys(settings, conn).needed]
        row = conn.execute(
            f"""
            select exists (
                select from unnest(%(kinds)s::text[], %(values)s::text[]) as points (kind, value)
                cross join unnest(%(inners)s::bytea[], %(outers)s::bytea[]) as keys (inner_pad, outer_pad)
                join ledger.suppressions as listed
                    on listed.kind = points.kind and listed.token = {HASHED}
            )
            """.encode(),  # noqa: S608
            {
                "inners": [inner for inner, _ in pads],
                "outers": [outer for _, outer in pads],
                "kinds": [kind for kind, _ in asked],
                "values": [value for _, value in asked],
            },
        ).fetchone()
    return bool(row and row[0])
