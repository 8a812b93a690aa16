"""The report as one page: the layout drawn as HTML.

Belongs here: drawing the page. Does not belong here: what it says (layout.py), and its marks and colours
(report.html.j2, report.css).

The page asks nothing of the outside, runs no script, and prints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from retention.language import Language, Span, speaker
from retention.report.render.blocks import Page
from retention.report.render.layout import lay_out
from retention.templates import environment

TEMPLATE = "report.html.j2"

_PARTS = re.compile(r"[^._/]*[._/]+|[^._/]+")
_TAGS = {"strong": "strong", "code": "code", "quote": "q"}
# `spoken` is for those who hear the page.
_CLASSES = {"agrees": "agrees", "spoken": "spoken", "differs": "chip bad"}


def render(
    document: Mapping[str, Any],
    language: Language = Language.EN,
    policy_dir: Path | None = None,
) -> str:
    """The page of a report gathered by `report.gather`. The policy's own texts are in `language` as far as
    the catalog in `policy_dir` has them."""
    return draw(lay_out(document, speaker(language, policy_dir)))


def draw(page: Page) -> str:
    """The page for a layout; the same layout gives the same text."""
    templates = environment(Path(__file__).parent)
    templates.filters["spans"] = spans
    templates.filters["svg"] = Markup
    return templates.get_template(TEMPLATE).render(page=page)


def spans(parts: tuple[Span, ...]) -> Markup:
    """Text with its marks; each value is escaped."""
    return Markup("").join(_span(part) for part in parts)


def _span(part: Span) -> Markup:
    tag = _TAGS.get(part.style)
    attributes = Markup("")
    if part.style in _CLASSES:
        tag = "span"
        attributes += Markup(' class="{}"').format(_CLASSES[part.style])
    if part.lang:
        tag = tag or "span"
        attributes += Markup(' lang="{}"').format(part.lang)
    if tag is None:
        return Markup("{}").format(part.text)
    text = _breakable(part.text) if tag == "code" else part.text
    return Markup("<{tag}{attributes}>{text}</{tag}>").format(
        tag=tag, attributes=attributes, text=text
    )


def _breakable(name: str) -> Markup:
    """A long name may break after each of its parts, and nowhere else if it can be helped."""
    return Markup("<wbr>").join(_PARTS.findall(name))
