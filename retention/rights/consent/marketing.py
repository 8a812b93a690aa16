"""The check `nobody_objected_in_marketing`: models for marketing, compared with the suppression list.

Belongs here: finding them in dbt's manifest, and the comparison under the key. Does not belong here: the
allow-list that models use by themselves (`points`, macro `not_suppressed`); whoever forgets it is found.

`config.meta.marketing: {email: COLUMN, phone: COLUMN}` on a model names the columns that are written to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from retention.keys import HmacKeys, load_keys, refuse_logged_values
from retention.ledger.failures import safe_errors
from retention.lineage.catalogue import column_types
from retention.lineage.manifest import Node, read_manifest
from retention.settings import Settings
from retention.suppressions import HASHED
from retention.warehouse.connection import connect
from retention.warehouse.roles import EXAMINER

Connection = psycopg.Connection[Any]

_KINDS = ("email", "phone")


@dataclass(frozen=True)
class Shown:
    """A marketing model that shows contact points whose owner objected: how many, or None for one that
    could not be compared, because it has no column `missing`."""

    model: str
    points: int | None
    missing: str | None = None

    @property
    def message(self) -> str:
        """What is the matter with it, and what to do about it."""
        if self.points is None:
            return (
                f"{self.model} says it is for marketing and has no column {self.missing}: mend"
                " `config.meta.marketing`, or build it with `retention run`"
            )
        return (
            f"{self.model} shows {self.points} contact points whose owner objected to marketing: use the"
            " macro `not_suppressed`, and write to nobody from it before"
        )


@dataclass(frozen=True)
class Checked:
    """The outcome: how many models say that they are for marketing, and what is wrong with which."""

    models: int
    shown: tuple[Shown, ...]


def check(settings: Settings) -> Checked:
    """Compare every model for marketing with the suppression list, as the examiner, and leave the outcome
    as evidence.

    Raises Refused where nothing is classified yet, the key is missing, the server would write what is bound
    to its log, or this login may not act as the examiner.
    """
    nodes = [node for node in read_manifest(settings).nodes if node.marketing]
    if not nodes:
        return Checked(0, ())
    with (
        connect(settings, role=EXAMINER) as conn,
        safe_errors("comparing marketing models with the suppression list"),
    ):
        refuse_logged_values(conn)
        keys = load_keys(settings, conn)
        conn.commit()
        with conn.transaction():
            conn.execute("set transaction isolation level repeatable read, read only")
            shown = tuple(one for node in nodes for one in _looked_at(conn, node, keys))
        conn.execute(
            "select ledger.record_marketing_check(%s, %s)",
            (len(nodes), Jsonb([{"model": one.model, "points": one.points} for one in shown])),
        )
    return Checked(len(nodes), shown)


def _looked_at(conn: Connection, node: Node, keys: HmacKeys) -> Iterator[Shown]:
    named = [(kind, str(node.marketing[kind])) for kind in _KINDS if node.marketing.get(kind)]
    there = column_types(conn, node.relation)
    missing = [column for _, column in named if column not in there]
    model = ".".join(node.relation)
    if missing or not named:
        yield Shown(model, None, ", ".join(missing) or "to write to")
    elif points := _suppressed(conn, node, named, keys):
        yield Shown(model, points)


def _suppressed(
    conn: Connection, node: Node, columns: list[tuple[str, str]], keys: HmacKeys
) -> int:
    """How many contact points of the model are on the list, by keyed comparison in the database."""
    pads = [key.suppression_pads() for key in keys.needed]
    shown = sql.SQL(", ").join(
        sql.SQL("({}, shown.{}::text)").format(sql.Literal(kind), sql.Identifier(column))
        for kind, column in columns
    )
    row = conn.execute(
        sql.SQL(
            """
            select count(*)
            from (
                select point.kind, min(point.value) as value,
                    sletteplikt.normalised(point.kind, point.value) as normal
                from {} as shown cross join lateral (values {}) as point (kind, value)
                group by 1, 3
            ) as points
            where points.normal is not null and exists (
                select from unnest(%(inners)s::bytea[], %(outers)s::bytea[]) as keys (inner_pad, outer_pad)
                join ledger.suppressions as listed
                    on listed.kind = points.kind and listed.token = {}
            )
            """
        ).format(sql.Identifier(*node.relation), shown, sql.SQL(HASHED)),
        {"inners": [inner for inner, _ in pads], "outers": [outer for _, outer in pads]},
    ).fetchone()
    return int(row[0]) if row else 0
