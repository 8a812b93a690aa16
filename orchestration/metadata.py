"""Counts as tables that Dagster shows.

Belongs here: from numbers, ids and versions to Dagster's metadata. Does not belong here: a value of a
record, a name, a secret; nothing here reads a column that could hold one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dagster import MetadataValue, TableColumn, TableRecord, TableSchema

Metadata = dict[str, Any]


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> MetadataValue:
    """A small table of counts. The last column is a number, the others are words."""
    *words, number = columns
    schema = TableSchema(
        columns=[
            *(TableColumn(name, "string") for name in words),
            TableColumn(number, "int"),
        ]
    )
    records = [TableRecord(dict(zip(columns, row, strict=True))) for row in rows]
    return MetadataValue.table(records=records, schema=schema)


def counts_table(counts: Mapping[tuple[str, str], int]) -> MetadataValue:
    """Records per table and rule."""
    return table(
        ("table", "rule", "records"), [(*key, number) for key, number in sorted(counts.items())]
    )
