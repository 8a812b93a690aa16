"""What the database says of one landing schema: columns, types, keys, foreign keys, how many rows about.

Belongs here: reading PostgreSQL's catalogue. Does not belong here: reading a landing row (`measure`), and
what a table seems to be (`shapes`).
"""

from dataclasses import dataclass
from typing import Any

import psycopg

from retention.coverage.states import is_system
from retention.warehouse.sql import quote_qualified

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Column:
    """A column with its type as PostgreSQL's `format_type` writes it."""

    name: str
    type: str

    @property
    def is_system(self) -> bool:
        return is_system(self.name)

    @property
    def is_text(self) -> bool:
        return self.type in ("text", "json", "jsonb") or self.type.startswith("character")

    @property
    def is_time(self) -> bool:
        return self.type == "date" or self.type.startswith("timestamp")


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key of one column."""

    column: str
    schema: str
    table: str
    to_column: str


@dataclass(frozen=True)
class Table:
    """A landed table. `unique` are the column lists that the database keeps unique, without the primary
    key; `rows` is the planner's estimate, None where the table was never analysed."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]
    foreign_keys: tuple[ForeignKey, ...]
    rows: int | None

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def relation(self) -> str:
        """The table as SQL text."""
        return quote_qualified(self.schema, self.name)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(column.name for column in self.columns)

    @property
    def own_columns(self) -> tuple[Column, ...]:
        """What the source sent."""
        return tuple(column for column in self.columns if not column.is_system)

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


def read_schema(conn: Connection, schema: str) -> tuple[Table, ...]:
    """Every table, view and foreign table of `schema`, by name; partitions are left to their parent."""
    rows = conn.execute(
        """
        select
            relations.oid, relations.relname, nullif(relations.reltuples, -1)::bigint,
            array_agg(attributes.attname::text order by attributes.attnum),
            array_agg(format_type(attributes.atttypid, attributes.atttypmod) order by attributes.attnum)
        from pg_catalog.pg_class as relations
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace
        join pg_catalog.pg_attribute as attributes on attributes.attrelid = relations.oid
        where namespaces.nspname = %s
        and relations.relkind in ('r', 'p', 'v', 'm', 'f') and not relations.relispartition
        and attributes.attnum > 0 and not attributes.attisdropped
        group by relations.oid, relations.relname, relations.reltuples
        order by relations.relname
        """,
        (schema,),
    ).fetchall()
    keys = _keys(conn, schema)
    foreign = _foreign_keys(conn, schema)
    return tuple(
        Table(
            schema=schema,
            name=name,
            columns=tuple(Column(*pair) for pair in zip(names, types, strict=True)),
            primary_key=next((k for o, primary, k in keys if o == oid and primary), ()),
            unique=tuple(k for o, primary, k in keys if o == oid and not primary),
            foreign_keys=tuple(ForeignKey(*rest) for o, *rest in foreign if o == oid),
            rows=estimate,
        )
        for oid, name, estimate, names, types in rows
    )


def _keys(conn: Connection, schema: str) -> list[tuple[int, bool, tuple[str, ...]]]:
    """Whole, valid unique indexes on plain columns, the shortest first."""
    rows = conn.execute(
        """
        select
            indexes.indrelid, indexes.indisprimary,
            array_agg(attributes.attname::text order by parts.place)
        from pg_catalog.pg_index as indexes
        join pg_catalog.pg_class as relations on relations.oid = indexes.indrelid
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace
        cross join lateral unnest(indexes.indkey::int2[]) with ordinality as parts (attnum, place)
        join pg_catalog.pg_attribute as attributes
            on attributes.attrelid = indexes.indrelid and attributes.attnum = parts.attnum
        where namespaces.nspname = %s and indexes.indisunique and indexes.indisvalid
        and indexes.indpred is null and indexes.indexprs is null
        and parts.place <= indexes.indnkeyatts
        group by indexes.indexrelid, indexes.indrelid, indexes.indisprimary
        order by cardinality(array_agg(attributes.attname)), indexes.indexrelid
        """,
        (schema,),
    ).fetchall()
    return [(oid, primary, tuple(columns)) for oid, primary, columns in rows]


def _foreign_keys(conn: Connection, schema: str) -> list[tuple[int, str, str, str, str]]:
    return conn.execute(
        """
        select
            constraints.conrelid, here.attname::text, namespaces.nspname::text, targets.relname::text,
            there.attname::text
        from pg_catalog.pg_constraint as constraints
        join pg_catalog.pg_class as targets on targets.oid = constraints.confrelid
        join pg_catalog.pg_namespace as namespaces on namespaces.oid = targets.relnamespace
        join pg_catalog.pg_attribute as here
            on here.attrelid = constraints.conrelid and here.attnum = constraints.conkey[1]
        join pg_catalog.pg_attribute as there
            on there.attrelid = constraints.confrelid and there.attnum = constraints.confkey[1]
        where constraints.contype = 'f' and cardinality(constraints.conkey) = 1
        and constraints.connamespace = to_regnamespace(quote_ident(%s))
        order by constraints.conrelid, here.attnum
        """,
        (schema,),
    ).fetchall()
