"""`retention compact`: rewriting the files that hold what was purged.

Belongs here: the command's arguments and what it prints. Does not belong here: which tables, and how;
`retention.erasure` decides as the login of the connection.
"""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.console import JsonFlag, progress, say, show_json, show_table
from retention.settings import load_settings

FINDINGS = 1


def compact(
    wait: Annotated[
        int, typer.Option("--wait", min=0, help="Seconds to try tables again that are in use.")
    ] = 60,
    as_json: JsonFlag = False,
) -> None:
    """Rewrite the tables that lost rows under a category that the policy erases physically.

    Nobody can read a table while it is rewritten, and it needs room for a second copy of it; one that is
    in use is left alone after a moment and tried again. Needs a login with retention_compactor that may
    maintain the tables. Ends with 1 where a table was left, which then says why, or where a crash left
    files that no table owns, and with 3 while halted or while a purge or a classification is going on.
    """
    from retention.erasure.compaction import compact as rewrite

    with progress("rewriting tables"):
        done = rewrite(load_settings(), wait_seconds=wait)
    if as_json:
        show_json(asdict(done))
    elif done.compaction_id is None:
        say("Nothing waits to be rewritten.")
    else:
        say(f"Rewrote {len(done.rewritten)} tables; evidence entry {done.entry_id}.")
        if not done.checkpointed:
            say("No checkpoint was made: grant pg_checkpoint for one.")
        if done.left:
            say(f"{len(done.left)} tables were left, and what was purged stays at level logical:")
            show_table(("table", "why"), [(one.table, one.why) for one in done.left])
        if done.unowned_files:
            say(
                f"{done.unowned_files} files that no table owns: a crash left them, see the runbook."
            )
    raise typer.Exit(0 if done.is_whole else FINDINGS)
