"""What is held of a person, table by table, with the rows.

Belongs here: reading rows under a disclosure, and what each column is. Does not belong here: which of them
a person may carry on (`portable`), and how they are written (`files`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from retention.declarations import Declarations, TableDeclaration
from retention.rights.find import Person, PersonRecord

Connection = psycopg.Connection[Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Holding:
    """One table's records of the person, and their rows by record key. `vanished` are records whose row is
    not there any more. Rows are never shown by `repr`."""

    table: TableDeclaration
    records: tuple[PersonRecord, ...]
    rows: tuple[tuple[str, Row], ...]

    def __repr__(self) -> str:
        return f"Holding({self.table.qualified}, {len(self.rows)} rows)"

    @property
    def vanished(self) -> tuple[str, ...]:
        there = {key for key, _ in self.rows}
        return tuple(one.record_key for one in self.records if one.record_key not in there)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the rows: those of the declaration first, in its order."""
        found = {name for _, row in self.rows for name in row}
        declared = dict.fromkeys((*self.table.key, *self.table.personal, *self.table.harmless))
        return (*(name for name in declared if name in found), *sorted(found - declared.keys()))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of personal data that stand in the rows; `technical` where there is none."""
        held = {name for _, row in self.rows for name, value in row.items() if value is not None}
        kinds = [column.kind for name, column in self.table.personal.items() if name in held]
        return tuple(dict.fromkeys(kinds)) or ("technical",)

    @property
    def sources(self) -> tuple[str, ...]:
        """Who gave us what stands in the rows. Persons may have come through a partner, row by row."""
        held = {name for _, row in self.rows for name, value in row.items() if value is not None}
        columns = [name for name in self.table.personal if name in held]
        sources = [self.table.provider_of(name) for name in columns] or [self.table.provided_by]
        through = self.table.person.received_via_partner if self.table.person else None
        if through and any(row.get(through) is True for _, row in self.rows):
            sources.append("partner")
        return tuple(dict.fromkeys(sources))


def read_holdings(
    conn: Connection, disclosure: UUID, person: Person, declarations: Declarations
) -> tuple[Holding, ...]:
    """The person's rows of every table that has some, read as they stand at one moment.

    What we process for a partner is left out: the disclosure does not show it.
    """
    own = [one for one in person.records if not one.is_processors]
    tables = [declarations.table(name) for name in dict.fromkeys(one.table for one in own)]
    conn.execute("set transaction isolation level repeatable read, read only")
    found = []
    for table in tables:
        assert table is not None
        rows = conn.execute(
            "select record_key, landed::text from ledger.show_person_rows(%s, %s, %s)"
            ' order by record_key collate "C"',
            (disclosure, table.schema_, table.name),
        ).fetchall()
        records = tuple(one for one in own if one.table == table.qualified)
        # As text and Decimal: a float would round what the person is to see.
        parsed = tuple((key, json.loads(text, parse_float=Decimal)) for key, text in rows)
        found.append(Holding(table, records, parsed))
    return tuple(found)


def processed_for_partners(records: Iterable[PersonRecord]) -> dict[str, int]:
    """How many records a table holds that are a partner's to give."""
    counts: dict[str, int] = {}
    for one in records:
        if one.is_processors:
            counts[one.table] = counts.get(one.table, 0) + 1
    return counts


def with_rows(holding: Holding, rows: Sequence[tuple[str, Row]]) -> Holding:
    """The same holding with other rows, and the records of those alone."""
    kept = {key for key, _ in rows}
    records = tuple(one for one in holding.records if one.record_key in kept)
    return Holding(holding.table, records, tuple(rows))
