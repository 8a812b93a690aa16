"""The words of a notice: what falls due, in counts, and where to look.

Belongs here: title and body in a language, from counts. Does not belong here: a key, a token or a name
of anybody: what is said here leaves the house.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from retention.due_notices.ledger import Line
from retention.language import Speaker

# A chat takes no long message; the report has them all.
_MOST_LINES = 40


@dataclass(frozen=True)
class Message:
    """What is handed over to a channel."""

    title: str
    body: str


@dataclass(frozen=True)
class Links:
    """Where a reader finds more: the report of the day, and the lineage UI."""

    report: str
    ui: str


def due_message(
    speaker: Speaker, lines: Sequence[Line], as_of: date, links: Links, *, repeats: bool
) -> Message:
    """What falls due and was not told before: the sum, by table and category, by day."""
    total = sum(line.records for line in lines)
    parts = [
        speaker.plural(
            "As of {as_of} one more record falls due for deletion soon, and nothing blocks it.",
            "As of {as_of} {n} more records fall due for deletion soon, and nothing blocks them.",
            total,
            as_of=as_of,
        ),
        speaker.say("Each due date is told once: what was told before is not told again."),
    ]
    if repeats:
        parts.append(speaker.say("An earlier notice was not confirmed: this one may repeat it."))
    parts += ["", *_by_table(speaker, lines), "", *_by_day(speaker, lines), ""]
    parts += [
        speaker.say("Report: {link}", link=links.report),
        speaker.say("Lineage and runs: {link}", link=links.ui),
        speaker.say("Why one record is due: {command}", command="retention explain TABLE KEY"),
    ]
    title = speaker.plural("One record falls due soon", "{n} records fall due soon", total)
    return Message(title, "\n".join(parts))


def trial_message(speaker: Speaker, owner: str) -> Message:
    """What a channel is tried with."""
    return Message(
        speaker.say("Test of a notice channel"),
        speaker.say("This channel is told what falls due in the tables of {owner}.", owner=owner),
    )


def _by_table(speaker: Speaker, lines: Sequence[Line]) -> list[str]:
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.table, line.category), []).append(line)
    said = [
        speaker.say(
            "- {table}, {category}: {records} from {first} to {last}",
            table=table,
            category=speaker.word("category", category),
            records=sum(line.records for line in group),
            first=min(line.due_on for line in group),
            last=max(line.due_on for line in group),
        )
        for (table, category), group in sorted(groups.items())
    ]
    return [speaker.say("By table and category:"), *_shortened(speaker, said)]


def _by_day(speaker: Speaker, lines: Sequence[Line]) -> list[str]:
    days: Counter[date] = Counter()
    for line in lines:
        days[line.due_on] += line.records
    said = [
        speaker.say("- {day}: {records}", day=day, records=records)
        for day, records in sorted(days.items())
    ]
    return [speaker.say("By day:"), *_shortened(speaker, said)]


def _shortened(speaker: Speaker, said: list[str]) -> list[str]:
    left = len(said) - _MOST_LINES
    if left <= 0:
        return said
    return [
        *said[:_MOST_LINES],
        speaker.plural("… and one more line in the report", "… and {n} more in the report", left),
    ]
