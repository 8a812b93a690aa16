"""`retention evidence`: what anybody can check, and checking it.

Belongs here: the commands' arguments and what they print. Does not belong here: exporting
(`retention.evidence`), one plan's report (`retention.report.deletion`), and what holds (`verifier`).
"""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from cli.console import JsonFlag, progress, say, show_json
from retention.settings import load_settings

evidence = typer.Typer(
    add_completion=False,
    help="The ledger's signed checkpoints, deletion reports, and checking them.",
)


@evidence.command("verify")
def verify(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A deletion report, or an exported ledger.")
    ],
    key: Annotated[
        list[str],
        typer.Option("--key", metavar="K", help="The public key, or its file; repeatable."),
    ],
    since: Annotated[
        Path | None,
        typer.Option("--since", metavar="CHECKPOINT", help="An earlier checkpoint that you kept."),
    ] = None,
    record: Annotated[
        tuple[str, str] | None,
        typer.Option("--record", metavar="TABLE KEY", help="Was this record purged?"),
    ] = None,
    hmac_key: Annotated[
        Path | None, typer.Option("--hmac-key", metavar="FILE", help="The HMAC key, for --record.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a file offline, as `verifier/verify_evidence.py` does on a machine without all this.

    Ends with 0 where it holds, 1 where it does not, with a line that names each forgery.
    """
    from verifier.verify_evidence import main

    arguments = [str(file), *(part for one in key for part in ("--key", one))]
    if since is not None:
        arguments += ["--since", str(since)]
    if record is not None:
        arguments += ["--record", *record]
    if hmac_key is not None:
        arguments += ["--hmac-key", str(hmac_key)]
    if as_json:
        arguments.append("--json")
    code = main(arguments)
    if code:
        raise typer.Exit(code)


@evidence.command("checkpoint")
def checkpoint(as_json: JsonFlag = False) -> None:
    """Sign the head of the ledger and export it, with what a backup from before would lack."""
    from retention.evidence import open_destination, publish

    settings = load_settings()
    with progress("exporting a checkpoint"):
        head = publish(settings)
    where = open_destination(settings).where
    if as_json:
        show_json({"size": head.size if head else 0, "note": head and head.note, "where": where})
    elif head is None:
        say("The ledger is empty: nothing was exported.")
    else:
        say(f"{head.size} entries, signed {head.time}, in {where}")
        say(head.note.rstrip("\n"))


@evidence.command("export")
def export(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    as_json: JsonFlag = False,
) -> None:
    """Write the whole ledger to a file that anybody can check."""
    from retention.evidence.ledger_file import export as write

    with progress("writing the ledger"):
        size = write(load_settings(), path)
    if as_json:
        show_json({"file": path, "entries": size})
    else:
        say(f"{size} entries in {path}")


@evidence.command("report")
def report(
    plan: Annotated[UUID, typer.Argument(metavar="PLAN", help="A plan that was carried out.")],
    path: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Where to; the state folder.")
    ] = None,
    latest: Annotated[
        bool,
        typer.Option(
            "--latest", help="As of the latest checkpoint, for whoever holds a newer one."
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write the deletion report (slettebevis) of a plan, with all that proves it."""
    from retention.report import deletion

    with progress("writing the deletion report"):
        written = deletion.write(load_settings(), plan, path, latest=latest)
    if as_json:
        show_json({"file": written})
    else:
        say(f"deletion report: {written}")
