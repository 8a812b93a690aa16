"""What a trial says, in words: every figure of the document, no key, in both languages.

Belongs here: the sentences, the tables and the page. Does not belong here: the figures themselves
(integration/test_what_if.py).
"""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from retention.language import Language, speaker
from retention.pages.index import index_page
from retention.pages.served import find
from retention.settings import Settings, load_settings
from retention.what_if.page import render, write_pages
from retention.what_if.words import sentences, tables

pytestmark = pytest.mark.unit

KEY = "a-key-of-a-record"
REASON = "a record that may be this person's is under review or held"


def purge(records: int) -> dict[str, Any]:
    return {
        "records": records,
        "taken": [
            {
                "table": "crm.lead",
                "rule": "R1",
                "disposition": "purge",
                "records": records,
                "unattended": 7,
            }
        ],
        "waiting": {REASON: 4321},
        "left_to_a_job": 0,
        "needs_a_person": records,
        "needs_a_person_because": "the policy marks no rule as unattended: a person approves every plan",
    }


@pytest.fixture
def document() -> dict[str, Any]:
    """A trial with a row of everything."""
    named = {"effective_from": "2026-01-01", "file": "next.yaml", "hash": "ab" * 32}
    group = {"effect": "later", "rule_before": "R1", "rule_after": "R2", "table": "crm.lead"}
    return {
        "as_of": "2026-11-03",
        "before": {**named, "version": "first", "file": "first.yaml"},
        "after": {**named, "version": "next"},
        "differences": [
            {
                "what": "rules R1 period value",
                "before": "P6M",
                "after": "P7M",
                "line_before": 1,
                "line_after": 36,
            }
        ],
        "summary": {
            "records": 1001,
            "earlier": 1002,
            "later": 1003,
            "newly": 1004,
            "no_longer": 1005,
            "same_day_otherwise": 1006,
            "unchanged": 1007,
            "moved_category": 1008,
            "needs_review": 1009,
            "leaves_review": 1010,
            "overdue_before": 1011,
            "becomes_overdue": 1012,
            "no_longer_overdue": 1013,
            "overdue_after": 1014,
        },
        "groups": [
            {**group, "month": "2026-12", "records": 2001, "examples": [KEY]},
            {**group, "month": "2027-02", "records": 2002, "examples": []},
        ],
        "needs_review": [{"rule": "R2", "table": "crm.lead", "reason": REASON, "records": 3001}],
        "purge": {"on": "2026-11-04", "before": purge(4001), "after": purge(4002)},
    }


@pytest.mark.parametrize("language", Language)
def test_the_page_holds_every_figure_and_no_key(
    document: dict[str, Any], language: Language
) -> None:
    words = speaker(language, load_settings({}).policy_dir)
    page = render(document, words)
    shown = [
        *(figure for name, figure in document["summary"].items() if name != "same_day_otherwise"),
        *(2001, 2002, 3001, 4001, 4002, 4321),
    ]
    for figure in shown:
        assert words.number(figure) in page
    assert "next.yaml:36" in page
    assert f'<html lang="{language.value}">' in page
    assert KEY not in page
    assert "http" not in page
    assert "<script" not in page


def test_both_languages_say_it_differently(document: dict[str, Any]) -> None:
    folder = load_settings({}).policy_dir
    english, norwegian = (speaker(one, folder) for one in (Language.EN, Language.NB))
    for said, sagt in zip(
        sentences(document, english), sentences(document, norwegian), strict=True
    ):
        assert said != sagt
    assert REASON not in render(document, norwegian)


def test_a_terminal_shows_months_together_and_examples(document: dict[str, Any]) -> None:
    words = speaker(Language.EN, load_settings({}).policy_dir)
    found = {one.title: one for one in tables(document, words, by_month=False, examples=True)}
    (row,) = found["Whose due date moves"].rows
    assert row == ("due later", "R1 → R2", "crm.lead", "Dec\u00a02026 – Feb\u00a02027", 4003, KEY)


def test_the_pages_are_served_and_listed(document: dict[str, Any], tmp_path: Path) -> None:
    settings: Settings = dataclasses.replace(load_settings({}), state=tmp_path)
    paths = write_pages(settings, document)
    assert {path.name for path in paths.values()} == {
        f"what-if-{'ab' * 6}.{language.value}.html" for language in Language
    }
    for path in paths.values():
        served = find(settings, f"reports/{path.name}")
        assert served is not None
        assert served.path == path
        assert path.name in index_page(settings, Language.EN)
