"""What a trial says, in the reader's language: sentences and tables, for a terminal and a page alike.

Belongs here: which sentences and tables there are, in which order. Does not belong here: any figure that is
not in the document, and how a table looks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from retention.language import N_, Speaker

EFFECTS = {
    "earlier": N_("due earlier"),
    "later": N_("due later"),
    "newly": N_("newly due some day"),
    "no_longer": N_("no longer due any day"),
}


@dataclass(frozen=True)
class Table:
    """A table in words; numbers stay numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | None]]


def title(document: dict[str, Any], speaker: Speaker) -> str:
    """Which policy is tried in place of which."""
    return speaker.say(
        "What {after} would change in place of {before}",
        after=document["after"]["version"],
        before=document["before"]["version"],
    )


def sentences(document: dict[str, Any], speaker: Speaker) -> Iterator[str]:
    """The trial in a few sentences."""
    counts, purge = document["summary"], document["purge"]
    after = purge["after"]
    yield speaker.say(
        "Of {records} records as of {day}, {earlier} would be due earlier, {later} later, {newly} newly;"
        " {no_longer} would not be due any more, and {unchanged} stay as they are.",
        **{
            name: counts[name]
            for name in ("records", "earlier", "later", "newly", "no_longer", "unchanged")
        },
        day=speaker.day(document["as_of"]),
    )
    yield speaker.say(
        "Overdue: {after} (now {before}; {more} more, {fewer} fewer).",
        after=counts["overdue_after"],
        before=counts["overdue_before"],
        more=counts["becomes_overdue"],
        fewer=counts["no_longer_overdue"],
    )
    yield speaker.say(
        "Moved to another category: {moved}; newly under review: {review}; no longer under review: {left}.",
        moved=counts["moved_category"],
        review=counts["needs_review"],
        left=counts["leaves_review"],
    )
    yield speaker.say(
        "A purge on {day} would take {after} records (by the policy in force {before}): {job} without a"
        " person, {person} after a person's approval.",
        day=speaker.day(purge["on"]),
        after=after["records"],
        before=purge["before"]["records"],
        job=after["left_to_a_job"],
        person=after["needs_a_person"],
    )
    if after["needs_a_person_because"]:
        yield speaker.say(
            "Nothing without a person: {reason}",
            reason=speaker.reason(after["needs_a_person_because"]).text,
        )
    if not document["differences"]:
        yield speaker.say("The two say the same: only layout or comments differ.")


def tables(
    document: dict[str, Any], speaker: Speaker, *, by_month: bool, examples: bool
) -> Iterator[Table]:
    """The trial's tables that have a row. A page that is kept shows no `examples`: they are keys."""
    found = (
        _differences(document, speaker),
        _by_month(document, speaker, examples)
        if by_month
        else _by_rule(document, speaker, examples),
        _review(document, speaker),
        _taken(document, speaker),
        _waiting(document, speaker),
    )
    yield from (table for table in found if table.rows)


def _differences(document: dict[str, Any], speaker: Speaker) -> Table:
    before, after = document["before"]["file"], document["after"]["file"]
    return Table(
        speaker.say("What the policy says otherwise"),
        [speaker.say("Of"), speaker.say("Now"), speaker.say("Then"), speaker.say("Line")],
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


def _by_rule(document: dict[str, Any], speaker: Speaker, examples: bool) -> Table:
    spans: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for group in document["groups"]:
        spans.setdefault((group["effect"], _rule(group), group["table"]), []).append(group)
    return _grouped(
        speaker,
        examples,
        speaker.say("Months"),
        [
            (
                speaker.say(EFFECTS[effect]),
                rule,
                table,
                _span([group["month"] for group in found], speaker),
                sum(group["records"] for group in found),
                ", ".join(next((group["examples"] for group in found if group["examples"]), [])),
            )
            for (effect, rule, table), found in spans.items()
        ],
    )


def _by_month(document: dict[str, Any], speaker: Speaker, examples: bool) -> Table:
    return _grouped(
        speaker,
        examples,
        speaker.say("Month"),
        [
            (
                speaker.say(EFFECTS[group["effect"]]),
                _rule(group),
                group["table"],
                speaker.month(group["month"]),
                group["records"],
                ", ".join(group["examples"]),
            )
            for group in document["groups"]
        ],
    )


def _grouped(
    speaker: Speaker, examples: bool, month: str, rows: Sequence[Sequence[str | int | None]]
) -> Table:
    columns = [
        speaker.say("Effect"),
        speaker.say("Rule"),
        speaker.say("Table"),
        month,
        speaker.say("Records"),
    ]
    return Table(
        speaker.say("Whose due date moves"),
        [*columns, speaker.say("For example")] if examples else columns,
        [row if examples else row[:-1] for row in rows],
    )


def _review(document: dict[str, Any], speaker: Speaker) -> Table:
    return Table(
        speaker.say("What a person would have to decide"),
        [speaker.say("Rule"), speaker.say("Table"), speaker.say("Why"), speaker.say("Records")],
        [
            (one["rule"], one["table"], speaker.reason(one["reason"]).text, one["records"])
            for one in document["needs_review"]
        ],
    )


def _taken(document: dict[str, Any], speaker: Speaker) -> Table:
    return Table(
        speaker.say("What a purge would take"),
        [
            speaker.say("Table"),
            speaker.say("Rule"),
            speaker.say("What happens"),
            speaker.say("Records"),
            speaker.say("A rule leaves to a job"),
        ],
        [
            (
                one["table"],
                one["rule"],
                speaker.word("disposition", one["disposition"]),
                one["records"],
                one["unattended"],
            )
            for one in document["purge"]["after"]["taken"]
        ],
    )


def _waiting(document: dict[str, Any], speaker: Speaker) -> Table:
    return Table(
        speaker.say("What would be due and would wait"),
        [speaker.say("Why"), speaker.say("Records")],
        [
            (speaker.reason(reason).text, records)
            for reason, records in document["purge"]["after"]["waiting"].items()
        ],
    )


def _rule(group: dict[str, Any]) -> str:
    before, after = group["rule_before"], group["rule_after"]
    return after or "" if before == after else f"{before or '–'} → {after or '–'}"


def _span(months: list[str], speaker: Speaker) -> str:
    first, last = min(months), max(months)
    return (
        speaker.month(first) if first == last else f"{speaker.month(first)} – {speaker.month(last)}"
    )
