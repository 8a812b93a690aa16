"""`retention what-if`: what a policy that nobody has put into force would change.

Belongs here: the command's arguments, and how its document is printed. Does not belong here: trying the
policy (`retention.what_if`).
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import JsonFlag, progress, say, show_json, show_table
from retention.errors import Refused
from retention.settings import Settings, load_settings

_WORDS = {
    "earlier": "due earlier",
    "later": "due later",
    "newly": "newly due some day",
    "no_longer": "no longer due any day",
}


def what_if(
    policy: Annotated[
        Path, typer.Argument(metavar="POLICY", help="A policy file that is not in force.")
    ],
    examples: Annotated[
        int, typer.Option("--examples", min=0, help="Keys shown of each group, at most.")
    ] = 3,
    by_month: Annotated[
        bool, typer.Option("--by-month", help="A line for each month, with examples.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Classify today's records by another policy, beside what is in force, and show what would change.

    Touches nothing: what it builds is gone afterwards. Ends with 2 for a file that is no valid policy, with
    3 where today's records are not classified or a run is going.
    """
    from retention.what_if import what_if as tried

    settings = load_settings()
    refuse_during_a_run(settings)
    with progress("classifying by the other policy"):
        document = tried(settings, policy, examples=examples)
    if as_json:
        show_json(document)
    else:
        _show(document, by_month)


def refuse_during_a_run(settings: Settings) -> None:
    """Raise Refused while a run is going."""
    from orchestration.lock import run_is_going
    from retention.warehouse.connection import connect

    with connect(settings, read_only=True) as conn:
        if run_is_going(conn):
            raise Refused("a run is going: wait until it has ended, then try again")


def _show(document: dict[str, Any], by_month: bool) -> None:
    before, after = document["before"], document["after"]
    say(
        f"{after['version']} ({after['file']}) in place of {before['version']}, as of {document['as_of']}"
    )
    _show_differences(document)
    _show_summary(document["summary"])
    _show_groups(document["groups"], by_month)
    _show_review(document["needs_review"])
    _show_purge(document["purge"])
    say("this was a trial: nothing in force was touched, and what it built is gone")


def _show_differences(document: dict[str, Any]) -> None:
    if not document["differences"]:
        say("the two say the same: only layout or comments differ")
        return
    before, after = document["before"]["file"], document["after"]["file"]
    show_table(
        ("what the policy says of", "was", "would be", "line"),
        [
            (
                one["what"],
                one["before"],
                one["after"],
                f"{after}:{one['line_after']}"
                if one["line_after"]
                else f"{before}:{one['line_before']}",
            )
            for one in document["differences"]
        ],
    )


def _show_summary(counts: dict[str, int]) -> None:
    show_table(
        ("records", "how many"),
        [
            *((words, counts[effect]) for effect, words in _WORDS.items()),
            ("due on the same day, but otherwise", counts["same_day_otherwise"]),
            ("as they are", counts["unchanged"]),
        ],
        footer=("all", counts["records"]),
    )
    say(
        f"overdue: {counts['overdue_after']} (today {counts['overdue_before']};"
        f" {counts['becomes_overdue']} more, {counts['no_longer_overdue']} fewer)"
    )
    say(
        f"moved to another category: {counts['moved_category']}; under review that are not now:"
        f" {counts['needs_review']}; no longer under review: {counts['leaves_review']}"
    )


def _show_groups(groups: list[dict[str, Any]], by_month: bool) -> None:
    if not groups:
        return
    if by_month:
        show_table(
            ("effect", "rule", "table", "month", "records", "for example"),
            [
                (_WORDS[g["effect"]], _rule(g), g["table"], g["month"], g["records"], g["examples"])
                for g in groups
            ],
        )
        return
    spans: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for group in groups:
        spans.setdefault((group["effect"], _rule(group), group["table"]), []).append(group)
    show_table(
        ("effect", "rule", "table", "months", "records", "for example"),
        [
            (
                _WORDS[effect],
                rule,
                table,
                _span([group["month"] for group in found]),
                sum(group["records"] for group in found),
                next((group["examples"] for group in found if group["examples"]), []),
            )
            for (effect, rule, table), found in spans.items()
        ],
    )


def _rule(group: dict[str, Any]) -> str:
    before, after = group["rule_before"], group["rule_after"]
    return after or "" if before == after else f"{before} → {after}"


def _span(months: list[str]) -> str:
    return months[0] if len(set(months)) == 1 else f"{min(months)} – {max(months)}"


def _show_review(found: list[dict[str, Any]]) -> None:
    if found:
        show_table(
            ("would need review: rule", "table", "why", "records"),
            [(one["rule"], one["table"], one["reason"], one["records"]) for one in found],
        )


def _show_purge(purge: dict[str, Any]) -> None:
    after = purge["after"]
    say(
        f"a purge on {purge['on']} would take {after['records']} records"
        f" (by the policy in force {purge['before']['records']}): {after['left_to_a_job']} without a"
        f" person, {after['needs_a_person']} after a person's approval"
    )
    if after["needs_a_person_because"]:
        say(f"nothing without a person: {after['needs_a_person_because']}")
    if after["taken"]:
        show_table(
            ("a purge would take: table", "rule", "disposition", "records", "a job may"),
            [
                (one["table"], one["rule"], one["disposition"], one["records"], one["unattended"])
                for one in after["taken"]
            ],
        )
    for reason, records in after["waiting"].items():
        say(f"{records} due records wait: {reason}")
