"""The one way the commands print.

Belongs here: text, tables and JSON on stdout, remarks and progress on stderr. Does not belong here:
what is printed. Colour and progress appear on a terminal only, and NO_COLOR is heeded (by rich).
"""

import dataclasses
import datetime
import decimal
import json
import os
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

# What every command's --json option is declared as.
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]

# A pipe has no width: nothing is cut or wrapped there, so that lines can be searched.
_NO_LIMIT = 10_000


def say(text: str = "") -> None:
    """Print one line of the result."""
    _console().print(text, markup=False, highlight=False, soft_wrap=True)


def remark(text: str) -> None:
    """Print one line that is not part of the result, to stderr."""
    _console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)


def show_json(payload: Any) -> None:
    """Print `payload` as JSON. Dates are ISO text, dataclasses objects, bytes hexadecimal."""
    sys.stdout.write(json.dumps(payload, indent=2, ensure_ascii=False, default=_plain) + "\n")


def show_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    title: str | None = None,
    footer: Sequence[Any] | None = None,
) -> None:
    """Print a table; numbers are set to the right, None is left empty. Give an id or a year as
    text: a number is grouped by thousands on a terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    body = [list(row) for row in rows]
    table = Table(
        title=Text(title, style="bold") if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_footer=footer is not None,
    )
    for index, name in enumerate(columns):
        numeric = bool(body) and all(_is_number(row[index]) or row[index] is None for row in body)
        table.add_column(
            Text(name),
            footer=Text(_cell(footer[index])) if footer is not None else "",
            justify="right" if numeric else "left",
            overflow="fold",
        )
    for row in body:
        # Text, so that a value with brackets is shown and not taken for markup.
        table.add_row(*(Text(_cell(value)) for value in row))
    _console().print(table)


def show_fields(fields: Mapping[str, Any], *, title: str | None = None) -> None:
    """Print one thing's fields, a line each; None is left out."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(overflow="fold")
    for name, value in fields.items():
        if value is not None:
            grid.add_row(Text(name, style="bold"), Text(_cell(value)))
    if title:
        _console().print(Text(title, style="bold"))
    _console().print(grid)


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Show that something goes on, on a terminal only, for as long as the block runs."""
    console = _console(stderr=True)
    if not console.is_terminal:
        yield
        return
    from rich.text import Text

    with console.status(Text(what)):
        yield


def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    wide = None if stream.isatty() or "COLUMNS" in os.environ else _NO_LIMIT
    return Console(file=stream, width=wide)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | decimal.Decimal) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        # Grouped for the eye only: in a pipe a number stays a number.
        return f"{value:,}".replace(",", " ") if sys.stdout.isatty() else str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_cell(item) for item in value)
    return str(value)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, uuid.UUID | Path | decimal.Decimal):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
