"""Reading back what was minimised. Shares no code with the purge.

Belongs here: looking whether the columns of a column tombstone are null in the row that stays, and under
their own names in copies of it that others made. Does not belong here: rows that were purged (`hits`),
and the story of a plan (`story`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from retention.declarations import TableDeclaration
from retention.keys import MasterKey
from retention.verify.downstream import candidates, holds_rows
from retention.verify.finding import Finding
from retention.verify.places import Place, landing

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Emptied:
    """What was found, the rows looked at, the column tombstones there are."""

    findings: tuple[Finding, ...]
    checked: int
    tombstones: int


def look(
    conn: Connection,
    tables: tuple[TableDeclaration, ...],
    keys: Sequence[MasterKey],
    plan_id: UUID | None,
) -> Emptied:
    """Look for minimised columns that hold a value, of the plan's rows or of any plan's.

    A value that stands on a newer ground, of a person who came back or gave a consent again, is no finding.
    """
    wanted = conn.execute(
        "select source_schema || '.' || source_table, array_agg(distinct emptied), count(distinct token)"
        " from ledger.column_tombstones cross join lateral unnest(columns) as emptied"
        " where coalesce(plan_id = %s, true) group by 1 order by 1",
        (plan_id,),
    ).fetchall()
    declared = {table.qualified: table for table in tables}
    findings: list[Finding] = []
    checked = 0
    for name, columns, count in wanted:
        table = declared.get(name)
        if table is None or not table.key:
            what = "minimised, but not declared with a key any more: it cannot be read back"
            findings.append(Finding(name, what, count))
            continue
        for place, there in _places(conn, table, set(declared), columns):
            rows, held = _held(conn, table, place, there, keys, plan_id)
            checked += rows
            if held:
                what = "minimised values are there again"
                if place.name != name:
                    what = f"minimised values of {name} are there"
                findings.append(Finding(place.name, what, held))
    return Emptied(tuple(findings), checked, sum(count for _, _, count in wanted))


def _places(
    conn: Connection, table: TableDeclaration, declared: set[str], columns: list[str]
) -> Iterator[tuple[Place, list[str]]]:
    """The landing table and the copies of its rows, with those of `columns` that each has."""
    found = landing(conn, table)
    if found is not None:
        place, own = found
        if there := [column for column in columns if column in own]:
            yield place, there
    for candidate in candidates(conn, table, declared):
        there = [column for column in columns if column in candidate.columns]
        if there and holds_rows(conn, table, candidate):
            yield candidate.place, there


def _held(
    conn: Connection,
    table: TableDeclaration,
    place: Place,
    there: list[str],
    keys: Sequence[MasterKey],
    plan_id: UUID | None,
) -> tuple[int, int]:
    """Rows of a place that hold a value in one of the columns `there`, and those of them of which it was
    made null."""
    pads = [key.pads(table.qualified) for key in keys]
    row = conn.execute(
        sql.SQL(
            """
            with filled as (
                select {key_text} as record_key, array_remove(array[{filled}], null) as columns
                from {relation} as held
                where {any_filled}
            ),
            met as (
                select filled.record_key, tombstones.anchor_on, tombstones.column_group
                from filled
                cross join unnest(%(ids)s::text[], %(inners)s::bytea[], %(outers)s::bytea[])
                    as keys (key_id, inner_pad, outer_pad)
                join ledger.column_tombstones as tombstones
                on tombstones.source_schema = %(schema)s and tombstones.source_table = %(table)s
                and tombstones.key_id = keys.key_id and coalesce(tombstones.plan_id = %(plan)s, true)
                and tombstones.columns && filled.columns
                and tombstones.token = sha256(keys.outer_pad || sha256(
                    keys.inner_pad || convert_to(filled.record_key, 'UTF8')
                ))
            )
            select (select count(*) from filled), count(distinct met.record_key) filter (
                where not exists (
                    select from retention.grounds as newer
                    where newer.source_schema = %(schema)s and newer.source_table = %(table)s
                    and newer.record_key = met.record_key and newer.column_group = 'person'
                    and met.column_group = 'person' and newer.wins
                    and (newer.anchor_on > met.anchor_on or newer.rule_id = 'ACTIVE')
                )
                and not exists (
                    select from intermediate.int_consents_decided as given
                    join intermediate.int_record_cases as cases
                        on cases.subject_token = given.subject_token
                    where cases.source_schema = %(schema)s and cases.source_table = %(table)s
                    and cases.record_key = met.record_key and met.column_group = 'consent'
                    and given.purpose = %(purpose)s and not given.is_withdrawn
                )
            )
            from met
            """
        ).format(
            key_text=place.key_text,
            relation=place.relation,
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
            "ids": [key.key_id for key in keys],
            "inners": [inner for inner, _ in pads],
            "outers": [outer for _, outer in pads],
            "schema": table.schema_,
            "table": table.name,
            "plan": plan_id,
            "purpose": table.consented.purpose if table.consented else None,
        },
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
