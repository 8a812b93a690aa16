"""How many rows of a place were purged once.

Belongs here: meeting the keys that lie there with the tombstones. Does not belong here: which places.
"""

from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from retention.declarations import TableDeclaration
from retention.keys import MasterKey
from retention.verify.places import Place

Connection = psycopg.Connection[Any]


def count_hits(
    conn: Connection,
    table: TableDeclaration,
    place: Place,
    key: MasterKey,
    plan_id: UUID | None,
) -> tuple[int, int, int]:
    """Rows looked at, rows that were purged, and those of them that are a newer record.

    Newer: the classification in force dates the record after the one that was purged."""
    inner, outer = key.pads(table.qualified)
    row = conn.execute(
        sql.SQL(
            """
            with present as (
                select {key_text} as record_key from {relation} as held
            ),
            hashed as (
                select record_key, sha256(
                    %(outer)s::bytea || sha256(%(inner)s::bytea || convert_to(record_key, 'UTF8'))
                ) as token
                from present
            ),
            buried as (
                select token, max(anchor_on) as anchor_on from ledger.tombstones
                where source_schema = %(schema)s and source_table = %(table)s
                and key_id = %(key_id)s and coalesce(plan_id = %(plan)s, true)
                group by token
            ),
            met as (
                select hashed.record_key, exists (
                    select from retention.records as now_held
                    where now_held.source_schema = %(schema)s and now_held.source_table = %(table)s
                    and now_held.record_key = hashed.record_key
                    and now_held.anchor_on > buried.anchor_on
                ) as is_newer
                from hashed join buried on buried.token = hashed.token
            )
            select (select count(*) from hashed), count(*) filter (where not is_newer),
                count(*) filter (where is_newer)
            from met
            """
        ).format(key_text=place.key_text, relation=place.relation),
        {
            "inner": inner,
            "outer": outer,
            "schema": table.schema_,
            "table": table.name,
            "key_id": key.key_id,
            "plan": plan_id,
        },
    ).fetchone()
    assert row is not None
    rows, hits, newer = row
    return rows, hits, newer
