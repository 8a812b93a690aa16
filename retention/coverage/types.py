"""Which columns may read otherwise than they did, because their type is another one now.

Belongs here: asking the server, which knows what each type reads as (functions/25_types.sql), about every
column that a classification reads. Does not belong here: what follows from it (`compare`, `judge`).
"""

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from retention.declarations import TableDeclaration


def read_otherwise(
    conn: psycopg.Connection[Any], tables: Iterable[TableDeclaration]
) -> dict[str, dict[str, str]]:
    """By table and column what changed, in types, of each column that the classification reads and that
    may read otherwise than under its declared type or, without one, under the first that was seen."""
    rows = conn.execute(
        "select source_schema || '.' || source_table, column_name, is_now, was, is_declared"
        " from ledger.columns_read_otherwise(%s)",
        (
            Jsonb(
                [
                    {
                        "source_schema": table.schema_,
                        "source_table": table.name,
                        "columns": table.columns_used,
                        "types": table.types,
                    }
                    for table in tables
                ]
            ),
        ),
    ).fetchall()
    changed: dict[str, dict[str, str]] = {}
    for table, column, is_now, was, is_declared in rows:
        said = f"{is_now}, {'declared as' if is_declared else 'at first'} {was}"
        changed.setdefault(table, {})[column] = said
    return changed
