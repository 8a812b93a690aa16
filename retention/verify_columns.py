"""Reading back what was minimised. Shares no code with the purge.

Belongs here: looking whether the columns of a column tombstone are null in the row that stays. Does not
belong here: rows that were purged, and the story of a plan (`verify`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from retention.declarations import TableDeclaration
from retention.keys import MasterKey

Connection = psycopg.Connection[Any]
WrittenKey = Callable[[TableDeclaration, dict[str, str]], sql.Composable]


@dataclass(frozen=True)
class Emptied:
    """What was found (where, what, how many), the rows looked at, the column tombstones there are."""

    findings: tuple[tuple[str, str, int], ...]
    checked: int
    tombstones: int


def read_back(
    conn: Connection,
    tables: tuple[TableDeclaration, ...],
    key: MasterKey,
    plan_id: UUID | None,
    written_key: WrittenKey,
) -> Emptied:
    """Look for minimised columns that hold a value, of the plan's rows or of any plan's.

    `written_key` writes the key of a landing row, `held`, as the contract does. A value that stands on a
    newer ground, of a person who came back, is no finding.
    """
    wanted = conn.execute(
        "select source_schema || '.' || source_table, array_agg(distinct emptied), count(distinct token)"
        " from ledger.column_tombstones cross join lateral unnest(columns) as emptied"
        " where coalesce(plan_id = %s, true) group by 1 order by 1",
        (plan_id,),
    ).fetchall()
    declared = {table.qualified: table for table in tables}
    findings: list[tuple[str, str, int]] = []
    checked = 0
    for name, columns, count in wanted:
        table = declared.get(name)
        if table is None:
            findings.append(
                (name, "minimised, but declared no more: it cannot be read back", count)
            )
            continue
        rows, held = _held(conn, table, columns, key, plan_id, written_key)
        checked += rows
        if held:
            findings.append((name, "minimised values are there again", held))
    return Emptied(tuple(findings), checked, sum(count for _, _, count in wanted))


def _held(
    conn: Connection,
    table: TableDeclaration,
    columns: list[str],
    key: MasterKey,
    plan_id: UUID | None,
    written_key: WrittenKey,
) -> tuple[int, int]:
    """Rows looked at, and those that were minimised and hold a value in one of the columns that were
    made null."""
    types = dict(
        conn.execute(
            "select a.attname, a.atttypid::regtype::text from pg_catalog.pg_attribute as a"
            " where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped",
            (f'"{table.schema_}"."{table.name}"',),
        ).fetchall()
    )
    there = [column for column in columns if column in types]
    if not there or not types.keys() >= set(table.key):
        return 0, 0
    inner, outer = key.pads(table.qualified)
    row = conn.execute(
        sql.SQL(
            """
            with filled as (
                select {key_text} as record_key, array_remove(array[{filled}], null) as columns
                from {landing} as held
                where {any_filled}
            ),
            met as (
                select filled.record_key, tombstones.anchor_on
                from filled join ledger.column_tombstones as tombstones
                on tombstones.source_schema = %(schema)s and tombstones.source_table = %(table)s
                and tombstones.key_id = %(key_id)s and coalesce(tombstones.plan_id = %(plan)s, true)
                and tombstones.columns && filled.columns
                and tombstones.token = sha256(%(outer)s::bytea || sha256(
                    %(inner)s::bytea || convert_to(filled.record_key, 'UTF8')
                ))
            )
            select (select count(*) from filled), count(distinct met.record_key) filter (
                where not exists (
                    select from retention.grounds as newer
                    where newer.source_schema = %(schema)s and newer.source_table = %(table)s
                    and newer.record_key = met.record_key and newer.column_group = 'person'
                    and newer.wins
                    and (newer.anchor_on > met.anchor_on or newer.rule_id = 'ACTIVE')
                )
            )
            from met
            """
        ).format(
            key_text=written_key(table, types),
            landing=sql.Identifier(table.schema_, table.name),
            filled=sql.SQL(", ").join(
                sql.SQL("case when held.{} is not null then {} end").format(
                    sql.Identifier(column), sql.Literal(column)
                )
                for column in there
            ),
            any_filled=sql.SQL(" or ").join(
                sql.SQL("held.{} is not null").format(sql.Identifier(column)) for column in there
            ),
        ),
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
    return int(row[0]), int(row[1])
