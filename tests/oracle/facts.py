"""The landing tables as plain Python rows, read with plain selects.

Belongs here: fetching rows and naming each by its record key as the contract of `retention.records`
writes it. Does not belong here: any judgement.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.oracle.landing_table import LandingTable
from tests.oracle.tables import TABLES


@dataclass(frozen=True)
class Row:
    """One physical row: its record key and the columns the oracle reads."""

    record_key: str
    values: Mapping[str, object]

    def __getitem__(self, column: str) -> object:
        return self.values[column]


@dataclass(frozen=True)
class Landing:
    """Everything the oracle knows of the warehouse. `remembered` are leads whose union became null, with
    the day that is remembered of each."""

    rows: Mapping[str, list[Row]]
    instructions: Mapping[str, tuple[str | None, str | None]]
    unions: frozenset[str] = frozenset()
    remembered: Mapping[str, date | None] = field(default_factory=dict)


def read_landing(connection: psycopg.Connection) -> Landing:
    """Read all governed tables and the partners' instructions."""
    salt = _key_salt(connection)
    rows = {table.name: _read_table(connection, table, salt) for table in TABLES}
    partners = _select(
        connection, "crm.partner", ("id", "is_union", "instruction_id", "instruction_period")
    )
    remembered = connection.execute(
        "select record_key, received_on from ledger.received_via_partner"
        " where source_schema = 'crm' and source_table = 'lead'"
    ).fetchall()
    return Landing(
        rows=rows,
        instructions={
            str(partner["id"]): (
                _text(partner["instruction_id"]),
                _text(partner["instruction_period"]),
            )
            for partner in partners
        },
        unions=frozenset(str(partner["id"]) for partner in partners if partner["is_union"] is True),
        remembered=dict(remembered),
    )


def _read_table(connection: psycopg.Connection, table: LandingTable, salt: bytes) -> list[Row]:
    return [
        Row(_record_key(table, values, salt), values)
        for values in _select(connection, table.name, table.columns)
    ]


def _select(
    connection: psycopg.Connection, table: str, columns: tuple[str, ...]
) -> list[dict[str, object]]:
    query = sql.SQL("select {} from {}").format(
        sql.SQL(", ").join(sql.Identifier(column) for column in columns),
        sql.Identifier(*table.split(".")),
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def _key_salt(connection: psycopg.Connection) -> bytes:
    row = connection.execute("select salt from ledger.link_salt").fetchone()
    assert row is not None, "the warehouse has no salt for personal keys"
    return bytes(row[0])


def _record_key(table: LandingTable, values: Mapping[str, object], salt: bytes) -> str:
    parts = [key_text(values[column]) for column in table.key]
    if table.key_is_personal:
        (part,) = parts
        return hashlib.sha256(salt + f"key:{part}".encode()).hexdigest()
    if len(parts) == 1:
        return parts[0]
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def key_text(value: object) -> str:
    """Return a key column as text; a timestamp as UTC ISO 8601 with microseconds."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(value)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
