"""The report's charts: drawn as SVG by Vega-Lite, each with the same numbers in the table beside it.

Belongs here: what is drawn, from figures, and the words for those who do not see it. Does not belong
here: a number that is not in a figure, and turning a drawing into SVG (svg.py).

No part is told by its colour alone: bars bear their numbers, and neighbours differ in lightness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from retention.classified import STATUSES
from retention.report.render import svg
from retention.report.render.blocks import Block, Chart
from retention.report.render.context import Context
from retention.report.render.population import category_word, lines

Row = Mapping[str, Any]

# Told apart by people who see colours differently, each with white numbers on it (4.5 to 1, WCAG 1.4.3).
STATUS_COLOURS: Mapping[str, str] = {
    "held": "#5b2a86",
    "restricted": "#a64b84",
    "locked": "#3c4650",
    "review": "#8a6500",
    "overdue": "#c0182f",
    "due_soon": "#b3520a",
    "retained": "#24784f",
    "active": "#2a62a8",
}
FREE, BLOCKED = "#2a62a8", "#8a6500"
INSIDE, BEYOND = "#b3520a", "#7a0f1e"


def population(context: Context) -> list[Block]:
    """Records by category and status."""
    drawn = [
        {
            "row": category_word(context, line["category"]),
            "part": context.word("status", status),
            "value": line["counts"][status],
        }
        for line in lines(context.rows("population"))
        for status in STATUSES
        if line["counts"][status]
    ]
    if not drawn:
        return []
    by_status = context.document["headline"]["by_status"]
    told = [status for status in STATUSES if by_status[status]]
    description = ", ".join(
        f"{context.word('status', status)} {context.speaker.number(by_status[status])}"
        for status in told
    )
    colours = {context.word("status", status): STATUS_COLOURS[status] for status in told}
    return [
        _chart(
            context,
            "population",
            context.speaker.say("Records by category and status"),
            description,
            drawn,
            colours,
        )
    ]


def calendar(context: Context) -> list[Block]:
    """What falls due by month: free to go, and blocked."""
    free, blocked = context.speaker.say("free to go"), context.speaker.say("held or restricted")
    months: dict[str, dict[str, int]] = {}
    for row in context.rows("calendar"):
        month = months.setdefault(row["month"], {free: 0, blocked: 0})
        month[free] += row["records"] - row["blocked"]
        month[blocked] += row["blocked"]
    drawn = [
        {"row": context.speaker.month(month), "part": part, "value": value}
        for month, parts in months.items()
        for part, value in parts.items()
    ]
    if not any(one["value"] for one in drawn):
        return []
    description = ", ".join(
        f"{context.speaker.month(month)} {context.speaker.number(sum(parts.values()))}"
        for month, parts in months.items()
    )
    colours = {free: FREE, blocked: BLOCKED}
    title = context.speaker.say("Records falling due, by month")
    return [_chart(context, "calendar", title, description, drawn, colours)]


def overdue(context: Context) -> list[Block]:
    """Overdue records by table: inside the policy's grace, and beyond it."""
    inside, beyond = context.speaker.say("within grace"), context.speaker.say("beyond grace")
    tables: dict[str, dict[str, int]] = {}
    for row in context.rows("overdue"):
        table = tables.setdefault(row["table"], {inside: 0, beyond: 0})
        table[inside] += row["records"] - row["beyond_grace"]
        table[beyond] += row["beyond_grace"]
    if not tables:
        return []
    drawn = [
        {"row": table, "part": part, "value": value}
        for table, parts in tables.items()
        for part, value in parts.items()
    ]
    description = ", ".join(
        f"{table} {context.speaker.number(sum(parts.values()))}" for table, parts in tables.items()
    )
    title = context.speaker.say("Overdue records by table, within and beyond the days of grace")
    return [_chart(context, "overdue", title, description, drawn, {inside: INSIDE, beyond: BEYOND})]


def _chart(
    context: Context,
    chart_id: str,
    title: str,
    description: str,
    drawn: Sequence[Row],
    colours: Mapping[str, str],
) -> Chart:
    labelled = [{**one, "label": context.speaker.number(one["value"])} for one in drawn]
    drawing = svg.stacked_bars(chart_id, labelled, colours)
    return Chart(chart_id, title, description, svg.named(drawing, chart_id, title, description))
