"""The report in a browser: nothing is fetched, nothing is cut off, and a checker finds no fault.

Belongs here: what only a browser can tell of the page, and what the PDF looks like. Does not belong here:
what the pages say (tests/unit/test_report_page.py).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from retention.language import Language
from retention.report.render import html, pdf
from retention.settings import load_settings
from tests.browser.conftest import _FLAGS
from tests.report_document import full_document

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (1280, 1920)
POLICY_DIR = load_settings({}).policy_dir


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as browsers:
        opened = browsers.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        try:
            yield opened
        finally:
            opened.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[Language, Path]:
    """The page in each language, as a file."""
    folder = tmp_path_factory.mktemp("report")
    written = {language: folder / f"report.{language.value}.html" for language in Language}
    for language, path in written.items():
        path.write_text(html.render(full_document(), language, POLICY_DIR), encoding="utf-8")
    return written


@pytest.mark.parametrize("language", Language)
def test_the_page_fetches_nothing_and_a_checker_finds_no_fault(
    browser: Any, pages: dict[Language, Path], language: Language
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages[language].as_uri())
    assert asked == [pages[language].as_uri()]
    found = axe.Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    page.close()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off(
    browser: Any, pages: dict[Language, Path], screenshots: Path, language: Language, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 1000})
    page.goto(pages[language].as_uri())
    page.screenshot(path=screenshots / f"report-{language.value}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut_off = page.evaluate(
        "[...document.querySelectorAll('.scroll, td, th, dd, .card, svg')]"
        ".filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth)"
        ".map(one => one.textContent.trim().slice(0, 60))"
    )
    assert cut_off == []
    page.close()


def test_it_prints_with_nothing_that_only_a_screen_needs(
    browser: Any, pages: dict[Language, Path], screenshots: Path
) -> None:
    page = browser.new_page(viewport={"width": 1120, "height": 900})
    page.goto(pages[Language.NB].as_uri())
    page.emulate_media(media="print")
    page.screenshot(path=screenshots / "report-nb-print.png", full_page=True)
    assert not page.locator("nav").is_visible()
    assert page.locator("h1").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1120
    page.close()


@pytest.mark.parametrize("language", Language)
def test_the_pdfs_pages_are_kept_to_look_at(screenshots: Path, language: Language) -> None:
    made = pypdfium2.PdfDocument(pdf.render(full_document(), language, POLICY_DIR))
    assert len(made) > 5
    for place, page in enumerate(made, start=1):
        shown = page.render(scale=1.2).to_pil()
        shown.save(screenshots / f"report-{language.value}-pdf-{place:02}.png")
        # No page is blank: something on it differs from its corner.
        assert len(shown.convert("L").getcolors()) > 1
