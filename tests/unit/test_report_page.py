"""The report's page without a database: it needs nothing from outside, and everybody can read it."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from retention.classified import STATUSES
from retention.policy import load_versions
from retention.report import html
from retention.report.figures.figure import plain, readable
from retention.report.parts.policy import describe_policy
from retention.settings import load_settings

pytestmark = pytest.mark.unit

MADE_FROM = {
    "database": "warehouse",
    "as_of": "2026-01-31",
    "policy_version": "lexly-2023-01-12",
    "policy_hash": "ab" * 32,
    "is_replay": False,
    "classification_id": 7,
    "classified_at": "2026-01-31T02:00:09+01:00",
    "classified_by": "retention",
    "code_hash": "cd" * 32,
}
FIGURES = (
    *("population", "landed", "overdue", "left_out", "review", "minimisable", "calendar"),
    *("plans", "evidence", "purged", "minimised", "entries", "blockers", "blocked"),
)
POPULATION = [
    {"table": "crm.lead", "category": "lead_partner", "status": "overdue", "records": 1200},
    {"table": "crm.lead", "category": "lead_partner", "status": "retained", "records": 3},
    {"table": "crm.lead", "category": None, "status": "locked", "records": 1},
    {"table": "crm.person", "category": "active", "status": "active", "records": 2},
]
LANDED = [
    {"table": "crm.lead", "landed": 1204, "records": 1204, "reconciled": True},
    {"table": "crm.person", "landed": 5, "records": 2, "reconciled": False},
    {"table": "crm.recording", "landed": 0, "records": 0, "reconciled": True},
]


def document(**rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A report with the given figures' rows; the others are empty."""
    policy = load_versions(load_settings({}).policy_dir)[0]
    counted = rows.get("population", [])
    by_status = {
        status: sum(row["records"] for row in counted if row["status"] == status)
        for status in STATUSES
    }
    return {
        "made_from": MADE_FROM,
        "headline": {
            "records": sum(by_status.values()),
            "tables": len({row["table"] for row in counted}),
            "by_status": by_status,
            "overdue": by_status["overdue"],
            "overdue_beyond_grace": 0,
            "oldest_due_on": "2025-12-24" if by_status["overdue"] else None,
            "purged": 0,
            "unreconciled_tables": sum(not row["reconciled"] for row in rows.get("landed", [])),
        },
        "policy": describe_policy(policy),
        "coverage": {
            "declared": 3,
            "landed": 3,
            "governed": 3,
            "undeclared": 0,
            "set_aside": ["crm.handover"],
            "findings": [{"kind": "undeclared_column", "table": "crm.lead", "column": "notes<b>"}],
            "exempt": [],
        },
        "figures": {
            name: {
                "id": name,
                "title": name,
                "query": f"select 1 -- {name}",
                "rows": rows.get(name, []),
            }
            for name in FIGURES
        },
    }


PLAN = {
    "plan_id": "0b5e1c9e-5a8e-4a57-9f0e-3f7f0a4c2f10",
    "as_of": "2026-01-31",
    "state": "executed",
    "items": 1200,
    "planned_by": "retention",
    "planned_at": "2026-01-31T02:01:00+01:00",
    "expires_on": "2026-02-07",
    "approved_by": "approver",
    "approved_at": "2026-01-31T09:00:00+01:00",
    "approval_kind": "person",
    "rejected_by": None,
    "rejected_at": None,
    "executed_at": "2026-01-31T09:05:00+01:00",
    "run_by": "retention",
    "policy_version": "lexly-2023-01-12",
    "digest": "ef" * 32,
}
EVIDENCE = {
    "plan_id": PLAN["plan_id"],
    "purged": 1199,
    "tombstones": 1199,
    "minimised": 17,
    "skipped": 1,
    "open": 0,
    "batches": 1,
    "entries": 6,
    "read_backs": 1,
    "read_back_findings": 0,
}


def full_page() -> str:
    return html.render(document(population=POPULATION, landed=LANDED))


def test_an_empty_warehouse_has_a_page_too() -> None:
    page = html.render(document())
    assert "No record is governed yet." in page
    assert "Nothing has been planned yet." in page


def test_the_page_asks_nothing_of_the_outside_and_runs_nothing() -> None:
    page = full_page()
    assert "<script" not in page
    assert not re.search(r"<(link|img|iframe|object|embed|source)\b", page)
    assert not re.search(r"url\(|@import", page)
    assert all(target.startswith("#") for target in re.findall(r'(?:href|src)="([^"]*)"', page))


def test_every_link_inside_the_page_has_its_target() -> None:
    page = full_page()
    targets = set(re.findall(r'href="#([^"]+)"', page))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert targets <= set(ids)
    assert len(ids) == len(set(ids))


def test_the_broken_sentence_is_named_as_a_defect_in_the_policys_own_words() -> None:
    page = full_page()
    assert "Defect of the policy: a broken sentence in § 6" in page
    assert "Hvis et kundeforhold etableres, men uten at du mottar rådgivning" in page


def test_every_rule_stands_there_with_its_quote() -> None:
    report = document()
    page = html.render(report)
    for rule in report["policy"]["rules"]:
        assert f'<span class="code">{rule["id"]}</span>' in page
        assert f">{rule['quote']}</q>" in page


def test_a_table_that_does_not_reconcile_is_shown_as_such() -> None:
    page = full_page()
    assert '<span class="chip bad">+3</span>' in page
    assert "1 table does" in page


def test_a_plan_shows_its_rows_beside_their_evidence() -> None:
    page = html.render(document(plans=[PLAN], evidence=[EVIDENCE]))
    assert '<td class="n">1\u202f200</td>' in page
    assert page.count('<td class="n">1\u202f199</td>') == 2
    assert "6 entries" in page
    assert "read back: nothing left" in page


def test_purged_rows_without_a_tombstone_stand_out() -> None:
    page = html.render(document(plans=[PLAN], evidence=[{**EVIDENCE, "tombstones": 1198}]))
    assert '<td class="n hot">1\u202f198</td>' in page


def test_names_of_the_database_are_escaped() -> None:
    assert "notes&lt;b&gt;" in full_page()


def test_the_same_document_gives_the_same_page() -> None:
    assert full_page() == full_page()


def test_the_calendars_bars_are_shares_of_the_fullest_month() -> None:
    months = html.by_month(
        [
            {"month": "2026-01", "category": "supporting", "records": 30, "blocked": 1},
            {"month": "2026-01", "category": "lead_partner", "records": 10, "blocked": 0},
            {"month": "2026-02", "category": None, "records": 0, "blocked": 0},
            {"month": "2026-03", "category": "accounting", "records": 20, "blocked": 0},
        ]
    )
    assert [month["records"] for month in months] == [40, 0, 20]
    assert [part["category"] for part in months[0]["parts"]] == ["lead_partner", "supporting"]
    assert [part["percent"] for part in months[0]["parts"]] == [25, 75]
    assert months[1]["parts"] == []
    assert months[2]["parts"][0]["percent"] == 50


def test_a_line_per_category_sums_its_statuses() -> None:
    lead, locked = html.by_table(POPULATION, LANDED)[0]["lines"]
    assert (lead["category"], lead["records"], lead["counts"]["overdue"]) == (
        "lead_partner",
        1203,
        1200,
    )
    assert (locked["category"], locked["counts"]["locked"]) == (None, 1)


def test_numbers_days_and_instants_are_written_for_people() -> None:
    assert html.number(1234567) == "1\u202f234\u202f567"
    assert html.day("2026-11-03") == "3\u00a0Nov\u00a02026"
    assert html.long_day("2026-11-03") == "3 November 2026"
    assert html.moment("2026-01-31T02:00:09+01:00").replace("\u00a0", " ") == (
        "31 Jan 2026 02:00:09 (UTC+01:00)"
    )
    assert html.month("2026-11") == "Nov\u00a02026"


def test_a_query_loses_the_margin_of_the_module_it_stands_in() -> None:
    assert readable("\n        select a\n            , b\n        from c\n    ") == (
        "select a\n    , b\nfrom c"
    )


def test_values_become_json_as_days_and_instants_of_norway() -> None:
    from datetime import UTC, datetime

    assert plain(date(2026, 1, 31)) == "2026-01-31"
    assert plain(datetime(2026, 1, 31, 1, 0, tzinfo=UTC)) == "2026-01-31T02:00:00+01:00"


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
