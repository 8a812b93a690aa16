"""The keyed fingerprint of one value, in SQL.

Belongs here: what is hashed, under which key, and what a column is declared to hold. Does not belong here:
which rows are looked at.
"""

from typing import Any

from psycopg import sql

from retention.declarations import TableDeclaration
from retention.keys import MasterKey
from retention.lineage.personal import kinds_of


def columns_of_kind(table: TableDeclaration, kind: str) -> list[str]:
    """The columns of a table that are declared to hold values of that kind."""
    return sorted(column for column, one in kinds_of(table).items() if one == kind)


def fingerprint_of(relation: str, column: str) -> sql.Composable:
    """HMAC-SHA-256 of the value in a column of `relation`, an alias; null where that is null."""
    return sql.SQL(
        "sha256(%(outer)s::bytea || sha256(%(inner)s::bytea || convert_to("
        "%(kind)s::text || ':' || sletteplikt.normalised(%(kind)s::text, {}.{}::text), 'UTF8')))"
    ).format(sql.Identifier(relation), sql.Identifier(column))


def holds(relation: str, column: str) -> sql.Composable:
    """The condition that the value in a column has the fingerprint that is looked for."""
    return sql.SQL("coalesce({} = %(fingerprint)s::bytea, false)").format(
        fingerprint_of(relation, column)
    )


def bound(key: MasterKey, kind: str) -> dict[str, Any]:
    """What both bind: the pads of the key of this purpose, and the kind."""
    inner, outer = key.rectification_pads()
    return {"inner": inner, "outer": outer, "kind": kind}
