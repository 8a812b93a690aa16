"""`retention request decide`, `carry-out` and `letter`: erasing what a person asked to have erased (§ 8).

Belongs here: the commands' arguments and what they print. Does not belong here: deciding, planning and the
letter's words (`retention.rights.erasure`). Who decides is the login of the connection, never an argument.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from cli.arguments import parse_day
from cli.console import JsonFlag, progress, say, show_json, show_table
from cli.plan_show import show_plan
from retention.errors import UsageError
from retention.rights.model import Outcome
from retention.settings import load_settings

if TYPE_CHECKING:
    from retention.rights.erasure import Counted

RequestId = Annotated[UUID, typer.Argument(metavar="REQUEST", help="The request's id.")]
RequestIds = Annotated[list[UUID], typer.Argument(metavar="REQUEST…", help="The requests' ids.")]


def decide(
    request_ids: RequestIds,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be decided; write nothing.")
    ] = False,
    record: Annotated[
        str | None,
        typer.Option("--record", metavar="TABLE:KEY", help="Decide this record, left to a person."),
    ] = None,
    outcome: Annotated[
        Outcome | None, typer.Option("--outcome", help="erase, lock or refuse, with --record.")
    ] = None,
    law: Annotated[
        str | None, typer.Option("--law", help="The law that hinders, with --record.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="A lock's last day.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, with --record.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Decide requests for erasure, each record by the rule it stands under, or one record by a person.

    Ends with 3 where this login may not answer requests, a person's identity is not verified, or the
    records were not classified today.
    """
    from retention.rights import erasure

    settings = load_settings()
    if record is None:
        if outcome or law or until or reason:
            raise UsageError("--outcome, --law, --until and --reason decide one record: name it")
        with progress("deciding"):
            found = (erasure.propose if dry_run else erasure.decide)(settings, request_ids)
    else:
        if dry_run or len(request_ids) != 1 or outcome is None or not reason:
            raise UsageError(
                "one record is decided for one request, with --outcome and --reason, and not --dry-run"
            )
        erasure.decide_record(
            settings,
            request_ids[0],
            record,
            outcome,
            reason=reason,
            law=law,
            until_on=parse_day(until),
        )
        found = erasure.decided(settings, request_ids)
    if as_json:
        show_json(found)
        return
    _show_counts(found.counts)
    done = "would be decided" if dry_run else "decided"
    say(f"{sum(count.records for count in found.counts)} records {done}")
    if found.of(Outcome.PERSON):
        say(f"{found.of(Outcome.PERSON)} of them a person has to decide: --record, --outcome")


def carry_out(request_id: RequestId, as_json: JsonFlag = False) -> None:
    """Freeze what was decided into a plan, which the decisions approve, and say what waits.

    The job carries the plan out, or `retention purge`. Ends with 3 where the records were not classified
    today.
    """
    from expectations import require_integrity
    from retention.classify import today
    from retention.rights import erasure

    settings = load_settings()
    with progress("checking, then freezing the plan"):
        require_integrity(settings, today())
        done = erasure.carry_out(settings, request_id)
    if as_json:
        show_json(done)
        return
    if done.is_finished:
        say("carried out: nothing of it is left to do")
        return
    _show_counts(done.waiting)
    if done.plan is None:
        say("nothing waits for a purge; what is left, a person decides")
    elif done.plan.state == "empty":
        say("nothing can be purged yet: `retention run` classifies what was decided")
    else:
        show_plan(done.plan)


def letter(
    request_id: RequestId,
    folder: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Where the files go.", file_okay=False),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the decision letter, in bokmål and English, as PDF and HTML; its hash becomes evidence."""
    from retention.rights import erasure

    written = erasure.write(load_settings(), request_id, folder)
    if as_json:
        show_json({"files": written})
        return
    for path in written:
        say(f"{path}")


def _show_counts(counts: Iterable["Counted"]) -> None:
    show_table(
        ("table", "category", "outcome", "rule", "law", "until", "records", "waiting"),
        [
            (
                count.table,
                count.category,
                count.outcome,
                count.rule_id,
                count.law,
                count.until_on,
                count.records,
                count.waiting or None,
            )
            for count in counts
        ],
    )
