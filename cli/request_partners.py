"""`retention request notices|acknowledge|relays|relay|rectify|trace`: who is told, what partners decide,
what was corrected.

Belongs here: the commands' arguments and what they print. Does not belong here: notices
(`retention.rights.recipients`), relays (`retention.rights.partners`) and tracing
(`retention.rights.rectification`).
"""

from typing import TYPE_CHECKING, Annotated, get_args
from uuid import UUID

import typer

from cli.console import JsonFlag, say, show_json, show_table
from retention.errors import UsageError
from retention.settings import load_settings

if TYPE_CHECKING:
    from retention.rights.rectification import Rectification

FINDINGS = 1


def notices(
    open_only: Annotated[
        bool, typer.Option("--open", help="Only what nobody has settled.")
    ] = False,
    send: Annotated[
        UUID | None,
        typer.Option(
            "--send",
            metavar="NOTICE",
            help="Send this one: it is logged, and prints the keys that the recipient needs.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the notices to recipients (GDPR art. 19), or send one."""
    from retention.rights import recipients

    settings = load_settings()
    if send is not None:
        told = recipients.send(settings, send)
        if as_json:
            show_json(told)
            return
        if told.partner:
            say(f"To {told.partner}.")
        say("Erase, correct or restrict, and pass on to whom you gave it:" if told.records else "")
        show_table(
            ("table", "record"),
            [(table, key) for table, keys in told.records.items() for key in keys],
        )
        return
    found = recipients.list_(settings, open_only=open_only)
    if as_json:
        show_json(found)
        return
    show_table(
        (
            "id",
            "occasion",
            "of",
            "recipient",
            "records",
            "opened",
            "state",
            "answered by",
            "answer",
        ),
        [
            (
                one.notice_id,
                one.occasion,
                one.occasion_id,
                one.recipient_id,
                one.records,
                f"{one.opened_at:%Y-%m-%d}",
                one.state,
                one.answered_by,
                one.answer,
            )
            for one in found
        ],
    )


def acknowledge(
    notice_ids: Annotated[
        list[UUID], typer.Argument(metavar="NOTICE…", help="As `request notices` shows them.")
    ],
    text: Annotated[
        str,
        typer.Option(
            "--text",
            help="The answer or its reference, or the reason. No word of the person: it stays.",
        ),
    ],
    by: Annotated[
        str | None, typer.Option("--by", help="Who at the recipient acknowledged it.")
    ] = None,
    impossible: Annotated[
        bool,
        typer.Option("--impossible", help="Telling is impossible, or out of proportion (art. 19)."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Record that recipients acknowledged notices, or why they cannot be told."""
    from retention.rights import recipients

    if (by is None) != impossible:
        raise UsageError("say who acknowledged it (--by), or that telling is --impossible")
    settings = load_settings()
    if by is None:
        settled = recipients.give_up(settings, notice_ids, reason=text)
    else:
        settled = recipients.acknowledge(settings, notice_ids, by=by, text=text)
    show_json({"settled": settled}) if as_json else say(f"Settled {settled}.")


def relays(
    open_only: Annotated[
        bool, typer.Option("--open", help="Only what nobody has answered.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the requests that were relayed to partners and from them; to which, `request relay` says."""
    from retention.rights import partners

    found = partners.list_(load_settings(), open_only=open_only)
    if as_json:
        show_json(found)
        return
    show_table(
        ("id", "request", "direction", "because", "state", "opened", "answer"),
        [
            (
                one.relay_id,
                one.request_id,
                one.direction,
                one.because,
                one.state,
                f"{one.opened_at:%Y-%m-%d}",
                one.answer,
            )
            for one in found
        ],
    )


def relay(
    target: Annotated[
        UUID,
        typer.Argument(
            metavar="RELAY", help="As `request relays` shows it; with --received-from, the request."
        ),
    ],
    answer: Annotated[
        str | None,
        typer.Option(
            "--answer",
            help="erase or keep, the instruction of a partner for whom we process; or noted.",
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option("--text", help="The answer's reference, or why the relay is closed."),
    ] = None,
    close: Annotated[bool, typer.Option("--close", help="End the relay.")] = False,
    received_from: Annotated[
        str | None,
        typer.Option(
            "--received-from",
            metavar="SCHEMA.TABLE:KEY",
            help="The partner that passed this request on to us.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Take a relay in hand, which sends it and says to which partner; record its answer; end it."""
    from retention.rights import partners

    if sum((answer is not None, close, received_from is not None)) > 1:
        raise UsageError("do one thing at a time: --answer, --close or --received-from")
    settings = load_settings()
    if received_from is not None:
        received = partners.receive(settings, target, received_from)
        show_json({"relay_id": received}) if as_json else say(f"Received as {received}.")
    elif answer is not None:
        given = next((one for one in get_args(partners.Answer) if one == answer), None)
        if given is None or text is None:
            raise UsageError("--answer is erase, keep or noted, with its reference as --text")
        decided = partners.answer(settings, target, given, text=text)
        show_json({"decided": decided}) if as_json else say(
            f"Answered. Records that this decides: {decided}."
        )
    elif close:
        partners.close(settings, target, reason=text)
        show_json({"closed": target}) if as_json else say("Closed.")
    else:
        partner = partners.take(settings, target)
        show_json({"partner": partner}) if as_json else say(
            f"In hand. The partner: {partner or 'not in the warehouse any more'}."
        )


def rectify(
    request_id: Annotated[UUID, typer.Argument(metavar="REQUEST")],
    table: Annotated[str, typer.Option("--table", help="SCHEMA.TABLE of the row that is wrong.")],
    key: Annotated[str, typer.Option("--key", help="Its record key.")],
    column: Annotated[str, typer.Option("--column", help="The column whose value is wrong.")],
    as_json: JsonFlag = False,
) -> None:
    """Remember a value by a keyed fingerprint, before it is corrected at the source."""
    from retention.rights import rectification

    recorded = rectification.record(
        load_settings(), request_id, table=table, record_key=key, column=column
    )
    if as_json:
        show_json({"rectification_id": recorded})
    else:
        say(f"Recorded. Correct it at the source, then: retention request trace {request_id}")


def trace(
    request_id: Annotated[UUID, typer.Argument(metavar="REQUEST")],
    accept: Annotated[
        str | None,
        typer.Option(
            "--accept",
            metavar="REASON",
            help="What is left is in order, such as the sender of an old message: end the trace.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Look where the value that was corrected is still held. Exit 1 while it is, or cannot be told."""
    from retention.rights import rectification

    settings = load_settings()
    if accept is not None:
        rectification.accept(settings, request_id, reason=accept)
        found = rectification.list_(settings, request_id)
    else:
        found = rectification.trace(settings, request_id)
    if as_json:
        show_json(found)
    else:
        for one in found:
            _say_traced(one)
    if any(one.ended_at is None for one in found):
        raise typer.Exit(FINDINGS)


def _say_traced(one: "Rectification") -> None:
    if one.accepted_reason:
        say(f"{one.column}: ended; what is left is in order: {one.accepted_reason}")
    elif one.ended_at is not None:
        say(f"{one.column}: corrected on {one.corrected_on}, and held nowhere any more")
    elif one.corrected_on is None:
        say(f"{one.column}: the source still holds the old value")
    else:
        say(f"{one.column}: corrected at the source on {one.corrected_on}")
    for place, rows in sorted(one.left_over.items()):
        say(f"  {place}: {rows} rows hold the old value")
    for place, rows in sorted(one.old_versions.items()):
        say(f"  {place}: {rows} versions that are over hold it, as a history does")
    for place in one.not_searched:
        say(f"  {place}: cannot be searched for the person")
