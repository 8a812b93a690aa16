"""The report in three sentences and six numbers.

Belongs here: what is read first. Does not belong here: where any of the numbers comes from.
"""

from __future__ import annotations

from retention.classified import STATUSES
from retention.language import N_
from retention.report.render.blocks import (
    Card,
    Cards,
    Cell,
    Head,
    Section,
    Spans,
    Table,
    joined,
    plain,
)
from retention.report.render.context import Context


def lead(context: Context) -> tuple[Spans, ...]:
    """The report in three sentences."""
    headline, policy = context.document["headline"], context.document["policy"]
    told: list[Spans] = []
    if headline["overdue"]:
        told.append(
            context.rich(
                "*{overdue} of {records} records are overdue*, the oldest since {day}.",
                overdue=headline["overdue"],
                records=headline["records"],
                day=context.speaker.day(headline["oldest_due_on"]),
            )
        )
        told.append(
            context.rich(
                "*{records}* of them have been due for longer than the {grace} days in which the policy"
                " lets a purge be planned, approved and carried out.",
                records=headline["overdue_beyond_grace"],
                grace=policy["days"]["grace"],
            )
            if headline["overdue_beyond_grace"]
            else context.rich(
                "All of them are still inside the {grace} days in which the policy lets a purge be planned,"
                " approved and carried out.",
                grace=policy["days"]["grace"],
            )
        )
    elif headline["records"]:
        told.append(
            context.rich("*None of {records} records is overdue.*", records=headline["records"])
        )
    else:
        told.append(context.rich("*No record is governed yet.*"))
    if headline["by_status"]["review"]:
        told.append(
            context.rich(
                "{records} wait for a person's decision.", records=headline["by_status"]["review"]
            )
        )
    return (joined(told, " "),)


def headline_section(context: Context) -> Section:
    """The numbers that are read first."""
    speaker, headline = context.speaker, context.document["headline"]
    days, by_status = context.document["policy"]["days"], headline["by_status"]
    blocked = [by_status[status] for status in ("held", "restricted", "locked")]
    cards = (
        (headline["records"], N_("Records"), _tables(context), ""),
        (
            headline["overdue"],
            N_("Overdue"),
            speaker.say(
                "{records} beyond {grace} days' grace",
                records=headline["overdue_beyond_grace"],
                grace=days["grace"],
            ),
            "overdue",
        ),
        (
            by_status["review"],
            N_("Under review"),
            speaker.say("a person decides within {days} days", days=days["review_by"]),
            "review",
        ),
        (
            sum(blocked),
            N_("Blocked"),
            speaker.say(
                "{held} held, {restricted} restricted, {locked} locked",
                held=blocked[0],
                restricted=blocked[1],
                locked=blocked[2],
            ),
            "held",
        ),
        (
            by_status["due_soon"],
            N_("Due soon"),
            speaker.say("within {days} days", days=days["due_soon"]),
            "due_soon",
        ),
        (headline["purged"], N_("Purged so far"), speaker.say("each with its tombstone"), "purged"),
    )
    shown = tuple(
        Card(speaker.number(number), speaker.say(label), note, tone if number else "")
        for number, label, note, tone in cards
    )
    statuses = Table(
        speaker.say("What each status means"),
        (
            context.head("status"),
            Head(speaker.say("Meaning")),
            context.head("records", number=True),
        ),
        (
            tuple(
                (
                    context.code("status", status, header=True),
                    Cell(plain(context.word("status_meaning", status))),
                    context.count(by_status[status]),
                )
                for status in STATUSES
            ),
        ),
        figures=("population",),
    )
    title = speaker.say("Headline figures")
    return Section("headline", title, speaker.say("Headline"), (Cards(shown), statuses))


def _tables(context: Context) -> str:
    headline, speaker = context.document["headline"], context.speaker
    tables = speaker.plural("in {n} table", "in {n} tables", headline["tables"])
    if headline["unreconciled_tables"]:
        wrong = speaker.say("{tables} not reconciled", tables=headline["unreconciled_tables"])
    else:
        wrong = speaker.say("every row accounted for")
    return f"{tables}, {wrong}"
