"""`retention land`: exported connector files into the warehouse.

Belongs here: the command's arguments and how its report is printed. Does not belong here: reading
files, deciding types, writing tables; `landing.files` does.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import JsonFlag, progress, remark, say, show_json, show_table

if TYPE_CHECKING:
    from landing.column_types import KeptAsText
    from landing.landed import LandReport


def land(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder of CSV files, or of such folders.")
    ],
    schema: Annotated[
        str | None, typer.Option(help="Land one folder under this name instead of its own.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace tables of the same names.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Land exported connector files as they are: every row, nothing guessed, nothing silently null.

    Each folder is a schema, each file a table. Ends with 2 when a file was kept out, with 3 when a
    schema exists already and --replace was not asked for.
    """
    from landing.files import land_directory
    from retention.settings import load_settings
    from retention.warehouse.connection import connect

    with progress(f"landing {directory}"), connect(load_settings()) as connection:
        report = land_directory(connection, directory, schema=schema, replace=replace)
    if as_json:
        show_json(report.as_dict())
    else:
        _show(report)
    raise typer.Exit(report.exit_code)


def _show(report: "LandReport") -> None:
    show_table(
        ("table", "rows in", "rows landed", "columns"),
        [
            (table.qualified, table.rows_in, table.rows_landed, table.columns)
            for table in report.tables
        ],
        footer=("total", report.rows_in, report.rows_landed, ""),
    )
    for table in report.tables:
        for kept in table.kept_as_text:
            say(f"{table.qualified}.{kept.column}: {_why_text(kept)}")
        for column in table.renamed:
            say(f"{table.qualified}.{column.column}: renamed: {column.reason}")
        if table.blank_lines:
            say(f"{table.qualified}: {table.blank_lines} blank lines are no rows")
    for kept_out in report.kept_out:
        remark(f"kept out: {kept_out.place}: {kept_out.reason}")


def _why_text(kept: "KeptAsText") -> str:
    shape = f", such as {kept.mask}" if kept.mask else ""
    values = f"{kept.values} of {kept.of} values{shape}"
    return f"kept as text: {values}: {kept.reason} as {kept.looks_like}"
