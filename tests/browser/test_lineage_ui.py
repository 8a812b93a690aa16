"""What an auditor sees: the flow from landing to deletion, and the check that fails."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from orchestration.groups import GROUPS
from tests.browser.conftest import HOST, Ui

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def text_of(page: Any) -> str:
    return str(page.inner_text("body"))


def wait_for(page: Any, text: str) -> None:
    """Wait until the page shows `text`."""
    page.wait_for_function("text => document.body.innerText.includes(text)", arg=text)


def test_the_lineage_graph_shows_the_groups_of_the_flow(
    ui: Ui, page: Any, screenshots: Path
) -> None:
    page.goto(f"{ui.address}/asset-groups")
    graph = page.locator("svg foreignObject")
    graph.first.wait_for()
    for group in GROUPS:
        page.locator("svg foreignObject", has_text=re.compile(rf"^{group}$")).first.wait_for()
    page.screenshot(path=screenshots / "lineage.png")
    assert {each.strip() for each in graph.all_text_contents()} >= set(GROUPS)
    # From left to right they stand in the order in which data flows.
    places = {
        group: page.locator(
            "svg foreignObject", has_text=re.compile(rf"^{group}$")
        ).first.bounding_box()["x"]
        for group in (
            "landing",
            "staging",
            "facts",
            "deadlines",
            "records",
            "plan",
            "purge",
            "evidence",
        )
    }
    assert list(places) == sorted(places, key=places.__getitem__)


def test_the_overdue_check_is_seen_to_fail_with_its_counts(
    ui: Ui, page: Any, screenshots: Path
) -> None:
    overdue = ui.one("select count(*) from retention.records where status = 'overdue'")
    records = ui.one("select count(*) from retention.records")
    page.goto(f"{ui.address}/assets/findings?view=checks&checkDetail=nothing_overdue")
    wait_for(page, "Latest execution")
    wait_for(page, f"failed: {overdue} of {records}")
    page.screenshot(path=screenshots / "failing_overdue_check.png")
    shown = text_of(page)
    assert "No record is past its due date." in shown
    assert "(§ 6)" in shown
    assert "non-blocking" in shown
    for table, rule in (("crm.lead", "R1"), ("crm.person", "R2")):
        assert table in shown
        assert rule in shown


def test_an_integrity_check_is_seen_to_block(ui: Ui, page: Any, screenshots: Path) -> None:
    page.goto(f"{ui.address}/assets/findings?view=checks&checkDetail=population_reconciles")
    wait_for(page, "passed:")
    page.screenshot(path=screenshots / "integrity_check.png")
    shown = text_of(page)
    assert "This is a blocking asset check" in shown
    assert "Succeeded" in shown


def test_the_records_show_their_counts_and_no_value(ui: Ui, page: Any, screenshots: Path) -> None:
    page.goto(f"{ui.address}/assets/retention/records")
    wait_for(page, "by_category_and_status")
    page.get_by_text("by_category_and_status").first.scroll_into_view_if_needed()
    page.screenshot(path=screenshots / "records.png")
    shown = text_of(page)
    for word in ("overdue", "due_within_30_days", "policy_version", "customer_no_advice"):
        assert word in shown
    values = ui.column(
        "select unnest(array[first_name || ' ' || last_name, email, phone, national_id])"
        " from crm.person"
    )
    assert len(values) > 100
    assert [value for value in values if value and value in shown] == []


def test_a_landing_table_says_how_long_it_is_kept(ui: Ui, page: Any, screenshots: Path) -> None:
    page.goto(f"{ui.address}/assets/crm/lead")
    wait_for(page, "Retention: follows its person")
    # From here an auditor follows the data on.
    wait_for(page, "stg_crm__lead")
    page.screenshot(path=screenshots / "landing_table.png")
    shown = text_of(page)
    assert "§ 6" in shown
    assert "Personal columns:" in shown
    assert "heroku" in shown


def test_the_pages_ask_nobody_else(ui: Ui, page: Any) -> None:
    """Neither telemetry nor fonts: the machine may have no way out."""
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).hostname or ""))
    page.goto(f"{ui.address}/asset-groups")
    page.locator("svg foreignObject").first.wait_for()
    page.goto(f"{ui.address}/runs")
    wait_for(page, "apply_retention")
    assert asked <= {HOST, ""}
