"""Lands a folder of exported connector files (CSV) as they are, one schema a folder.

Belongs here: finding the files, what each becomes, and whether landing it is allowed. Does not
belong here: reading or loading a single file (`load`), and the sample (`landing.sample`).

On any database this happens only because a person asked for it by name. A landed schema never bears
the sample's marker, and real rows are never mixed into one that does.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from landing.csv_reader import BrokenFile
from landing.landed import KeptOut, LandedTable, LandReport
from landing.load import load_file
from landing.marker import marked_schemas
from landing.names import schema_name, table_name
from retention.errors import Refused, UsageError, WarehouseError

_MADE_MEANWHILE = (
    psycopg.errors.DuplicateTable,
    psycopg.errors.DuplicateSchema,
    psycopg.errors.UniqueViolation,
)


def land_directory(
    conn: psycopg.Connection[Any], path: Path, *, schema: str | None = None, replace: bool = False
) -> LandReport:
    """Land every CSV file below `path`; each file is one table and one transaction.

    Every folder that holds CSV files is a schema of its own name, or `schema` where there is one
    such folder. A file that cannot be read whole is kept out and reported; the others land.

    Raises UsageError (no folder, no files, an unusable name), Refused (a schema that exists and
    `replace` was not asked for, or one that holds the sample), WarehouseError (connection lost).
    `replace` replaces tables of the same names and leaves all others alone.
    """
    if conn.info.transaction_status != TransactionStatus.IDLE:
        raise WarehouseError("landing needs a connection without an open transaction: commit first")
    folders = _folders(path, schema)
    try:
        _check_allowed(conn, folders, replace=replace)
        tables, kept_out = _land(conn, path, folders, replace=replace)
    except psycopg.OperationalError:
        raise WarehouseError(
            "the warehouse was lost while landing: tables landed before stay; run it again with "
            "--replace"
        ) from None
    except psycopg.errors.InsufficientPrivilege:
        raise WarehouseError(
            "the database login may not create or replace landing tables: grant it CREATE on the "
            "database and its schemas"
        ) from None
    except _MADE_MEANWHILE:
        raise Refused(
            "another landing makes the same tables now: wait until it has ended"
        ) from None
    return LandReport(tuple(sorted(tables, key=lambda table: table.qualified)), tuple(kept_out))


def _folders(path: Path, asked: str | None) -> dict[str, list[Path]]:
    """Schema → its files, for `path` and every folder below it that holds CSV files."""
    if not path.is_dir():
        raise UsageError(f"{path} is no folder: name the folder that holds the CSV files")
    found = dict(_with_files(path.resolve()))
    if not found:
        raise UsageError(f"{path} holds no CSV file: name the folder that does")
    if asked is not None and len(found) > 1:
        raise UsageError(
            f"--schema names one schema, {path} holds {len(found)}: land one at a time"
        )
    schemas: dict[str, list[Path]] = {}
    for folder, files in found.items():
        name = schema_name(folder, asked)
        if name in schemas:
            raise UsageError(f"two folders below {path} are named {name!r}: land one at a time")
        schemas[name] = files
    return schemas


def _with_files(root: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Each folder with its CSV files. Hidden files and folders are a file manager's, no tables."""

    def unreadable(error: OSError) -> None:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}") from None

    for folder, inner, files in os.walk(root, onerror=unreadable):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        tables = sorted(name for name in files if _is_table(name))
        if tables:
            yield Path(folder), [Path(folder, name) for name in tables]


def _is_table(name: str) -> bool:
    return name.lower().endswith(".csv") and not name.startswith(".")


def _check_allowed(conn: psycopg.Connection[Any], schemas: Iterable[str], *, replace: bool) -> None:
    wanted = sorted(schemas)
    with conn.transaction():
        sample = sorted(marked_schemas(conn) & set(wanted))
        present = [
            name
            for (name,) in conn.execute(
                "select nspname from pg_namespace where nspname = any(%s) order by nspname",
                (wanted,),
            )
        ]
    if sample:
        raise Refused(
            f"schema {', '.join(sample)} holds the sample: real rows are never mixed with it; land "
            "under another name with --schema, or in a warehouse without the sample"
        )
    if present and not replace:
        raise Refused(
            f"schema {', '.join(present)} already exists: ask with --replace to replace its tables "
            "of the same names"
        )


def _land(
    conn: psycopg.Connection[Any], root: Path, schemas: dict[str, list[Path]], *, replace: bool
) -> tuple[list[LandedTable], list[KeptOut]]:
    tables: list[LandedTable] = []
    kept_out: list[KeptOut] = []
    for schema, files in schemas.items():
        claims = Counter(_claimed(schema, file) for file in files)
        for file in files:
            shown = file.relative_to(root.resolve()).as_posix()
            try:
                table = table_name(schema, file)
                if claims[table] > 1:
                    raise BrokenFile(f"two files would become {schema}.{table}; rename one of them")
                tables.append(load_file(conn, schema, table, file, replace=replace))
            except BrokenFile as broken:
                kept_out.append(KeptOut(shown, broken.line, broken.reason))
            except OSError as error:
                kept_out.append(KeptOut(shown, None, f"cannot be read: {error.strerror}"))
    return tables, kept_out


def _claimed(schema: str, file: Path) -> str | None:
    try:
        return table_name(schema, file)
    except BrokenFile:
        return None
