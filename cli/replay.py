"""`retention replay`: after a backup was restored.

Belongs here: the order of the steps and what they print. Does not belong here: any of the steps.
"""

from dataclasses import asdict

from cli.console import JsonFlag, progress, say, show_json
from cli.jobs import run_job
from cli.run import JOB, show_plans
from retention import plan as plans
from retention.errors import Refused
from retention.replay import bring_back, what_came_back
from retention.settings import load_settings


def replay(as_json: JsonFlag = False) -> None:
    """After a restore: bring back what was purged, held and suppressed since the backup, then classify.

    For the login that migrated the database. Rows that were purged before and stand there again are
    planned; nothing is deleted before that plan is approved. Ends with 3 where an exported file is
    missing or changed, or the backup is none of this ledger.
    """
    settings = load_settings()
    with progress("bringing back what the backup lacks"):
        found = bring_back(settings)
    with progress("classifying, checking, planning"):
        result = run_job(settings, JOB)
    judged = what_came_back(settings)
    made = plans.of_last_night(settings)
    if as_json:
        show_json(
            {"brought_back": asdict(found), "came_back": judged, "plans": made, "run": result}
        )
    else:
        say(
            f"ledger: {found.entries_before} entries restored, {found.entries_after} after the replay"
        )
        for table, rows in found.rows.items():
            if rows:
                say(f"  {table.replace('_', ' ')}: {rows}")
        say(f"purged rows that came back: {sum(judged.values())}")
        for what, records in judged.items():
            say(f"  {what}: {records}")
        show_plans(made)
    if not result.success:
        raise Refused(
            f"no plan was made: {', '.join(result.failed_steps) or 'a step'} failed;"
            " `retention status` shows the checks behind it"
        )
