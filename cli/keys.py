"""`retention keys`: which keys there are, and their rotation and end.

Belongs here: the commands' arguments and what they print, which is never a key. Does not belong here:
what a rotation does; `retention.keys` does it. Who destroys a key is the login of the connection.
"""

from enum import StrEnum
from typing import Annotated

import typer

from cli.console import JsonFlag, say, show_json, show_table
from retention.keys.rotation import destroy as destroy_key
from retention.keys.rotation import rotate as rotate_key
from retention.keys.standing import key_standings
from retention.settings import load_settings

keys = typer.Typer(
    add_completion=False,
    help="The HMAC key behind the tombstones and the key that signs checkpoints.",
)


class Kind(StrEnum):
    hmac = "hmac"
    signing = "signing"


KindArgument = Annotated[Kind, typer.Argument(help="Which kind of key.")]


@keys.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """List the keys: where each comes from, since when it is used, and what still needs it.

    Of a signing key the public part is shown as auditors are given it (C2SP vkey).
    """
    found = key_standings(load_settings())
    if as_json:
        show_json(found)
        return
    show_table(
        ("kind", "id", "state", "from", "since", "tombstones", "open plans", "suppressions"),
        [
            (
                one.kind,
                one.key_id,
                one.state,
                one.source,
                f"{one.since:%Y-%m-%d}" if one.since else None,
                one.tombstones + one.column_tombstones,
                one.open_plans,
                one.suppressions,
            )
            for one in found
        ],
    )
    for one in found:
        if one.vkey:
            say(f"{one.key_id}  {one.vkey}")


@keys.command("rotate")
def rotate(kind: KindArgument, as_json: JsonFlag = False) -> None:
    """Put a new key in the place of the current one, which stays at hand.

    What is written from now on is written under the new key. Where the environment or a command gives
    the keys, it says what to change there (exit 2), and records the change once it is made.
    """
    done = rotate_key(load_settings(), kind.value)
    if as_json:
        show_json(done)
        return
    kept = f", kept in {done.kept_in}" if done.kept_in else ""
    say(f"The {done.kind} key is {done.key_id} now; before it was {done.before}{kept}.")


@keys.command("destroy")
def destroy(
    kind: KindArgument,
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `keys list` shows it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays out of the evidence.")],
    although_needed: Annotated[
        bool,
        typer.Option(
            "--although-needed",
            help="Also where tombstones or suppressions need it: they match nothing any more.",
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Destroy an old key, or accept that one is lost, with a login that has retention_approver.

    The evidence stays verifiable; which record a tombstone stands for can be told no more.
    """
    destroy_key(load_settings(), kind.value, key_id, reason=reason, although_needed=although_needed)
    if as_json:
        show_json({"kind": kind.value, "key_id": key_id, "destroyed": True})
    else:
        say(f"The {kind.value} key {key_id} is destroyed; copies of its file are yours to find.")
