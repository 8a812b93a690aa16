"""Column lineage: every personal column of landing, and everything downstream that shows it.

Belongs here: laying it out. Does not belong here: following a column.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from retention.report.render.blocks import (
    Block,
    Cell,
    Head,
    Paragraph,
    Section,
    Table,
    joined,
    plain,
)
from retention.report.render.context import Context

Part = Mapping[str, Any]


def lineage_section(context: Context) -> Section:
    """Columns, then the relations they reach and how their rows go."""
    speaker, lineage = context.speaker, context.document["lineage"]
    title = speaker.say("Where personal columns go")
    if lineage is None:
        why = speaker.say("No manifest of a classification: columns cannot be followed.")
        return Section("lineage", title, speaker.say("Lineage"), (context.empty(why),))
    blocks: list[Block] = [
        Paragraph(
            context.rich(
                "Every personal column of a landing table, with the columns downstream that show it,"
                " changed or not; from the compiled models and the database's catalogue."
            )
        ),
        _columns(context, lineage["columns"]),
        _relations(context, lineage["relations"]),
        _unfollowed(context, lineage["unfollowed"]),
    ]
    return Section("lineage", title, speaker.say("Lineage"), tuple(blocks))


def _columns(context: Context, columns: list[Part]) -> Block:
    speaker = context.speaker
    groups = [list(group) for _, group in groupby(columns, key=lambda one: one["table"])]
    return Table(
        speaker.say("Personal columns, from landing to mart"),
        (
            context.head("table"),
            context.head("column"),
            Head(speaker.say("Kind of data")),
            Head(speaker.say("Shown by")),
        ),
        tuple(
            tuple(
                (
                    *((context.table(one["table"], rows=len(group)),) if place == 0 else ()),
                    Cell(plain(one["column"], "code")),
                    Cell(plain(context.word("data_kind", one["kind"]))),
                    _reaches(context, one),
                )
                for place, one in enumerate(group)
            )
            for group in groups
        ),
    )


def _reaches(context: Context, one: Part) -> Cell:
    if not one["reaches"]:
        return Cell(context.rich("goes nowhere"), tone="zero")
    return Cell(
        joined(
            [
                joined(
                    [
                        plain(reached["relation"], "code"),
                        plain(f"({', '.join(reached['columns'])})"),
                    ],
                    " ",
                )
                for reached in one["reaches"]
            ],
            ", ",
        )
    )


def _relations(context: Context, relations: list[Part]) -> Block:
    speaker = context.speaker
    return Table(
        speaker.say("What holds or shows personal columns, and how its rows go"),
        (
            Head(speaker.say("Relation")),
            Head(speaker.say("Layer")),
            Head(speaker.say("Its rows go")),
        ),
        (
            tuple(
                (
                    context.table(one["relation"]),
                    Cell(plain(one["layer"])),
                    Cell(plain(context.word("rows_go", one["rows_go"]))),
                )
                for one in relations
            ),
        ),
    )


def _unfollowed(context: Context, unfollowed: list[Part]) -> Block:
    speaker = context.speaker
    if not unfollowed:
        return context.empty(speaker.say("Every column of every model could be followed."))
    return Table(
        speaker.say("Columns that could not be followed"),
        (Head(speaker.say("Relation")), context.head("column"), context.head("reason")),
        (
            tuple(
                (
                    context.table(one["relation"]),
                    Cell(plain(one["column"], "code")),
                    Cell(plain(one["why"], lang=None if context.language == "en" else "en")),
                )
                for one in unfollowed
            ),
        ),
    )
