"""The population: every record by table, category and status, against the rows that landed.

Belongs here: turning the figure's rows into lines with a column per status. Does not belong here: any
number that is not in the figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from retention.classified import CATEGORIES, STATUSES
from retention.report.render.blocks import Block, Cell, Head, Table, plain
from retention.report.render.context import Context

Row = Mapping[str, Any]
Line = dict[str, Any]

_TONES = {"overdue": "hot", "review": "warm"}


def lines(rows: Sequence[Row]) -> list[Line]:
    """Rows of category, status and records as one line per category, in the policy's order."""
    found: dict[str | None, Line] = {}
    for row in sorted(rows, key=category_order):
        line = found.setdefault(
            row["category"],
            {"category": row["category"], "counts": dict.fromkeys(STATUSES, 0), "records": 0},
        )
        line["counts"][row["status"]] += row["records"]
        line["records"] += row["records"]
    return list(found.values())


def category_order(row: Row) -> int:
    # A locked record tells no category; it stands last.
    name = row["category"]
    return CATEGORIES.index(name) if name in CATEGORIES else len(CATEGORIES)


def category_word(context: Context, category: str | None) -> str:
    """What the category is called; of a locked record it is not told."""
    if category is None:
        return context.speaker.say("not told (locked)")
    return context.word("category", category)


def by_category(context: Context) -> Block:
    """A line per category over all tables."""
    speaker, headline = context.speaker, context.document["headline"]
    return Table(
        speaker.say("By category and status"),
        (Head(context.word("column", "category")), *_status_heads(context), _records(context)),
        (
            tuple(
                (
                    Cell(plain(category_word(context, line["category"])), header=True),
                    *_counts(context, line),
                    context.count(line["records"], bold=True),
                )
                for line in lines(context.rows("population"))
            ),
        ),
        total=(
            Cell(plain(speaker.say("All")), header=True),
            *(context.count(headline["by_status"][status], bold=True) for status in STATUSES),
            context.count(headline["records"], bold=True),
        ),
        figures=("population",),
    )


def by_table(context: Context) -> Block:
    """Each table with a line per category, beside the rows that landed in it."""
    population = context.rows("population")
    set_aside = context.document["coverage"]["set_aside"]
    groups = []
    for one in context.rows("landed"):
        own = lines([row for row in population if row["table"] == one["table"]])
        first, last = context.table(one["table"], rows=len(own) or 1), _landed(context, one)
        group = [
            (
                *((first,) if place == 0 else ()),
                Cell(plain(category_word(context, line["category"]))),
                *_counts(context, line),
                context.count(line["records"]),
                *((Cell(last.spans, last.small, True, rows=len(own)),) if place == 0 else ()),
            )
            for place, line in enumerate(own)
        ]
        groups.append(tuple(group) or (_nothing(context, one["table"] in set_aside, first, last),))
    return Table(
        context.speaker.say("By table, category and status, beside the rows that landed"),
        (
            Head(context.word("column", "table")),
            Head(context.word("column", "category")),
            *_status_heads(context),
            _records(context),
            Head(context.word("column", "landed"), number=True),
        ),
        tuple(groups),
        figures=("population", "landed"),
    )


def _nothing(context: Context, set_aside: bool, first: Cell, last: Cell) -> tuple[Cell, ...]:
    speaker = context.speaker
    why = speaker.say("set aside") if set_aside else speaker.say("no rows")
    return (first, Cell(plain(why), tone="zero", columns=len(STATUSES) + 2), last)


def _landed(context: Context, one: Row) -> Cell:
    """The rows landed, and whether they are as many as the records."""
    shown = plain(f"{context.speaker.number(one['landed'])} ")
    if one["reconciled"]:
        told = plain(context.speaker.say("agrees"), "spoken")
        return Cell((*shown, *plain("✓", "agrees"), *told), number=True)
    difference = one["landed"] - one["records"]
    sign = "+" if difference > 0 else ""
    return Cell(
        (*shown, *plain(f"{sign}{context.speaker.number(difference)}", "differs")), number=True
    )


def _counts(context: Context, line: Line) -> list[Cell]:
    return [context.count(line["counts"][status], _TONES.get(status, "")) for status in STATUSES]


def _status_heads(context: Context) -> list[Head]:
    return [Head(context.word("status", status), True, True) for status in STATUSES]


def _records(context: Context) -> Head:
    return Head(context.word("column", "records"), number=True)
