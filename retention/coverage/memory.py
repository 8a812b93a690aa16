"""Since when a finding stands, and what a column was when it was last seen.

Belongs here: reading and writing what the ledger remembers of the catalogue: names, types and days. Does
not belong here: what follows from a finding's age (`judge`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from retention.coverage.model import Coverage, FindingKind

Connection = psycopg.Connection[Any]

#: Schema, table, column and kind of a finding; empty where it is about the whole.
FindingKey = tuple[str, str, str, str]


@dataclass(frozen=True)
class Memory:
    """The day on which each finding that stands was first found, and the day on which what is missing was
    last seen: a column, or a table, whose column is empty."""

    found_on: Mapping[FindingKey, date] = field(default_factory=dict)
    seen_on: Mapping[tuple[str, str, str], date] = field(default_factory=dict)


def recall(conn: Connection, coverage: Coverage) -> Memory:
    """What the ledger remembers of the findings of `coverage`."""
    found = conn.execute(
        "select source_schema, source_table, column_name, kind, first_found_on"
        " from ledger.coverage_findings"
    ).fetchall()
    missing = {
        (finding.schema, finding.table)
        for kind in (FindingKind.MISSING_TABLE, FindingKind.MISSING_COLUMN)
        for finding in coverage.of_kind(kind)
    }
    seen = conn.execute(
        "select source_schema, source_table, column_name, max(last_seen_on)"
        " from unnest(%s::text[], %s::text[]) as missing (source_schema, source_table)"
        " join ledger.landing_columns using (source_schema, source_table)"
        " group by source_schema, source_table, rollup (column_name)",
        ([schema for schema, _ in missing], [table for _, table in missing]),
    ).fetchall()
    return Memory(
        {(schema, table, column, kind): on for schema, table, column, kind, on in found},
        {(schema, table, column or ""): on for schema, table, column, on in seen},
    )


def remember(conn: Connection, coverage: Coverage) -> None:
    """Write down, as the classifier, what there is today: each landing column with its type, and each
    finding, set-wise."""
    conn.execute(
        "select ledger.remember_coverage(%s, %s)",
        (
            Jsonb(
                [
                    {
                        "source_schema": one.schema,
                        "source_table": one.table,
                        "column_name": column,
                        "column_type": one.types[column],
                    }
                    for one in coverage.landing
                    for column in one.columns
                ]
            ),
            Jsonb(
                [
                    dict(
                        zip(
                            ("source_schema", "source_table", "column_name", "kind"),
                            key,
                            strict=True,
                        )
                    )
                    for key in (finding.key for finding in coverage.findings)
                ]
            ),
        ),
    )
