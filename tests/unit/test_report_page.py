"""The report's pages without a database: they need nothing from outside, and everybody can read them."""

import json
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from retention.classified import STATUSES
from retention.language import Language, speaker
from retention.language.words import WORDS
from retention.report import figures
from retention.report.figures.figure import plain, readable
from retention.report.render import charts, html, pdf
from retention.report.render.blocks import Chart, Page, Table
from retention.report.render.layout import lay_out
from retention.report.render.population import lines
from retention.settings import load_settings
from tests.report_document import EVIDENCE, PLAN, POPULATION, document, full_document

pytestmark = pytest.mark.unit

POLICY_DIR = load_settings({}).policy_dir
FULL = full_document()


@cache
def laid_out(language: Language = Language.EN) -> Page:
    return lay_out(FULL, speaker(language, POLICY_DIR))


@pytest.fixture(scope="module")
def page() -> str:
    return html.draw(laid_out(Language.EN))


@pytest.fixture(scope="module")
def side() -> str:
    return html.draw(laid_out(Language.NB))


def cells(table: Table) -> list[str]:
    return [
        "".join(span.text for span in cell.spans)
        for group in table.groups
        for row in group
        for cell in row
    ]


def test_an_empty_warehouse_has_a_page_too() -> None:
    page = html.render(document())
    assert "No record is governed yet." in page
    assert "Nothing has been planned yet." in page


def test_the_page_asks_nothing_of_the_outside_and_runs_nothing(page: str) -> None:
    assert "<script" not in page
    assert not re.search(r"<(link|img|iframe|object|embed|source)\b", page)
    assert not re.search(r"url\((?!#)|@import", page)
    assert all(target.startswith("#") for target in re.findall(r'(?:href|src)="([^"]*)"', page))


def test_every_link_inside_the_page_has_its_target(page: str) -> None:
    targets = set(re.findall(r'href="#([^"]+)"', page))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert targets <= set(ids)
    assert len(ids) == len(set(ids))


def test_the_broken_sentence_is_named_as_a_defect_in_the_policys_own_words(
    page: str, side: str
) -> None:
    quote = "Hvis et kundeforhold etableres, men uten at du mottar rådgivning"
    assert "Defect of the policy: a broken sentence in § 6" in page
    assert re.search(rf'<blockquote lang="nb">[^<]*{quote}', page)
    assert "Feil i erklæringen: en ufullstendig setning i § 6" in side
    assert quote in side


def test_every_rule_stands_there_with_its_quote_in_the_policys_language(page: str) -> None:
    for rule in FULL["policy"]["rules"]:
        assert f"<strong>{rule['id']}</strong>" in page
        assert f'<q lang="nb">{rule["quote"]}</q>' in page


def test_a_table_that_does_not_reconcile_is_shown_as_such(page: str) -> None:
    assert '<span class="chip bad">+3</span>' in page
    assert "1 table does not reconcile with landing:" in page


def plans_of(evidence: dict[str, Any]) -> Table:
    report = document(plans=[PLAN], evidence=[evidence])
    laid = lay_out(report, speaker(Language.EN))
    (section,) = [one for one in laid.sections if one.id == "purges"]
    (table,) = [one for one in section.blocks if isinstance(one, Table)]
    return table


def test_a_plan_shows_its_rows_beside_their_evidence() -> None:
    shown = cells(plans_of(EVIDENCE))
    assert "1\u202f200" in shown
    assert shown.count("1\u202f199") == 2
    assert "6 entries" in shown


def test_purged_rows_without_a_tombstone_stand_out() -> None:
    ((row,),) = plans_of({**EVIDENCE, "tombstones": 1198}).groups
    assert [cell.spans[0].text for cell in row if cell.tone == "hot"] == ["1\u202f198"]


def test_names_of_the_database_are_escaped(page: str) -> None:
    assert "notes&lt;b&gt;" in page


def test_a_line_per_category_sums_its_statuses() -> None:
    lead, locked = lines([row for row in POPULATION if row["table"] == "crm.lead"])
    assert (lead["category"], lead["records"], lead["counts"]["overdue"]) == (
        "lead_partner",
        1203,
        1200,
    )
    assert (locked["category"], locked["counts"]["locked"]) == (None, 1)


def test_a_query_loses_the_margin_of_the_module_it_stands_in() -> None:
    assert readable("\n        select a\n            , b\n        from c\n    ") == (
        "select a\n    , b\nfrom c"
    )


def test_values_become_json_as_days_and_instants_of_norway() -> None:
    from datetime import UTC, datetime

    assert plain(date(2026, 1, 31)) == "2026-01-31"
    assert plain(datetime(2026, 1, 31, 1, 0, tzinfo=UTC)) == "2026-01-31T02:00:00+01:00"


# Two languages.


def test_the_norwegian_page_says_nothing_in_english(side: str) -> None:
    """Words of the English page that Norwegian has not, outside of what is marked as another language,
    names in code and queries."""
    assert '<html lang="nb">' in side
    text = re.sub(r"<(style|pre|code|svg)\b.*?</\1>", " ", side, flags=re.DOTALL)
    text = re.sub(r'<(\w+)[^>]* lang="en"[^>]*>.*?</\1>', " ", text, flags=re.DOTALL)
    words = set(re.findall(r"[a-zæøå]+", re.sub(r"<[^>]*>", " ", text).lower()))
    english = {"the", "and", "of", "with", "not", "is", "are", "which", "records", "overdue", "by"}
    assert words & english == set()


def test_what_nobody_translated_is_marked_as_english(side: str) -> None:
    assert '<span lang="en">words that nobody knows</span>' in side


def test_both_languages_have_the_same_sections_tables_and_rows() -> None:
    def shape(of: Page) -> list[tuple[str, list[tuple[str, int]]]]:
        return [
            (
                section.id,
                [
                    (block.kind, block.rows if isinstance(block, Table) else 0)
                    for block in section.blocks
                ],
            )
            for section in of.sections
        ]

    assert shape(laid_out(Language.EN)) == shape(laid_out(Language.NB))


def test_every_figure_of_the_report_can_be_said() -> None:
    """Its columns have heads, its codes words; but for codes of the policy, which names them itself, and
    for plans with their evidence, which are laid out by hand."""
    by_hand = {
        *("plan_id", "expires_on", "planned_by", "planned_at", "approved_by", "approved_at"),
        *("rejected_by", "rejected_at", "executed_at", "run_by", "policy_version", "digest"),
        *("tombstones", "skipped", "open", "batches", "read_backs", "read_back_findings"),
    }
    folder = Path(figures.__file__).parent
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    columns = set(
        re.findall(
            r'"(\w+)": (?:Code\(|"(?:count|day|month|moment|table|text|hash|id|flag)")', text
        )
    )
    assert {"records", "rule_id", "as_of"} <= columns
    assert columns - by_hand <= set(WORDS["column"])
    assert set(re.findall(r'Code\("(\w+)"\)', text)) <= {*WORDS, "rule", "recipient", "purpose"}


# The same inputs, the same bytes.


@pytest.mark.parametrize("language", Language)
def test_the_same_document_gives_the_same_bytes(language: Language) -> None:
    again = json.loads(json.dumps(FULL))
    assert html.draw(laid_out(language)) == html.render(again, language, POLICY_DIR)


@pytest.mark.slow
@pytest.mark.parametrize("language", Language)
def test_the_same_document_gives_the_same_pdf(language: Language) -> None:
    assert pdf.render(FULL, language, POLICY_DIR) == pdf.render(FULL, language, POLICY_DIR)


def test_the_pdf_has_every_section_and_tells_its_language_and_title() -> None:
    made = pypdfium2.PdfDocument(pdf.draw(laid_out(Language.NB)))
    text = " ".join(
        " ".join(page.get_textpage().get_text_range().split()) for page in made
    ).replace("\u202f", " ")
    laid = laid_out(Language.NB)
    for section in laid.sections:
        assert section.title in text
    assert made.get_metadata_dict()["Title"] == laid.title
    assert made.is_tagged()
    # The time of the recorded run, no clock's.
    assert made.get_metadata_dict()["CreationDate"].startswith("D:20260131010009")


# Charts.


def charts_of(language: Language) -> dict[str, Chart]:
    sections = laid_out(language).sections
    found = [block for one in sections for block in one.blocks if isinstance(block, Chart)]
    return {chart.id: chart for chart in found}


@pytest.mark.parametrize("language", Language)
def test_each_chart_says_in_words_what_it_shows_and_stands_before_its_table(
    language: Language,
) -> None:
    assert set(charts_of(language)) == {"population", "overdue", "calendar"}
    for chart in charts_of(language).values():
        assert f'<title id="{chart.id}-title">{chart.title}</title>' in chart.svg
        assert chart.description in chart.svg
    for section in laid_out(language).sections:
        for chart, beside in zip(section.blocks, section.blocks[1:], strict=False):
            if isinstance(chart, Chart):
                assert isinstance(beside, Table)


def test_a_charts_numbers_are_the_figures() -> None:
    calendar = charts_of(Language.EN)["calendar"]
    assert "Jan\u00a02026 40" in calendar.description
    assert ">39<" in calendar.svg
    assert "Mar\u00a02026 20" in calendar.description


# WCAG 2.2 AA: text on its background, 4.5 to 1.


def _colours() -> dict[str, str]:
    style = (Path(html.__file__).parent / "report.css").read_text(encoding="utf-8")
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", style))


def _luminance(colour: str) -> float:
    def part(start: int) -> float:
        value = int(colour[start : start + 2], 16) / 255
        return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4

    return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


COLOURS = _colours()
PAIRS = [
    *((COLOURS[status], COLOURS[f"{status}-bg"]) for status in STATUSES),
    *((COLOURS[ink], COLOURS[paper]) for ink in ("ink", "soft") for paper in ("paper", "faint")),
    (COLOURS["accent"], COLOURS["paper"]),
    (COLOURS["overdue"], "#fffafa"),
    ("#6b7683", COLOURS["paper"]),
    ("#b9d6dc", "#0f2a3a"),
    ("#dfebee", "#0f2a3a"),
]


@pytest.mark.parametrize(("ink", "paper"), PAIRS)
def test_text_stands_out_from_its_background(ink: str, paper: str) -> None:
    assert _contrast(ink, paper) >= 4.5


@pytest.mark.parametrize(
    "colour",
    [
        *charts.STATUS_COLOURS.values(),
        *(charts.FREE, charts.BLOCKED, charts.INSIDE, charts.BEYOND),
    ],
)
def test_bars_stand_out_from_the_page_and_numbers_from_bars(colour: str) -> None:
    assert _contrast(colour, "#ffffff") >= 4.5
