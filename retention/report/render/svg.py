"""Bars as SVG, by Altair and Vega-Lite, the same for the same numbers.

Belongs here: the drawing's form. Does not belong here: what is drawn (charts.py).

Only the fonts that are shipped measure the text; nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair
import vl_convert
from markupsafe import escape

FONTS = Path(__file__).resolve().parents[2] / "rights" / "letters" / "fonts"

_FONT = "Noto Sans"
_WIDTH = 760
_ROW = 26
# Narrower than this share of the widest bar, a part has no room for its number.
_ROOM = 0.045
_INK, _SOFT = "#16202b", "#4b5866"

vl_convert.register_font_directory(str(FONTS))


def stacked_bars(
    chart_id: str, drawn: Sequence[Mapping[str, Any]], colours: Mapping[str, str]
) -> str:
    """A bar for each `row`, of parts with their `label`; the sum stands behind it."""
    rows = list(dict.fromkeys(one["row"] for one in drawn))
    parts = list(colours)
    sums = {row: sum(one["value"] for one in drawn if one["row"] == row) for row in rows}
    widest = max(sums.values())
    values, ends = [], dict.fromkeys(rows, 0)
    for one in sorted(drawn, key=lambda one: (rows.index(one["row"]), parts.index(one["part"]))):
        start = ends[one["row"]]
        ends[one["row"]] = start + one["value"]
        wide = one["value"] >= _ROOM * widest * max(1.0, len(one["label"]) / 3)
        values.append(
            {
                "row": one["row"],
                "part": one["part"],
                "start": start,
                "end": start + one["value"],
                "middle": start + one["value"] / 2,
                "label": one["label"] if wide else "",
            }
        )
    scale = altair.Scale(domain=[0, widest * 1.09], nice=False)
    bars = altair.Chart(altair.InlineData(values=values)).encode(
        y=altair.Y("row:N", sort=rows, title=None, scale=altair.Scale(padding=0.22)),
    )
    drawing = altair.layer(
        bars.mark_bar(stroke="#ffffff", strokeWidth=1).encode(
            x=altair.X("start:Q", axis=None, scale=scale),
            x2="end:Q",
            color=altair.Color(
                "part:N",
                scale=altair.Scale(domain=parts, range=[colours[part] for part in parts]),
                legend=altair.Legend(title=None, orient="top", symbolType="square"),
            ),
        ),
        bars.mark_text(color="#ffffff", fontSize=11, fontWeight="bold").encode(
            x=altair.X("middle:Q", scale=scale, axis=None), text="label:N"
        ),
        altair.Chart(altair.InlineData(values=_behind(rows, sums)))
        .mark_text(align="left", dx=5, fontSize=12, color=_INK)
        .encode(
            x=altair.X("end:Q", scale=scale, axis=None),
            y=altair.Y("row:N", sort=rows),
            text="label:N",
        ),
    ).properties(width=_WIDTH, height=_ROW * len(rows))
    specification = drawing.configure(
        font=_FONT,
        aria=False,
        background="#ffffff",
        padding=4,
        view=altair.ViewConfig(stroke=None),
        axis=altair.AxisConfig(
            domain=False,
            ticks=False,
            labelFontSize=12,
            labelColor=_INK,
            labelLimit=280,
            labelPadding=8,
        ),
        legend=altair.LegendConfig(labelFontSize=12, labelColor=_SOFT, columnPadding=14),
    ).to_dict()
    return _numbered(vl_convert.vegalite_to_svg(specification), chart_id)


def _behind(rows: Sequence[str], sums: Mapping[str, int]) -> list[dict[str, Any]]:
    """The sum at the end of each bar, as people write it."""
    return [
        {"row": row, "end": sums[row], "label": f"{sums[row]:,}".replace(",", "\u202f")}
        for row in rows
        if sums[row]
    ]


def named(drawing: str, chart_id: str, title: str, description: str) -> str:
    """The drawing with a title and what it shows, as an image to those who do not see it."""
    text = (
        f'<title id="{chart_id}-title">{escape(title)}</title>'
        f'<desc id="{chart_id}-desc">{escape(description)}</desc>'
    )
    head = f'<svg role="img" aria-labelledby="{chart_id}-title {chart_id}-desc"'
    return re.sub(
        r"(<svg[^>]*>)", lambda match: match[1].replace("<svg", head, 1) + text, drawing, count=1
    )


def _numbered(drawing: str, chart_id: str) -> str:
    """With names of its own, for Vega counts its parts through the life of the process; without its
    roles, for the drawing is one image; and with any font of the reader's where ours is not there."""
    drawing = re.sub(r' (?:role|aria-[a-z]+)="[^"]*"', "", drawing)
    drawing = drawing.replace(f'font-family="{_FONT}"', f'font-family="{_FONT}, sans-serif"')
    names = list(dict.fromkeys(re.findall(r'\bid="([^"]+)"', drawing)))
    for place, name in enumerate(names):
        drawing = re.sub(
            rf'(id="|url\(#|href="#){re.escape(name)}(?=["\)])',
            rf"\g<1>{chart_id}-{place}",
            drawing,
        )
    return drawing
