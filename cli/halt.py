"""`retention halt` and `retention resume`: the kill switch.

Belongs here: the commands' arguments and what they print. Does not belong here: what a halt stops;
`retention.halts` and the gate in the database do. Who halts or resumes is the login of the connection.
"""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.console import JsonFlag, progress, say, show_json
from retention import halts
from retention.settings import load_settings

FINDINGS = 1

Reason = Annotated[str, typer.Option("--reason", help="Why, in words that name nobody.")]


def halt(
    reason: Reason,
    wait: Annotated[
        int, typer.Option("--wait", min=1, help="Seconds to wait for the batch that is going.")
    ] = 60,
    as_json: JsonFlag = False,
) -> None:
    """Stop everything that deletes, everywhere, at once.

    Nothing destructive begins from here on; a batch that has begun ends first, with its evidence. Ends
    with 1 where it is still going on after the wait, with 3 where it was halted before.
    """
    settings = load_settings()
    placed = halts.halt(settings, reason)
    with progress("waiting for the batch that is going"):
        quiet = halts.wait_for_quiet(settings, wait)
    if as_json:
        show_json({**asdict(placed), "quiet": quiet})
    elif quiet:
        say("Halted: nothing destructive is going on any more.")
    else:
        say("Halted: nothing more begins, but a batch that began before is still going on.")
    if not quiet:
        raise typer.Exit(FINDINGS)


def resume(reason: Reason, as_json: JsonFlag = False) -> None:
    """End the halt, with a login that has retention_approver.

    In the embedded warehouse the demonstration's second login does it. Ends with 3 where nothing is
    halted, or this login may not. Purges that were cut short go on by themselves under the schedule.
    """
    ended = halts.resume(load_settings(), reason)
    if as_json:
        show_json(ended)
    else:
        say(f"Resumed by {ended.resumed_by}.")
