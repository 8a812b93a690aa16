"""Lands one CSV file as one table, in one transaction.

Belongs here: reading the file twice (types, then rows), the table's DDL, COPY, and the count that
proves it. Does not belong here: which files to land and whether that is allowed (`files`).

No message of the database is passed on: its detail and context lines quote values.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection, errors, sql

from landing.column_types import ColumnReading, ColumnType, KeptAsText
from landing.csv_reader import BrokenFile, Fields, read_records
from landing.landed import LandedTable
from landing.marker import marked_schemas
from landing.names import RenamedColumn, column_names
from retention.errors import Refused, WarehouseError

# What the database may refuse about one file while the others still land.
_THE_FILE_ITSELF = {
    errors.DataError: "holds a value that this database cannot store",
    errors.TooManyColumns: "has more columns than PostgreSQL allows in a table",
    errors.DependentObjectsStillExist: "other objects depend on the table it would replace",
    errors.WrongObjectType: "would replace something that is no table",
}


@dataclass(frozen=True)
class FileShape:
    """What the first reading of a file found: columns, their types, and the number of rows."""

    columns: tuple[str, ...]
    types: tuple[ColumnType, ...]
    rows: int
    blank_lines: int
    kept_as_text: tuple[KeptAsText, ...]
    renamed: tuple[RenamedColumn, ...]


def read_shape(path: Path) -> FileShape:
    """Read the whole file and decide names and types. Raises BrokenFile where it is no good CSV."""
    records = read_records(path)
    header = next(records, None)
    if header is None:
        raise BrokenFile("is empty; the first line must hold the column names")
    columns, renamed = column_names(header[1])
    readings = [ColumnReading(column) for column in columns]
    rows = blank = 0
    for line, fields in records:
        if _is_blank(fields, len(columns)):
            blank += 1
            continue
        if len(fields) != len(columns):
            raise BrokenFile(f"has {len(fields)} fields, the header has {len(columns)}", line)
        rows += 1
        for reading, value in zip(readings, fields, strict=True):
            reading.add(value)
    decided = [reading.decide() for reading in readings]
    return FileShape(
        columns=columns,
        types=tuple(column_type for column_type, _ in decided),
        rows=rows,
        blank_lines=blank,
        kept_as_text=tuple(kept for _, kept in decided if kept),
        renamed=renamed,
    )


def load_file(
    conn: Connection[Any], schema: str, table: str, path: Path, *, replace: bool
) -> LandedTable:
    """Land `path` as `schema.table` and commit; with `replace`, in place of a table of that name.

    The schema is made where it is missing. Raises BrokenFile for a fault of this file alone
    (nothing of it landed), Refused where the schema holds the sample by now, WarehouseError where
    the table does not hold exactly the file's rows.
    """
    shape = read_shape(path)
    target = sql.Identifier(schema, table)
    try:
        with conn.transaction():
            # A time without an offset is UTC: that is how the connectors write to a warehouse.
            conn.execute("set local timezone = 'UTC'")
            conn.execute("set local client_encoding = 'UTF8'")
            if schema in marked_schemas(conn):
                raise Refused(
                    f"schema {schema} holds the sample: real rows are never mixed with it"
                )
            if not _exists(conn, "select from pg_namespace where nspname = %s", schema):
                conn.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
            replaced = replace and _exists(
                conn, "select from pg_class where oid = to_regclass(%s)", target.as_string(conn)
            )
            if replaced:
                conn.execute(sql.SQL("drop table {}").format(target))
            conn.execute(_create_table(target, shape))
            _copy(conn, target, path, shape)
            counted = conn.execute(sql.SQL("select count(*) from {}").format(target)).fetchone()
            landed = counted[0] if counted else 0
            if landed != shape.rows:
                raise WarehouseError(
                    f"{schema}.{table} holds {landed} rows after landing {shape.rows}: nothing of "
                    "this file was kept; look for an event trigger, then land it again"
                )
    except tuple(_THE_FILE_ITSELF) as error:
        reason = next(text for kind, text in _THE_FILE_ITSELF.items() if isinstance(error, kind))
        raise BrokenFile(f"{reason} (SQLSTATE {error.sqlstate})") from None
    return LandedTable(
        schema=schema,
        table=table,
        file=path.name,
        columns=len(shape.columns),
        rows_in=shape.rows,
        rows_landed=landed,
        blank_lines=shape.blank_lines,
        replaced=replaced,
        kept_as_text=shape.kept_as_text,
        renamed=shape.renamed,
    )


def _create_table(target: sql.Identifier, shape: FileShape) -> sql.Composed:
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(column_type))
        for column, column_type in zip(shape.columns, shape.types, strict=True)
    )
    return sql.SQL("create table {} ({})").format(target, columns)


def _copy(conn: Connection[Any], target: sql.Identifier, path: Path, shape: FileShape) -> None:
    width, rows = len(shape.columns), 0
    records = read_records(path)
    next(records)
    with conn.cursor().copy(sql.SQL("copy {} from stdin").format(target)) as copy:
        for line, fields in records:
            if _is_blank(fields, width):
                continue
            if len(fields) != width:
                raise BrokenFile("was changed while it was being landed", line)
            copy.write_row(fields)
            rows += 1
    if rows != shape.rows:
        raise BrokenFile("was changed while it was being landed")


def _is_blank(fields: Fields, width: int) -> bool:
    """A blank line is no row, except where a row has one field, which may be null."""
    return width > 1 and fields == [None]


def _exists(conn: Connection[Any], query: str, name: str) -> bool:
    return conn.execute(query, (name,)).fetchone() is not None
