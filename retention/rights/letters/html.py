"""A letter as one HTML page that asks nothing of the outside.

Belongs here: rendering. Does not belong here: the page's marks and looks (letter.html.j2).
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from retention.rights.letters.markup import Letter


def as_html(letter: Letter) -> str:
    """The page; the same letter gives the same text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    blocks = [(type(block).__name__, block) for block in letter.blocks]
    return environment.get_template("letter.html.j2").render(letter=letter, blocks=blocks)
