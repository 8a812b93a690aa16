"""`retention hold`: what keeps records from being purged.

Belongs here: the commands' arguments and what they print. Does not belong here: what a blocker does;
`retention.holds` places, confirms and releases them as the login of the connection.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from cli.arguments import parse_day
from cli.console import JsonFlag, say, show_json, show_table
from cli.locked import withdrawn_words
from retention import holds
from retention.errors import UsageError
from retention.settings import load_settings

if TYPE_CHECKING:
    from datetime import date


class Kind(StrEnum):
    hold = "hold"
    restriction = "restriction"
    lock = "lock"


class Scope(StrEnum):
    subject = "subject"
    assignment = "assignment"
    record = "record"
    table = "table"


hold = typer.Typer(
    add_completion=False, help="Legal holds, restrictions (GDPR art. 18) and locks (§ 8)."
)


@hold.command("add")
def add(
    scope: Annotated[Scope, typer.Argument(help="What it covers.")],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="SCHEMA.TABLE:KEY of a person, assignment or record, a person's token, or"
            " SCHEMA.TABLE.",
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays out of the evidence.")],
    authority: Annotated[str, typer.Option("--authority", help="Who demands it, or by which law.")],
    kind: Annotated[Kind, typer.Option("--kind", help="What it is.")] = Kind.hold,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day; today without it.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="DATE",
            help="Expected last day. Ends a lock; a hold stands on until it is confirmed or released.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep records from being purged. A purge under way waits for this, or is waited for."""
    # Slow to import, and not needed for a hold.
    from retention.rights.out_of_use.withdraw import withdraw_where_allowed

    settings = load_settings()
    placed = holds.place(
        settings,
        kind=kind.value,
        scope=scope.value,
        target=target,
        reason=reason,
        authority=authority,
        from_on=parse_day(since),
        until_on=parse_day(until),
    )
    done = withdraw_where_allowed(settings) if kind is not Kind.hold else None
    if as_json:
        show_json({"blocker_id": placed})
        return
    say(f"Placed {kind.value} {placed}.")
    if kind is not Kind.hold:
        say(withdrawn_words(done))


@hold.command("confirm")
def confirm(
    blocker_id: Annotated[UUID, typer.Argument(metavar="ID", help="As `hold list` shows it.")],
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="The new expected last day.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays out of the evidence.")],
    as_json: JsonFlag = False,
) -> None:
    """Confirm that a hold or restriction stands beyond its day."""
    until_on = parse_day(until)
    assert until_on is not None
    holds.confirm(load_settings(), blocker_id, until_on=until_on, reason=reason)
    if as_json:
        show_json({"confirmed": blocker_id, "until_on": until_on})
    else:
        say(f"Confirmed {blocker_id} until {until_on}.")


@hold.command("release")
def release(
    blocker_id: Annotated[UUID, typer.Argument(metavar="ID", help="As `hold list` shows it.")],
    restart_r4: Annotated[
        bool,
        typer.Option(
            "--restart-r4",
            help="The claim was acknowledged: R4 begins anew for the assignment, or for each completed"
            " one of the person. Needs --law and --on.",
        ),
    ] = False,
    law: Annotated[
        str | None, typer.Option("--law", help="The law by which it does, such as «… § 14».")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="The day of the acknowledgement.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Release a hold, restriction or lock. No period begins anew by that alone."""
    restart = _restart(restart_r4, law, parse_day(on))
    restarted = holds.release(load_settings(), blocker_id, restart=restart)
    if as_json:
        show_json({"released": blocker_id, "restarted_assignments": restarted})
        return
    say(f"Released {blocker_id}.")
    if restart:
        say(
            f"R4 runs anew from {restart.on} for {restarted} assignments, by {restart.law}:"
            " `retention run` takes it up, and nothing of theirs is purged before."
        )


def _restart(wanted: bool, law: str | None, on: "date | None") -> holds.Restart | None:
    if wanted and law and on:
        return holds.Restart(law, on)
    if wanted or law or on:
        raise UsageError("R4 begins anew by --restart-r4 with both --law and --on, or not at all")
    return None


@hold.command("list")
def list_(
    released: Annotated[bool, typer.Option("--all", help="Also those that were released.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List what blocks a deletion now."""
    found = holds.list_(load_settings(), released=released)
    if as_json:
        show_json(found)
        return
    show_table(
        ("id", "kind", "scope", "target", "from", "until", "authority", "placed by", "released by"),
        [
            (
                one.blocker_id,
                one.kind,
                one.scope,
                one.target,
                one.from_on,
                f"{one.until_on}, confirm or release" if one.is_past_its_day else one.until_on,
                one.authority,
                one.placed_by,
                one.released_by,
            )
            for one in found
        ],
    )
