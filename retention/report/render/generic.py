"""Any figure as a table: how a figure is shown for which nobody wrote a layout.

Belongs here: what holds for every figure. Does not belong here: figures that are arranged by hand
(population.py, plans.py), and a word of any language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from retention.language import N_
from retention.report.render.blocks import Block, Cell, Empty, Table, joined, plain
from retention.report.render.context import Context

# Sums that mean something: each row counts other things.
_SUMMED = frozenset(
    {
        *("records", "beyond_grace", "blockers", "past_due", "orders", "notices", "relays"),
        *("requests", "entries", "corrections", "contact_points", "rewritten", "left_over"),
        *("past_deadline", "came_back", "purged", "purged_again", "minimised", "carried_out"),
    }
)


@dataclass(frozen=True)
class Wish:
    """What is particular to a figure. `told_once` are columns with one value, which the caption tells;
    `tones` how a column's counts stand out; `empty` what is said where there is no row."""

    empty: str = N_("None.")
    note: str = ""
    told_once: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    tones: Mapping[str, str] | None = None
    total: bool = True


def table_of(context: Context, figure_id: str, wish: Wish | None = None) -> Block:
    """The figure as a table, or that there is nothing."""
    wish = wish or Wish()
    figure = context.figure(figure_id)
    rows: Sequence[Mapping[str, Any]] = figure["rows"]
    caption = context.speaker.say(figure["title"])
    if not rows:
        return Empty(f"{caption}: {context.speaker.say(wish.empty)}", (figure_id,))
    columns = [
        column
        for column in figure["columns"]
        if column["name"] not in (*wish.told_once, *wish.left_out)
    ]
    return Table(
        caption,
        tuple(context.head(column["name"], number=column["type"] == "count") for column in columns),
        tuple(_group(context, columns, list(group), wish) for group in _groups(columns, rows)),
        note=joined(
            [context.rich(wish.note) if wish.note else (), *_told_once(context, figure, wish)],
            " · ",
        ),
        total=_total(context, columns, rows) if wish.total else (),
        figures=(figure_id,),
    )


def _groups(
    columns: Sequence[Mapping[str, str]], rows: Sequence[Mapping[str, Any]]
) -> list[list[Mapping[str, Any]]]:
    """Rows that follow each other under one table, reason or the like are read together."""
    first = columns[0]
    if first["type"] not in ("table", "text", "code"):
        return [list(rows)]
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row[first["name"]])]
    return groups if len(groups) < len(rows) else [list(rows)]


def _group(
    context: Context,
    columns: Sequence[Mapping[str, str]],
    rows: Sequence[Mapping[str, Any]],
    wish: Wish,
) -> tuple[tuple[Cell, ...], ...]:
    shared = len({row[columns[0]["name"]] for row in rows}) == 1
    lines = []
    for place, row in enumerate(rows):
        cells = [
            _toned(context.cell(column, row[column["name"]]), column, wish) for column in columns
        ]
        if cells[0].number:
            first: tuple[Cell, ...] = (cells[0],)
        elif shared and place:
            first = ()
        else:
            first = (replace(cells[0], header=True, rows=len(rows) if shared else 1),)
        lines.append((*first, *cells[1:]))
    return tuple(lines)


def _toned(cell: Cell, column: Mapping[str, str], wish: Wish) -> Cell:
    tone = (wish.tones or {}).get(column["name"], "")
    return replace(cell, tone=tone) if tone and not cell.tone else cell


def _told_once(context: Context, figure: Mapping[str, Any], wish: Wish) -> list[tuple[Any, ...]]:
    row = figure["rows"][0]
    return [
        joined(
            [
                plain(context.word("column", column["name"])),
                context.cell(column, row[column["name"]]).spans,
            ],
            ": ",
        )
        for column in figure["columns"]
        if column["name"] in wish.told_once
    ]


def _total(
    context: Context, columns: Sequence[Mapping[str, str]], rows: Sequence[Mapping[str, Any]]
) -> tuple[Cell, ...]:
    summed = [column["type"] == "count" and column["name"] in _SUMMED for column in columns]
    if len(rows) < 2 or not any(summed) or summed[0]:
        return ()
    before = summed.index(True)
    return (
        Cell(plain(context.speaker.say("All")), header=True, columns=before),
        *(
            context.count(sum(row[column["name"]] or 0 for row in rows), bold=True)
            if is_summed
            else Cell()
            for column, is_summed in list(zip(columns, summed, strict=True))[before:]
        ),
    )
