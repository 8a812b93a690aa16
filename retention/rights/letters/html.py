"""A letter as one HTML page that asks nothing of the outside.

Belongs here: rendering. Does not belong here: the page's marks and looks (letter.html.j2).
"""

from __future__ import annotations

from pathlib import Path

from retention.rights.letters.markup import Letter
from retention.templates import environment


def as_html(letter: Letter) -> str:
    """The page; the same letter gives the same text."""
    blocks = [(type(block).__name__, block) for block in letter.blocks]
    template = environment(Path(__file__).parent).get_template("letter.html.j2")
    return template.render(letter=letter, blocks=blocks)
