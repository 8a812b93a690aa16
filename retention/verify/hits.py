"""How many rows of a place were purged once.

Belongs here: meeting the keys that lie there with the tombstones. Does not belong here: which places.
"""

from collections.abc import Sequence
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
    keys: Sequence[MasterKey],
    plan_id: UUID | None,
) -> tuple[int, int, int]:
    """Rows looked at, rows that were purged under one of the keys, and those of them that are a newer
    record.

    Newer: the classification in force dates the record after the one that was purged."""
    pads = [key.pads(table.qualified) for key in keys]
    row = conn.execute(
        sql.SQL(
            """
            with present as (
                select row_number() over () as row_no, {key_text} as record_key
                from {relation} as held
            ),
            hashed as (
                select present.row_no, present.record_key, keys.key_id, sha256(
                    keys.outer_pad || sha256(keys.inner_pad || convert_to(record_key, 'UTF8'))
                ) as token
                from present
                cross join unnest(%(ids)s::text[], %(inners)s::bytea[], %(outers)s::bytea[])
                    as keys (key_id, inner_pad, outer_pad)
            ),
            buried as (
                select key_id, token, max(anchor_on) as anchor_on from ledger.tombstones
                where source_schema = %(schema)s and source_table = %(table)s
                and key_id = any(%(ids)s) and coalesce(plan_id = %(plan)s, true)
                group by key_id, token
            ),
            -- A row may have been purged under several keys, once under each.
            found as (
                select hashed.row_no, hashed.record_key, max(buried.anchor_on) as anchor_on
                from hashed join buried
                    on buried.token = hashed.token and buried.key_id = hashed.key_id
                group by hashed.row_no, hashed.record_key
            ),
            met as (
                select exists (
                    select from retention.records as now_held
                    where now_held.source_schema = %(schema)s and now_held.source_table = %(table)s
                    and now_held.record_key = found.record_key
                    and now_held.anchor_on > found.anchor_on
                ) as is_newer
                from found
            )
            select (select count(*) from present), count(*) filter (where not is_newer),
                count(*) filter (where is_newer)
            from met
            """
        ).format(key_text=place.key_text, relation=place.relation),
        {
            "ids": [key.key_id for key in keys],
            "inners": [inner for inner, _ in pads],
            "outers": [outer for _, outer in pads],
            "schema": table.schema_,
            "table": table.name,
            "plan": plan_id,
        },
    ).fetchone()
    assert row is not None
    rows, hits, newer = row
    return rows, hits, newer
