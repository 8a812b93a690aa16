"""A letter as PDF.

Belongs here: how its blocks are set on A4. Does not belong here: what they say.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, time
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TableCellFillMode, VAlign
from fpdf.fonts import FontFace

from retention.rights.letters.markup import Heading, Letter, Paragraph, Points, Table

_FONTS = Path(__file__).parent / "fonts"
_FONT = "NotoSans"
_MARGIN = 24.0
_INK, _SOFT, _ACCENT = (22, 32, 43), (75, 88, 102), (11, 79, 108)
_LINE = 5.4
_SMALL_LINE = 4.4
_GAP = 3.5
_WIDE = 70.0


def as_pdf(letter: Letter) -> bytes:
    """The document; the same letter gives the same bytes."""
    page = _Page(letter)
    page.add_page()
    page.letterhead()
    for block in letter.blocks:
        match block:
            case Heading(text):
                page.heading(text)
            case Paragraph(text):
                page.paragraph(text)
            case Points(items):
                page.points(items)
            case Table():
                page.table_of(block)
    return bytes(page.output())


class _Page(FPDF):
    def __init__(self, letter: Letter) -> None:
        super().__init__(format="A4")
        self.letter = letter
        self.add_font(_FONT, "", _FONTS / "NotoSans-Regular.ttf")
        self.add_font(_FONT, "B", _FONTS / "NotoSans-Bold.ttf")
        self.set_margins(_MARGIN, _MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(True, margin=_MARGIN)
        self.set_title(letter.title)
        self.set_author(letter.sender.name)
        self.set_lang(letter.language)
        # Otherwise the clock's: two copies of one letter would differ.
        self.set_creation_date(datetime.combine(letter.on, time(), UTC))

    def footer(self) -> None:
        self.set_y(-16)
        self._style(8, _SOFT)
        about = f"{self.letter.sender.name} · {self.letter.reference}"
        self.cell(self.epw / 2, 5, about)
        self.cell(self.epw / 2, 5, f"{self.letter.page_word} {self.page_no()} / {{nb}}", align="R")

    def letterhead(self) -> None:
        sender = self.letter.sender
        top = self.get_y()
        self._style(12, _ACCENT, bold=True)
        self._lines(sender.name, 6, self.epw * 0.55)
        self._style(9, _SOFT)
        for line in (sender.address, sender.contact):
            self._lines(line, _SMALL_LINE, self.epw * 0.55)
        below = self.get_y()
        self.set_y(top + 1)
        for line in (self.letter.day, f"{self.letter.reference_word}:", self.letter.reference):
            self.set_x(self.l_margin + self.epw * 0.5)
            self.cell(self.epw * 0.5, _SMALL_LINE, line, align="R", new_x="LMARGIN", new_y="NEXT")
        self.set_y(max(below, self.get_y()) + 14)
        self._style(18, _INK, bold=True)
        self._lines(self.letter.title, 8)
        self.ln(3)

    def heading(self, text: str) -> None:
        # With some of what it is the heading of, or on the next page.
        if self.will_page_break(26):
            self.add_page()
        else:
            self.ln(4)
        self._style(12, _ACCENT, bold=True)
        self._lines(text, 6)
        self.ln(1)

    def paragraph(self, text: str) -> None:
        self._style(10, _INK)
        self._lines(text, _LINE)
        self.ln(2)

    def points(self, items: tuple[str, ...]) -> None:
        self._style(10, _INK)
        for item in items:
            self.cell(5, _LINE, "•")
            self._lines(item, _LINE, self.epw - 5)
        self.ln(2)

    def table_of(self, block: Table) -> None:
        self._style(8.5, _INK)
        self.set_draw_color(217, 222, 228)
        with self.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            cell_fill_mode=TableCellFillMode.NONE,
            headings_style=FontFace(emphasis="BOLD", color=_ACCENT),
            line_height=_SMALL_LINE,
            padding=(1.4, _GAP, 1.4, 0),
            text_align="LEFT",
            v_align=VAlign.T,
            col_widths=self._widths(block),
        ) as table:
            for cells in (block.head, *block.rows):
                row = table.row()
                for cell in cells:
                    row.cell(_shown(cell))
        self.ln(4)

    def _widths(self, block: Table) -> tuple[float, ...]:
        """Each column as wide as its longest word; what is left goes to those with the longest lines."""
        columns = [
            [_shown(cell) for cell in column]
            for column in zip(block.head, *block.rows, strict=True)
        ]
        self._style(8.5, _INK, bold=True)
        needed = [
            max(self.get_string_width(word) for cell in column for word in cell.split() or [""])
            + _GAP
            + 0.5
            for column in columns
        ]
        wanted = [
            max(0.1, min(_WIDE, max(self.get_string_width(cell) for cell in column)) + _GAP - need)
            for column, need in zip(columns, needed, strict=True)
        ]
        self._style(8.5, _INK)
        left = max(0.0, self.epw - sum(needed))
        return tuple(
            need + left * want / sum(wanted) for need, want in zip(needed, wanted, strict=True)
        )

    def _style(self, size: float, color: tuple[int, int, int], *, bold: bool = False) -> None:
        self.set_font(_FONT, "B" if bold else "", size)
        self.set_text_color(*color)

    def _lines(self, text: str, height: float, width: float = 0) -> None:
        self.multi_cell(width, height, _shown(text), align="L", new_x="LMARGIN", new_y="NEXT")


def _shown(text: str) -> str:
    """Composed letters: the fonts have these, and no rules for putting letters together."""
    return unicodedata.normalize("NFC", text)
