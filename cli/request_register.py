"""`retention request new|list|show|intake|identify|verify|scans|extend|answer|close`: the register itself.

Belongs here: the commands' arguments and what they print. Does not belong here: what a step does
(`retention.rights.register`, `retention.rights.intake`).
"""

from typing import Annotated
from uuid import UUID

import typer

from cli.arguments import parse_day
from cli.console import JsonFlag, say, show_fields, show_json, show_table
from retention.rights import intake as intakes
from retention.rights import register
from retention.rights.model import Answer, Closing, Extension, Right, Verified
from retention.settings import Settings, load_settings

RequestId = Annotated[UUID, typer.Argument(metavar="REQUEST", help="As `request list` shows it.")]
RightOption = typer.Option("--right", help="Which right the person uses.")
PersonOption = typer.Option(
    "--person", metavar="SCHEMA.TABLE:KEY|TOKEN", help="Whose request it is, as classified last."
)


def new(
    right: Annotated[Right, RightOption],
    received: Annotated[
        str, typer.Option("--received", metavar="DATE", help="The day on which it came in.")
    ],
    person: Annotated[str | None, PersonOption] = None,
    purpose: Annotated[
        str | None,
        typer.Option("--purpose", help="For a withdrawal: the purpose, as the policy names it."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Register a request that came by letter, mail or phone. The person's records are held from now on."""
    received_on = parse_day(received)
    assert received_on is not None
    settings = load_settings()
    opened = register.open_request(settings, right, received_on, person=person, purpose=purpose)
    _show(settings, opened, as_json)


def list_(
    closed: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the requests, those due first in front."""
    found = register.list_(load_settings(), with_closed=closed)
    if as_json:
        show_json(found)
        return
    show_table(
        ("request", "right", "state", "received", "answer by", "person", "from"),
        [
            (
                one.request_id,
                one.asserted,
                one.state.replace("_", " "),
                one.received_on,
                one.answer_by,
                one.subject_token,
                one.source,
            )
            for one in found
        ],
    )


def show(request_id: RequestId, as_json: JsonFlag = False) -> None:
    """Show one request: how far it is, until when, and what is to be done next."""
    _show(load_settings(), request_id, as_json)


def identify(
    request_id: RequestId,
    person: Annotated[str, PersonOption],
    right: Annotated[Right | None, RightOption] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say whose a request is, and which right it uses where that was not understood."""
    settings = load_settings()
    register.identify(settings, request_id, person, right)
    _show(settings, request_id, as_json)


def verify(
    request_id: RequestId,
    how: Annotated[Verified, typer.Option("--how", help="How identity was made sure of.")],
    as_json: JsonFlag = False,
) -> None:
    """Record that the person is who the request says; the scan of a document is then deleted."""
    settings = load_settings()
    register.verify(settings, request_id, how)
    _show(settings, request_id, as_json)


def extend(
    request_id: RequestId,
    reason: Annotated[Extension, typer.Option("--reason", help="Why it takes longer.")],
    notified: Annotated[
        str, typer.Option("--notified", metavar="DATE", help="The day the person was told.")
    ],
    as_json: JsonFlag = False,
) -> None:
    """Extend the time for the answer, where the person was told within the first month."""
    notified_on = parse_day(notified)
    assert notified_on is not None
    settings = load_settings()
    register.extend(settings, request_id, reason, notified_on)
    _show(settings, request_id, as_json)


def answer(
    request_id: RequestId,
    outcome: Annotated[
        Answer, typer.Option("--outcome", help="What the person got.")
    ] = Answer.GRANTED,
    as_json: JsonFlag = False,
) -> None:
    """Record that a copy or a correction was handed over, or refused. What it held is free."""
    settings = load_settings()
    register.answer(settings, request_id, outcome)
    _show(settings, request_id, as_json)


def close(
    request_id: RequestId,
    closing: Annotated[
        Closing, typer.Option("--as", help="How it ended: answered once it was carried out.")
    ] = Closing.ANSWERED,
    as_json: JsonFlag = False,
) -> None:
    """End a request. What it held is free."""
    settings = load_settings()
    register.close(settings, request_id, closing)
    _show(settings, request_id, as_json)


def intake(as_json: JsonFlag = False) -> None:
    """Take landed requests into the register, as the last classification has them."""
    found = intakes.take_in(load_settings())
    if as_json:
        show_json(found)
        return
    say(
        f"Registered {found.registered} requests, {found.registered_closed} of them closed at their"
        f" source; found the persons of {found.identified} earlier ones."
    )
    if found.unidentified:
        say(f"{found.unidentified} wait for somebody to say whose they are: `request identify`.")


def delete_scans(as_json: JsonFlag = False) -> None:
    """Order the scans of identity documents that have served, and empty the pointers of those gone."""
    from retention.rights import scans

    found = scans.delete(load_settings())
    if as_json:
        show_json(found)
    else:
        say(f"Ordered {found.ordered} scans from their stores; emptied {found.emptied} pointers.")
        for table, why in found.refused.items():
            say(f"{table} was left out: {why}.")
    if found.refused:
        raise typer.Exit(1)


def _show(settings: Settings, request_id: UUID, as_json: bool) -> None:
    found = register.show(settings, request_id)
    step = register.next_step(found)
    if as_json:
        shown = {name: getattr(found, name) for name in found.__dataclass_fields__}
        show_json({**shown, "next": step})
        return
    show_fields(
        {
            "request": found.request_id,
            "right": found.asserted,
            "state": found.state.replace("_", " "),
            "received": found.received_on,
            "answer by": found.answer_by,
            "extended on": found.extended_on,
            "person": found.subject_token,
            "from": found.source,
            "next": step,
        }
    )
