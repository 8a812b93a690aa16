"""`retention detect`: what columns seem to hold that nobody declared to hold personal data.

Belongs here: the command's arguments and the layout. Does not belong here: the scan
(`retention.detection`).
"""

import dataclasses
from typing import Annotated

import typer

from cli.console import JsonFlag, progress, say, show_json, show_table
from retention.declarations import load_declarations
from retention.detection.run import scan
from retention.detection.scan import SAMPLE_ROWS
from retention.settings import load_settings

FINDINGS = 1


def detect(
    where: Annotated[
        str | None, typer.Argument(metavar="[SCHEMA[.TABLE]]", help="Only this schema or table.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is declared harmless or exempt.")
    ] = False,
    sample_rows: Annotated[
        int, typer.Option("--sample-rows", min=1, help="Rows of a table to look at, at most.")
    ] = SAMPLE_ROWS,
    as_json: JsonFlag = False,
) -> None:
    """Scan a sample of what landed and nobody declared: kinds and counts, never a value.

    Reads only. Ends with 1 where a column seems to hold personal data. The daily job scans the same, and
    the weekly job `detect_personal_data` what `--all` does; `retention coverage` shows what they found.
    """
    settings = load_settings()
    schema, _, table = (where or "").partition(".")
    with progress("looking at a sample"):
        found = scan(
            settings,
            load_declarations(settings.declarations_dir),
            declared=everything,
            schema=schema or None,
            table=table or None,
            sample_rows=sample_rows,
        )
    personal = [one for one in found if one.found]
    if as_json:
        show_json(
            {
                "scanned": len(found),
                "columns": [
                    {
                        "schema": one.column[0],
                        "table": one.column[1],
                        "column": one.column[2],
                        "kind": one.kind,
                        "sampled": one.sampled,
                        "unread": one.unread,
                        "found": [dataclasses.asdict(each) for each in one.found],
                    }
                    for one in found
                ],
            }
        )
    else:
        if personal:
            show_table(
                ("column", "seems to hold", "pattern", "confidence", "by", "matched", "sampled"),
                [
                    (
                        ".".join(one.column),
                        each.kind,
                        each.pattern,
                        each.confidence,
                        each.basis,
                        each.matched,
                        one.sampled,
                    )
                    for one in personal
                    for each in one.found
                ],
            )
        for one in found:
            if one.unread:
                say(f"- {'.'.join(one.column)} was judged by its name alone: {one.unread}")
        say(f"{len(found)} columns scanned, {len(personal)} seem to hold personal data")
        if not found and not everything:
            say("every column is declared: `--all` scans those declared harmless or exempt too")
    if any(one.is_likely for one in found):
        raise typer.Exit(FINDINGS)
