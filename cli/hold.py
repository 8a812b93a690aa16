"""`retention hold`: what keeps records from being purged.

Belongs here: the commands' arguments and what they print. Does not belong here: what a blocker does;
`retention.holds` places and releases them as the login of the connection.
"""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from cli.arguments import parse_day
from cli.console import JsonFlag, say, show_json, show_table
from retention import holds
from retention.settings import load_settings


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
            help="Expected last day. Ends a lock; a hold stands until it is released.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep records from being purged. A purge under way waits for this, or is waited for."""
    placed = holds.place(
        load_settings(),
        kind=kind.value,
        scope=scope.value,
        target=target,
        reason=reason,
        authority=authority,
        from_on=parse_day(since),
        until_on=parse_day(until),
    )
    if as_json:
        show_json({"blocker_id": placed})
    else:
        say(f"Placed {kind.value} {placed}.")


@hold.command("release")
def release(
    blocker_id: Annotated[UUID, typer.Argument(metavar="ID", help="As `hold list` shows it.")],
    as_json: JsonFlag = False,
) -> None:
    """Release a hold, restriction or lock."""
    holds.release(load_settings(), blocker_id)
    if as_json:
        show_json({"released": blocker_id})
    else:
        say(f"Released {blocker_id}.")


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
                one.until_on,
                one.authority,
                one.placed_by,
                one.released_by,
            )
            for one in found
        ],
    )
