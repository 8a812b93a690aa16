"""`retention request object` and `retention request withdraw`.

Belongs here: the commands' arguments and what they print. Does not belong here: what they do
(`retention.rights.consent`).
"""

from typing import Annotated
from uuid import UUID

import typer

from cli.console import JsonFlag, say, show_json
from retention.settings import load_settings

RequestId = Annotated[UUID, typer.Argument(metavar="REQUEST", help="As `request list` shows it.")]


def object_(request_id: RequestId, as_json: JsonFlag = False) -> None:
    """Carry out an objection to marketing: every contact point of the person is suppressed (§ 4)."""
    from retention.rights.consent.requests import object_to_marketing

    answered = object_to_marketing(load_settings(), request_id)
    if as_json:
        show_json({"request_id": request_id, "state": answered.state})
        return
    say(f"Objection {request_id} is {answered.state.replace('_', ' ')}.")
    say("No marketing model shows the person from the next `retention run` on.")


def withdraw(request_id: RequestId, as_json: JsonFlag = False) -> None:
    """Grant the withdrawal of a consent: what rested on it is erased, or the sharing stops (§ 5, § 10)."""
    from retention.rights.consent.requests import withdraw_consent

    answered = withdraw_consent(load_settings(), request_id)
    if as_json:
        show_json(
            {
                "request_id": request_id,
                "state": answered.state,
                "on_withdrawal": answered.on_withdrawal,
            }
        )
        return
    say(f"Withdrawal {request_id} is {answered.state.replace('_', ' ')}.")
    if answered.on_withdrawal == "erase":
        say("The next `retention run` decides which records hold what it allowed, and plans them.")
    else:
        say("Nothing is shared back from now on; nothing is erased.")
