"""Models that say of themselves that they are for marketing, compared with the suppression list.

Belongs here: finding them in dbt's manifest, and the comparison under the key. Does not belong here: the
allow-list that models use by themselves (`points`, macro `not_suppressed`); whoever forgets it is found.

`config.meta.marketing: {email: COLUMN, phone: COLUMN}` on a model names the columns that are written to.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from retention.errors import Refused
from retention.findings import Finding
from retention.keys import HmacKeys, load_keys, refuse_logged_values
from retention.lineage.catalogue import column_types
from retention.lineage.manifest import has_manifest, read_manifest
from retention.lineage.model import Relation
from retention.settings import Settings
from retention.suppressions import HASHED

Connection = psycopg.Connection[Any]

_KINDS = ("email", "phone")


@dataclass(frozen=True)
class MarketingModel:
    """A model for marketing: where it is, and the column of each kind that is written to."""

    relation: Relation
    columns: tuple[tuple[str, str], ...]

    @property
    def qualified(self) -> str:
        return ".".join(self.relation)


def models(settings: Settings) -> list[MarketingModel]:
    """The models of the last classification that say they are for marketing."""
    if not has_manifest(settings):
        return []
    return [
        MarketingModel(
            node.relation, tuple((kind, str(named)) for kind, named in _named(node.marketing))
        )
        for node in read_manifest(settings).nodes
        if node.marketing
    ]


def findings(conn: Connection, settings: Settings) -> Iterator[Finding]:
    """A finding for each marketing model that holds a contact point whose owner objected, and for one that
    cannot be compared: it fails closed."""
    declared = models(settings)
    if not declared or not _anybody_objected(conn):
        return
    try:
        refuse_logged_values(conn)
        keys = load_keys(settings, conn)
    except Refused as refusal:
        yield Finding("marketing_unchecked", f"marketing models were not compared: {refusal}")
        return
    for model in declared:
        there = column_types(conn, model.relation)
        if missing := [column for _, column in model.columns if column not in there]:
            yield Finding(
                "marketing_unchecked",
                f"{model.qualified} says it is for marketing and has no column {', '.join(missing)}:"
                " mend `config.meta.marketing`, or run `retention run`",
                table=model.qualified,
            )
        elif count := _suppressed(conn, model, keys):
            yield Finding(
                "suppressed_in_marketing",
                f"{model.qualified} shows {count} contact points whose owner objected to marketing: use"
                " the macro `not_suppressed`, and write to nobody from it before",
                table=model.qualified,
                records=count,
            )


def _named(marketing: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((kind, marketing[kind]) for kind in _KINDS if marketing.get(kind))


def _anybody_objected(conn: Connection) -> bool:
    row = conn.execute("select exists (select from ledger.suppressions)").fetchone()
    return bool(row and row[0])


def _suppressed(conn: Connection, model: MarketingModel, keys: HmacKeys) -> int:
    """How many contact points of the model are on the list, by keyed comparison in the database."""
    pads = [key.suppression_pads() for key in keys.needed]
    shown = sql.SQL(", ").join(
        sql.SQL("({}, shown.{}::text)").format(sql.Literal(kind), sql.Identifier(column))
        for kind, column in model.columns
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
        ).format(sql.Identifier(*model.relation), shown, sql.SQL(HASHED)),
        {"inners": [inner for inner, _ in pads], "outers": [outer for _, outer in pads]},
    ).fetchone()
    return int(row[0]) if row else 0
