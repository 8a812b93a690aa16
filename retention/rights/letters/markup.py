"""The small markup that letters are written in, and the blocks it stands for.

Belongs here: reading text into blocks, and keeping a value from being read as markup. Does not belong here:
how a block looks (`html`, `pdf`).

    # title        once, on the first line
    ## heading
    - point        lines that follow each other are one list
    | a | b |      lines that follow each other are one table, the first its head
    text           lines that follow each other are one paragraph; an empty line ends it
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from retention.policy.model import Controller

_MARKS = re.compile(r"([\\|#-])")
_ESCAPED = re.compile(r"\\(.)")
_CELL_END = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Points:
    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | Points | Table


@dataclass(frozen=True)
class Letter:
    """One letter in one language, ready to be given a form. `day` is `on` in words."""

    language: str
    title: str
    sender: Controller
    reference: str
    on: date
    day: str
    reference_word: str
    page_word: str
    blocks: tuple[Block, ...]


def plain(value: Any) -> Any:
    """A value as text that is no markup, on one line: what every `{{ … }}` of a letter passes through."""
    return _MARKS.sub(r"\\\1", " ".join(str(value).split())) if value is not None else ""


def read(text: str) -> tuple[str, tuple[Block, ...]]:
    """The title and the blocks of a letter's text. Raises ValueError where it has no title."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if not lines or not lines[0].startswith("# "):
        raise ValueError("a letter begins with its title")
    blocks: list[Block] = []
    for kind, group in groupby(lines[1:], key=_kind):
        block = list(group)
        if kind == "table":
            head, *rows = (_cells(line) for line in block)
            blocks.append(Table(head, tuple(rows)))
        elif kind == "points":
            blocks.append(Points(tuple(_said(line[2:]) for line in block)))
        elif kind == "heading":
            blocks.extend(Heading(_said(line[3:])) for line in block)
        elif kind == "paragraph":
            blocks.append(Paragraph(_said(" ".join(block))))
    return _said(lines[0][2:]), tuple(blocks)


def _kind(line: str) -> str:
    for mark, kind in (("## ", "heading"), ("- ", "points"), ("|", "table")):
        if line.startswith(mark):
            return kind
    return "paragraph" if line else "nothing"


def _cells(line: str) -> tuple[str, ...]:
    inside = line.removeprefix("|").removesuffix("|")
    return tuple(_said(cell) for cell in _CELL_END.split(inside))


def _said(text: str) -> str:
    return _ESCAPED.sub(r"\1", text.strip())
