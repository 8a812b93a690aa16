"""The few forms of Markdown that the generated pages are made of.

Belongs here: a page's head, a table, a word in code. Does not belong here: what they say.
"""

import re
from collections.abc import Iterable, Sequence


def page_of(title: str, made_from: str, *parts: str) -> str:
    """One page: its title, that nobody edits it, and its parts with an empty line between."""
    head = f"# {title}\n\n<!-- Made from {made_from}: `make reference` writes it anew. -->"
    return "\n\n".join((head, *(part.strip("\n") for part in parts if part))) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty where there are no rows."""
    lines = [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    if not lines:
        return ""
    head = (f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}")
    return "\n".join((*head, *lines))


def prose(text: str) -> str:
    """Paragraphs as they are typed in code: each on a line of its own, an empty one between."""
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


def code(text: str) -> str:
    """A word of code; empty text stays empty."""
    return f"`{text}`" if text else ""


def sentence(text: str) -> str:
    """Text on one line, beginning with a capital and ending with a stop."""
    plain = " ".join(text.split())
    if not plain:
        return ""
    first = plain.split(" ", 1)[0]
    # A path or a name stays as it is written.
    start = plain[0].upper() if not re.search(r"[/_.]\w", first) else plain[0]
    return start + plain[1:] + ("" if plain.endswith((".", "?", ":", "…")) else ".")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
