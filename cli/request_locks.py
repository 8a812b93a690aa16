"""`retention request restrict` and `lift`: a restriction and its end (GDPR art. 18).

Belongs here: the commands' arguments and what they print. Does not belong here: what a restriction does
(`retention.rights.out_of_use`).
"""

from typing import Annotated
from uuid import UUID

import typer

from cli.arguments import parse_day
from cli.console import JsonFlag, say, show_json
from cli.locked import withdrawn_words
from retention.settings import load_settings


def restrict(
    request_id: Annotated[
        UUID | None, typer.Argument(metavar="[REQUEST]", help="The request that asks for it.")
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            "--person", metavar="TOKEN", help="Instead of a request: a token, or SCHEMA.TABLE:KEY."
        ),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            "--record", metavar="SCHEMA.TABLE:KEY", help="This record alone, not all of them."
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it stays out of the evidence.")
    ] = "the person asked for it",
    authority: Annotated[
        str, typer.Option("--authority", help="By which law.")
    ] = "GDPR art. 18(1)",
    as_json: JsonFlag = False,
) -> None:
    """Restrict a person's data: stored, and out of everything else, until it is lifted.

    No model shows it and no purge takes it, however overdue. A request is carried out by it.
    """
    from retention.rights.out_of_use import restriction
    from retention.rights.out_of_use.withdraw import withdraw_where_allowed

    settings = load_settings()
    placed = restriction.restrict(
        settings,
        request_id=request_id,
        person=person,
        record=record,
        reason=reason,
        authority=authority,
    )
    done = withdraw_where_allowed(settings)
    if as_json:
        show_json({"blocker_id": placed, "withdrawn": vars(done) if done else None})
        return
    say(f"Restricted by {placed}: no purge takes it from now on.")
    say(withdrawn_words(done))


def lift(
    blocker_id: Annotated[UUID, typer.Argument(metavar="RESTRICTION", help="Its number.")],
    told_on: Annotated[
        str | None,
        typer.Option("--told-on", metavar="DATE", help="The day on which the person was told."),
    ] = None,
    how: Annotated[
        str | None, typer.Option("--how", help="In which way, such as «letter»; no name.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Lift a restriction, after the person was told of it (GDPR art. 18(3)).

    Its records are in use again after the next `retention run`.
    """
    from retention.rights.out_of_use import restriction

    restriction.lift(load_settings(), blocker_id, told_on=parse_day(told_on), how=how)
    if as_json:
        show_json({"lifted": blocker_id})
    else:
        say(f"Lifted {blocker_id}: `retention run` brings its records back into use.")
