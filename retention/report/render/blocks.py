"""What a report is laid out in, in one language and for any medium: sections of blocks.

Belongs here: the shapes that `layout` makes and that the page and the PDF draw, each in its own way.
Does not belong here: a word, a number, and how anything looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from retention.language import Said, Span

Spans = tuple[Span, ...]

#: How a cell or a card stands out: as a status does, or as what needs a look.
Tone = str


@dataclass(frozen=True)
class Cell:
    """One cell. `small` are lines below; `rows` and `columns` how many it spans."""

    spans: Spans = ()
    small: tuple[Spans, ...] = ()
    number: bool = False
    header: bool = False
    chip: Tone = ""
    tone: Tone = ""
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True)
class Head:
    """The head of a column. A `narrow` one is no wider than its longest word needs."""

    text: str
    number: bool = False
    narrow: bool = False


@dataclass(frozen=True)
class Table:
    """Rows in groups that belong together; `figures` are the queries that gave them."""

    caption: str
    heads: tuple[Head, ...]
    groups: tuple[tuple[tuple[Cell, ...], ...], ...]
    note: Spans = ()
    total: tuple[Cell, ...] = ()
    figures: tuple[str, ...] = ()
    kind: Literal["table"] = "table"

    @property
    def rows(self) -> int:
        return sum(len(group) for group in self.groups)


@dataclass(frozen=True)
class Paragraph:
    spans: Spans
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True)
class Heading:
    text: str
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True)
class Empty:
    """In place of a table without rows."""

    text: str
    figures: tuple[str, ...] = ()
    kind: Literal["empty"] = "empty"


@dataclass(frozen=True)
class Points:
    items: tuple[Spans, ...]
    kind: Literal["points"] = "points"


@dataclass(frozen=True)
class Card:
    number: str
    label: str
    note: str
    tone: Tone


@dataclass(frozen=True)
class Cards:
    cards: tuple[Card, ...]
    kind: Literal["cards"] = "cards"


@dataclass(frozen=True)
class Chart:
    """A drawing: `svg`, with what it shows in words for those who do not see it. The table beside it
    has the same numbers."""

    id: str
    title: str
    description: str
    svg: str
    kind: Literal["chart"] = "chart"


@dataclass(frozen=True)
class Notice:
    """Something that must be seen: a heading, columns of paragraphs, the first of them quoting."""

    heading: str
    quote: Span | None
    columns: tuple[tuple[Spans, ...], ...]
    kind: Literal["notice"] = "notice"


@dataclass(frozen=True)
class Terms:
    """Names with what they are: identities, hashes, times."""

    terms: tuple[tuple[str, Spans], ...]
    kind: Literal["terms"] = "terms"


@dataclass(frozen=True)
class Query:
    """The query behind a figure, as it can be pasted and run."""

    figure: str
    number: int
    title: str
    about: str
    text: str
    kind: Literal["query"] = "query"


Block = Table | Paragraph | Heading | Empty | Points | Cards | Chart | Notice | Terms | Query


@dataclass(frozen=True)
class Section:
    id: str
    title: str
    short: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A whole report. `numbers` gives each figure the number of its query; `made_at` is when the run was
    recorded, or the day of a replay, which is not."""

    language: str
    made_at: str
    title: str
    kicker: str
    heading: str
    lead: tuple[Spans, ...]
    terms: tuple[tuple[str, Spans], ...]
    sections: tuple[Section, ...]
    footer: tuple[Spans, ...]
    numbers: dict[str, int] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


def plain(text: Any, style: str = "", lang: str | None = None) -> Spans:
    """Text as it is, in one piece; nothing where there is none."""
    shown = "" if text is None else str(text)
    return (Span(shown, style, lang),) if shown else ()


def said(text: Said, page: str, style: str = "") -> Spans:
    """A text that knows its language, which is told where it is not the page's."""
    return plain(text.text, style, None if text.language == page else text.language)


def count(value: int | None, shown: str, tone: Tone = "", *, bold: bool = False) -> Cell:
    """A number; nought is a dash, and takes no tone."""
    if not value:
        return Cell(plain("–"), number=True, tone="zero")
    return Cell(plain(shown, "strong" if bold else ""), number=True, tone=tone)


def joined(parts: Sequence[Spans], between: str) -> Spans:
    """Parts in one line, with `between` between those that are not empty."""
    there = [part for part in parts if part]
    return tuple(
        span
        for place, part in enumerate(there)
        for span in ((Span(between),) if place else ()) + part
    )
