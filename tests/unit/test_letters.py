"""Letters: what is written comes out, in both languages and both forms, and a value is never markup.

Belongs here: the markup, HTML and PDF. Does not belong here: what a letter of some right tells.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
from jinja2 import UndefinedError

from retention.policy import load_policy
from retention.rights.letters import LANGUAGES, Letter, as_html, as_pdf, compose, markup
from retention.rights.letters.words import _WORDS
from tests.policies import SHIPPED

pytestmark = pytest.mark.unit

FOLDER = Path(markup.__file__).parent
# Norwegian, Northern and Skolt Sami, Polish, Lithuanian, Icelandic, Vietnamese, Turkish, Greek, Russian.
NAMES = (
    "Bjørg Åsnes Ćæšár Čáhcesuolu Đuŋŋá Ǩiõll Łukasz Żółć Šarūnas Þórður Nguyễn İlhan Αθηνά Щукин"
)


def letter(*blocks: markup.Block, title: str = "Svar") -> Letter:
    policy = load_policy(SHIPPED)
    return Letter(
        "nb", title, policy.controller, "ref", date(2026, 11, 3), "3. november 2026", "Vår referanse",
        "Side", blocks,
    )  # fmt: skip


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(page.get_textpage().get_text_bounded() for page in document)


def test_the_markup_is_read() -> None:
    title, blocks = markup.read(
        "# Tittel\n\n## En del\nen linje\nog en til\n\n- a\n- b\n\n| x | y |\n| 1 | 2 |\n| 3 |  |\n"
    )
    assert title == "Tittel"
    assert blocks == (
        markup.Heading("En del"),
        markup.Paragraph("en linje og en til"),
        markup.Points(("a", "b")),
        markup.Table(("x", "y"), (("1", "2"), ("3", ""))),
    )


def test_a_text_without_a_title_is_no_letter() -> None:
    with pytest.raises(ValueError, match="title"):
        markup.read("bare tekst")


@pytest.mark.parametrize(
    "value",
    ["a | b", "# title", "- point", "x\n## heading\n| y |", "back\\slash|", "", "§ 3-15 | [a](b)"],
)
def test_a_value_is_never_markup(value: str) -> None:
    said = " ".join(value.split())
    _, blocks = markup.read(
        f"# t\n\n| a | b |\n| {markup.plain(value)} | z |\n\nom {markup.plain(value)}"
    )
    assert blocks == (
        markup.Table(("a", "b"), ((said, "z"),)),
        markup.Paragraph(f"om {said}".strip()),
    )


def test_html_escapes_what_it_is_given() -> None:
    page = as_html(letter(markup.Paragraph("<script>alert(1)</script> & co"), title="<b>"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<h1>&lt;b&gt;</h1>" in page


def test_html_asks_nothing_of_the_outside() -> None:
    page = as_html(letter(markup.Paragraph("x")))
    assert not any(mark in page for mark in ("http", "src=", "@import", "url(", "<script"))


def test_every_letter_of_every_name_comes_out() -> None:
    pdf = as_pdf(letter(markup.Paragraph(NAMES), markup.Table(("navn",), ((NAMES,),)), title=NAMES))
    found = text_of(pdf).split()
    for name in NAMES.split():
        assert found.count(name) == 3, name


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert "Århus" in text_of(as_pdf(letter(markup.Paragraph("A\u030arhus"))))


def test_the_same_letter_is_the_same_bytes() -> None:
    told = letter(markup.Heading("x"), markup.Paragraph("y"), markup.Points(("z",)))
    assert as_pdf(told) == as_pdf(told)
    assert as_html(told) == as_html(told)


def test_a_long_table_goes_on_on_the_next_page_under_its_head() -> None:
    rows = tuple((f"rad {number}", "et ord " * 20) for number in range(60))
    pdf = as_pdf(letter(markup.Table(("kolonne", "innhold"), rows)))
    pages = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf)]
    assert len(pages) > 2
    assert all("kolonne" in page for page in pages)
    assert all(f"rad {number}" in " ".join(pages) for number in range(60))


def test_nothing_is_left_out_silently() -> None:
    with pytest.raises(UndefinedError):
        compose("copy", "nb", policy=load_policy(SHIPPED), reference="r", on=date(2026, 11, 3))


def texts() -> Iterator[str]:
    yield from {path.name.split(".")[0] for path in FOLDER.glob("*.nb.j2")}


def test_every_letter_is_there_in_both_languages() -> None:
    for name in texts():
        assert all((FOLDER / f"{name}.{language}.j2").is_file() for language in LANGUAGES)


def test_every_word_is_there_in_both_languages() -> None:
    for words in _WORDS.values():
        for bokmal, english in words.values():
            assert bokmal
            assert english
