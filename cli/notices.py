"""`retention notices`: telling owners what falls due, once, by e-mail and chat.

Belongs here: the commands' arguments and what they print. Does not belong here: what is told to whom
(`retention.due_notices`). No address is ever printed.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import JsonFlag, progress, say, show_json, show_table
from retention.language import Language, chosen
from retention.ledger.failures import safe_errors
from retention.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retention.due_notices.send import Told

FINDINGS = 1

notices = typer.Typer(
    add_completion=False, help="Tell owners what falls due: each due date once, by e-mail and chat."
)

LanguageOption = Annotated[
    Language | None, typer.Option("--lang", help="The language of the messages.")
]


@notices.command("due")
def due(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be sent, and to whom.")
    ] = False,
    language: LanguageOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Tell each owner what falls due within the policy's days of notice and was not told before.

    RETENTION_NOTICE_CHANNELS names the file that says by which channels. The daily job does the same.
    Ends with 1 where a channel failed or an owner has none: what was not told is told the next time.
    """
    from retention.due_notices.send import preview, send_due

    settings = load_settings()
    if dry_run:
        previews = preview(settings, chosen(language))
        if as_json:
            show_json({"dry_run": True, "notices": previews})
            return
        for one in previews:
            say(
                f"To {one.owner or 'no owner'} by {one.channel or 'no channel'}: {one.message.title}"
            )
            say(one.message.body)
            say()
        if not previews:
            say("There is nothing that was not told before.")
        return
    with progress("telling what falls due"):
        told = send_due(settings, chosen(language))
    _show(told, as_json)


@notices.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """List what was told: to whom, by which channel, of how many records."""
    from retention.due_notices.ledger import latest
    from retention.warehouse.connection import connect
    from retention.warehouse.roles import READER

    with (
        connect(load_settings(), role=READER, read_only=True) as conn,
        safe_errors("listing the notices"),
    ):
        found = latest(conn)
    if as_json:
        show_json(found)
        return
    show_table(
        ("begun", "owner", "channel", "state", "records", "first due", "last due", "failure"),
        [
            (
                f"{one.begun_at:%Y-%m-%d %H:%M}",
                one.owner,
                one.channel,
                one.state,
                one.records,
                one.first_due_on,
                one.last_due_on,
                one.failure,
            )
            for one in found
        ],
    )


@notices.command("test")
def try_channels(language: LanguageOption = None, as_json: JsonFlag = False) -> None:
    """Send a test message to every channel. Ends with 1 where one does not take it."""
    from retention.due_notices.send import send_test

    with progress("trying the channels"):
        told = send_test(load_settings(), chosen(language))
    _show(told, as_json)


def _show(told: "Sequence[Told]", as_json: bool) -> None:
    failed = any(one.is_wrong for one in told)
    if as_json:
        show_json({"dry_run": False, "notices": told, "ok": not failed})
    else:
        show_table(
            ("owner", "channel", "records", "outcome"),
            [(one.owner, one.channel, one.records, one.outcome.replace("_", " ")) for one in told],
        )
    if failed:
        raise typer.Exit(FINDINGS)
