"""`retention housekeep`: the system's own traces that are past their day.

Belongs here: the command's arguments and what it prints. Does not belong here: what is a trace and
how long it is kept (the policy, `retention.housekeeping`, `orchestration.housekeeping`).
"""

import dataclasses
from typing import Annotated

import typer

from cli.console import JsonFlag, progress, say, show_json, show_table
from retention.settings import load_settings

FINDINGS = 1


def housekeep(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove the system's own traces that are past their day: runs, logs, replays, ended plans.

    The policy says how long each is kept. Evidence is never removed. Ends with 1 where something that is
    due had to stay, with 3 while a run is going.
    """
    from orchestration.housekeeping import keep_house_now

    with progress("looking for traces" if dry_run else "removing traces"):
        swept = keep_house_now(load_settings(), dry_run=dry_run)
    if as_json:
        show_json({"dry_run": dry_run, "traces": [dataclasses.asdict(one) for one in swept]})
    else:
        show_table(
            ("trace", "kept", "due", "removed"),
            [(one.kind, one.kept, one.due, one.removed) for one in swept],
        )
        for one in swept:
            for reason in one.stayed:
                say(f"- stays: {reason}")
    if any(one.remaining for one in swept) and not dry_run:
        raise typer.Exit(FINDINGS)
