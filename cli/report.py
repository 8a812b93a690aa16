"""`retention report`: what is kept, what is due and what was done, as JSON, CSV, a page and a PDF.

Belongs here: the command's arguments, and where the files are. Does not belong here: what the
report says and how it looks; `retention.report` does.
"""

from typing import Annotated

import typer

from cli.arguments import parse_day
from cli.console import JsonFlag, progress, remark, say, show_json
from retention.language import Language
from retention.report.report import write_report
from retention.settings import load_settings


def report(
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="A day that was classified; the last one."),
    ] = None,
    language: Annotated[
        Language | None,
        typer.Option("--lang", help="Of page and PDF; else RETENTION_LANGUAGE, else English."),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Make the report of that day again, and say where it differs from the one kept then"
            " and why. Ends with 1 where no evidence explains it.",
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write the report: JSON, CSV, a PDF, and one page that needs nothing from outside and prints."""
    settings, day = load_settings(), parse_day(as_of)
    if compare:
        from cli.report_compared import compare_report

        compare_report(settings, day, as_json=as_json)
        return
    from retention.report.history import keep

    with progress("writing the report"):
        written = write_report(settings, day, language)
        kept = keep(settings, written.document, written.json_path)
    if not kept.is_kept:
        remark(f"the report is not kept for later comparison: {kept.because}")
    if as_json:
        show_json(written.document)
        return
    headline = written.document["headline"]
    say(
        f"as of {written.document['made_from']['as_of']}: {headline['records']} records,"
        f" {headline['overdue']} overdue, {headline['purged']} purged so far"
    )
    say(f"page: {written.html_path}")
    say(f"pdf: {written.pdf_path}")
    say(f"data: {written.json_path}")
    say(f"tables: {written.csv_folder}")
