"""What the database's catalogue says of the columns to scan.

Belongs here: types, and how large a table is. Does not belong here: reading values (`sample`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from retention.detection.model import ColumnName
from retention.detection.vocabulary import BOOLEAN, DATE, NUMBER, OPAQUE, TEXT, UUID

Connection = psycopg.Connection[Any]

JSON = "json"

# PostgreSQL's own categories of types; enumerations, arrays and network addresses are read as text.
_CATEGORIES = {"N": NUMBER, "D": DATE, "T": DATE, "B": BOOLEAN}
_TYPES = {"json": JSON, "jsonb": JSON, "uuid": UUID, "bytea": OPAQUE}


@dataclass(frozen=True)
class Relation:
    """A table or view, the types of its columns by family, and its size as far as it is known."""

    schema: str
    name: str
    kind: str
    rows: float
    pages: int
    families: dict[str, str]

    @property
    def is_foreign(self) -> bool:
        return self.kind == "f"

    @property
    def can_be_sampled(self) -> bool:
        """True where blocks can be drawn from it: not from a view, nor from another server's table."""
        return self.kind in ("r", "p", "m")


def relations(conn: Connection, columns: Sequence[ColumnName]) -> dict[tuple[str, str], Relation]:
    """The relations of `columns`, by schema and name, with those of their columns that are asked for and
    exist."""
    rows = conn.execute(
        """
        select n.nspname, c.relname, c.relkind::text, a.attname, t.typcategory::text, t.typname,
            greatest(coalesce(parts.rows, c.reltuples), 0), coalesce(parts.pages, c.relpages)
        from unnest(%s::text[], %s::text[], %s::text[]) as asked (of_schema, of_table, of_column)
        join pg_catalog.pg_namespace as n on n.nspname = asked.of_schema
        join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = asked.of_table
            and c.relkind in ('r', 'p', 'm', 'v', 'f')
        join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attname = asked.of_column
            and a.attnum > 0 and not a.attisdropped
        join pg_catalog.pg_type as t on t.oid = a.atttypid
        left join lateral (
            select sum(greatest(leaf.reltuples, 0)) as rows,
                sum(pg_catalog.pg_relation_size(leaf.oid) / 8192)::bigint as pages
            from pg_catalog.pg_partition_tree(c.oid) as tree
            join pg_catalog.pg_class as leaf on leaf.oid = tree.relid
            where tree.isleaf and leaf.relkind in ('r', 'm')
        ) as parts on c.relkind in ('r', 'p', 'm')
        """,
        [list(part) for part in zip(*columns, strict=True)] if columns else [[], [], []],
    ).fetchall()
    found: dict[tuple[str, str], Relation] = {}
    for schema, name, kind, column, category, typname, count, pages in rows:
        relation = found.setdefault(
            (schema, name), Relation(schema, name, kind, count, pages or 0, {})
        )
        relation.families[column] = _TYPES.get(typname) or _CATEGORIES.get(category, TEXT)
    return found
