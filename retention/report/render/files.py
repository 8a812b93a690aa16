"""The report's pages as files: a page and a PDF in one language, beside the figures.

Belongs here: their names, and writing them. Does not belong here: the figures' own files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retention.files import replace_bytes, replace_text
from retention.language import Language, speaker
from retention.report import NAME


def page_path(folder: Path, language: Language) -> Path:
    """Where the page in `language` lies in a day's folder."""
    return folder / f"{NAME}.{language.value}.html"


def pdf_path(folder: Path, language: Language) -> Path:
    """Where the PDF in `language` lies in a day's folder."""
    return folder / f"{NAME}.{language.value}.pdf"


def write_pages(
    folder: Path,
    document: Mapping[str, Any],
    language: Language,
    policy_dir: Path | None = None,
) -> None:
    """Write the page and the PDF in `language`."""
    # Charts and typesetting take seconds to import: whoever only asks where files are does not wait.
    from retention.report.render import html, pdf
    from retention.report.render.layout import lay_out

    page = lay_out(document, speaker(language, policy_dir))
    replace_text(page_path(folder, language), html.draw(page))
    replace_bytes(pdf_path(folder, language), pdf.draw(page))
