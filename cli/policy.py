"""`retention policy`: the versions of the policy, and putting one into force.

Belongs here: the commands' arguments and what they print. Does not belong here: which version holds on a
day and who may put one into force. Who does is the login of the connection, never an argument.
"""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.console import JsonFlag, progress, say, show_json, show_table
from retention.classify import OSLO, today
from retention.policy import Policy, in_force, load_versions
from retention.policy import activation as activations
from retention.settings import Settings, load_settings

policy = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The versions of the policy: which holds, and who put it into force, when and why.",
)


@policy.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """Every version of the policy folder, and what was activated of it."""
    settings = load_settings()
    versions = load_versions(settings.policy_dir)
    done = activations.activations(settings)
    by_hash = {one.policy_hash: one for one in reversed(done)}
    day = today()
    holding = in_force(versions, day) if versions[0].effective_from <= day else None
    if as_json:
        show_json(
            [
                {
                    "version": one.version,
                    "hash": one.hash,
                    "effective_from": one.effective_from,
                    "in_force": one is holding,
                    "activations": [asdict(a) for a in done if a.policy_hash == one.hash],
                }
                for one in versions
            ]
        )
        return
    show_table(
        ("version", "text", "effective from", "in force", "activated by", "on", "why"),
        [
            (
                one.version,
                one.hash[:12],
                one.effective_from,
                "yes" if one is holding else "no",
                *_activated(by_hash.get(one.hash)),
            )
            for one in versions
        ],
    )


@policy.command("activate")
def activate(
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="A version's name, or its file in the folder.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why, in words that name nobody.")],
    tried: Annotated[
        bool,
        typer.Option("--what-if", help="Try it first, and record what would change, in counts."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Put a text of the policy into force, with a login that has retention_approver.

    Classification takes the latest version whose day has come; under a text that nobody activated nothing
    is purged without a person, and `retention status` says so. In the embedded warehouse the
    demonstration's second login does it. Ends with 3 where this login may not, or it was done before.
    """
    settings = load_settings()
    chosen = activations.find_version(settings, version)
    counted = _counted(settings, chosen) if tried else None
    done = activations.activate(settings, chosen, reason, counted)
    if as_json:
        show_json(done)
    else:
        say(f"{done.policy_version} ({done.policy_hash[:12]}) activated by {done.activated_by}.")
        say("next: retention run")


def _counted(settings: Settings, chosen: Policy) -> dict[str, int]:
    from cli.what_if import refuse_during_a_run
    from retention.what_if import what_if

    assert chosen.path is not None
    refuse_during_a_run(settings)
    with progress("classifying by the other policy"):
        counts: dict[str, int] = what_if(settings, chosen.path, examples=0)["summary"]
    return counts


def _activated(done: activations.Activation | None) -> tuple[str, str, str]:
    if done is None:
        return "", "", ""
    by = (
        f"{done.activated_by} (demonstration)"
        if done.kind == "demonstration"
        else done.activated_by
    )
    return by, f"{done.activated_at.astimezone(OSLO):%Y-%m-%d}", done.reason
