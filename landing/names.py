"""What landed schemas, tables and columns are called.

Belongs here: turning folder, file and header names into identifiers, and saying what was changed.
Does not belong here: quoting identifiers in SQL, and reading files.

Names come out as the connector itself would land them: lower case, one underscore for anything
that is no letter, digit or underscore. A reserved word stays what it is; SQL quotes identifiers.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from landing.csv_reader import BrokenFile, Fields
from retention.errors import UsageError
from retention.warehouse.sql import MAX_IDENTIFIER_BYTES

# PostgreSQL gives every table these columns and refuses another of the same name.
_SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
_OUR_SCHEMAS = frozenset(
    {"policy", "staging", "intermediate", "retention", "ledger", "sletteplikt", "public"}
)
_DATA_PART = re.compile(r"_data(?=_|$)")
# A column name is never an address, a date or a long number: such a first line is data.
_LOOKS_LIKE_DATA = re.compile(r".*@.*|\+?[0-9 ]{6,}|[0-9]{4}-[0-9]{2}-[0-9]{2}.*", re.DOTALL)


@dataclass(frozen=True)
class RenamedColumn:
    """A column whose landed name is not the one in the file; `position` counts from 1."""

    position: int
    column: str
    reason: str


def schema_name(folder: Path, asked: str | None = None) -> str:
    """The landing schema for `folder`, or the one asked for by name.

    Raises UsageError where that would be a schema of the engine's or of PostgreSQL's own.
    """
    name = asked if asked is not None else _identifier(folder.name)
    if not name or len(name.encode()) > MAX_IDENTIFIER_BYTES or name != _identifier(name):
        raise UsageError(
            f"{name!r} is no schema name: use lower-case letters, digits and underscores (--schema)"
        )
    if name in _OUR_SCHEMAS or "_as_of_" in name or name.startswith("pg_"):
        raise UsageError(f"schema {name!r} is not for landing: choose another with --schema")
    if name == "information_schema":
        raise UsageError(f"schema {name!r} is not for landing: choose another with --schema")
    return name


def table_name(schema: str, file: Path) -> str:
    """The table for `file`: its name without `.csv`, a leading `<schema>_` and a `_data` part.

    Raises BrokenFile where nothing usable is left or the name is too long for PostgreSQL.
    """
    name = _identifier(file.stem)
    without_schema = name.removeprefix(f"{schema}_")
    name = _DATA_PART.sub("", without_schema or name, count=1)
    if not name or len(name.encode()) > MAX_IDENTIFIER_BYTES:
        raise BrokenFile(
            f"its name gives no table name of 1 to {MAX_IDENTIFIER_BYTES} bytes; rename the file"
        )
    return name


def column_names(header: Fields) -> tuple[tuple[str, ...], tuple[RenamedColumn, ...]]:
    """The column names for a header record, each once, and those that differ from the file's.

    Raises BrokenFile where the first line is blank, is data, or is separated by something else.
    """
    if header == [None]:
        raise BrokenFile("the first line is blank; it must hold the column names", 1)
    if len(header) == 1 and re.search(r"[;\t|]", header[0] or ""):
        raise BrokenFile("is not separated by commas", 1)
    if any(_LOOKS_LIKE_DATA.fullmatch(name or "") for name in header):
        raise BrokenFile("the first line holds data and not column names", 1)
    wanted = [_column(name, position) for position, name in enumerate(header, 1)]
    taken = set(_SYSTEM_COLUMNS)
    # A name the file gives outright comes before one that we make up for its double.
    reserved = {name for name, _ in wanted}
    names: list[str] = []
    renamed: list[RenamedColumn] = []
    for position, (name, reason) in enumerate(wanted, 1):
        final = name
        if name in taken:
            reason = "PostgreSQL's own name" if name in _SYSTEM_COLUMNS else "name comes twice"
            final = _free(name, taken | reserved)
        taken.add(final)
        names.append(final)
        if reason:
            renamed.append(RenamedColumn(position, final, reason))
    return tuple(names), tuple(renamed)


def _column(raw: str | None, position: int) -> tuple[str, str]:
    """One header name as an identifier, and why it is not the file's own ('' when it is)."""
    name = _identifier((raw or "").strip().strip('"'))
    if not name:
        return f"column_{position}", "no name in the file"
    if len(name.encode()) > MAX_IDENTIFIER_BYTES:
        return _cut(name, ""), "longer than PostgreSQL allows"
    return name, "" if name == raw else "quotes, capitals or signs in the name"


def _free(name: str, taken: set[str]) -> str:
    number = 2
    while (candidate := _cut(name, f"_{number}")) in taken:
        number += 1
    return candidate


def _cut(name: str, suffix: str) -> str:
    room = MAX_IDENTIFIER_BYTES - len(suffix)
    return name.encode()[:room].decode(errors="ignore") + suffix


def _identifier(text: str) -> str:
    name = text.lower()
    cleaned = re.sub(r"\W+", "_", name)
    return cleaned if cleaned == name else cleaned.strip("_")
