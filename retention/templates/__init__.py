"""What every page and letter is made of: one way of filling a template, one look for the plain pages.

Belongs here: how a template is read and filled, the plain page (`page.html.j2`) and its looks (`page.css`).
Does not belong here: what a page says, which stands beside its template; and the report's own looks.
"""

from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

_SHARED = Path(__file__).parent


def environment(folder: Path, **options: Any) -> Environment:
    """Templates of `folder`, which may extend and include the shared ones. Values are escaped as HTML
    unless `options`, which are jinja2's own, say otherwise; a name that nobody gave raises jinja2's
    UndefinedError."""
    return Environment(  # noqa: S701 - escaped unless the caller writes no HTML
        loader=ChoiceLoader([FileSystemLoader(folder), FileSystemLoader(_SHARED)]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **{"autoescape": True, **options},
    )
