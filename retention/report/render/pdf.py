"""The report as PDF: the layout set by Typst.

Belongs here: handing the layout to the typesetter. Does not belong here: what it says (layout.py), and
how it is set (report.typ).

The typesetter reads no clock, no system font and no file but its own: the same layout gives the same
bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

from retention.language import Language, speaker
from retention.report.render.blocks import Page
from retention.report.render.layout import lay_out
from retention.report.render.svg import FONTS

TEMPLATE = Path(__file__).with_name("report.typ")


def render(
    document: Mapping[str, Any],
    language: Language = Language.EN,
    policy_dir: Path | None = None,
) -> bytes:
    """The PDF of a report gathered by `report.gather`, as `html.render` has its page."""
    return draw(lay_out(document, speaker(language, policy_dir)))


def draw(page: Page) -> bytes:
    """The PDF for a layout: tagged, so that it can be read aloud (PDF/UA-1)."""
    made: bytes = typst.compile(
        TEMPLATE,
        format="pdf",
        font_paths=[FONTS],
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        sys_inputs={"page": json.dumps(asdict(page), ensure_ascii=False)},
        timestamp=int(datetime.fromisoformat(page.made_at).timestamp()),
    )
    return made
