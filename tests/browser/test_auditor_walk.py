"""An auditor's walk, without SQL: what is overdue and why, one record from landing to its deletion report,
that report verified, and nothing that can be started.

The tests stand in the order of the walk; from `purge` on the plan is carried out.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from orchestration.auditors import REFUSAL
from orchestration.groups import GROUPS
from orchestration.links import REPORT_PART
from orchestration.run import run_job
from retention import orders, plan, purge
from retention.keys import load_signing_key
from retention.ledger import tree
from retention.warehouse.connection import connect
from tests.browser.conftest import HOST, Camera, Ui
from verifier import verify_evidence as ve

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VERIFIER = Path(ve.__file__)

LAUNCH = """
mutation ($of: JobOrPipelineSelector!) {
  launchRun(executionParams: {selector: $of, runConfigData: "{}"}) { __typename }
}
"""


@dataclass(frozen=True)
class Followed:
    """A lead that was overdue, and the plan that purged it."""

    key: str
    plan_id: UUID
    items: int
    report: Path


def text_of(page: Any) -> str:
    return str(page.inner_text("body"))


def wait_for(page: Any, text: str) -> None:
    """Wait until the page shows `text`."""
    page.wait_for_function("text => document.body.innerText.includes(text)", arg=text)


def to(page: Any, words: str) -> Callable[[], None]:
    """Scrolls to these words, which stand elsewhere in each width."""
    return lambda: page.get_by_text(words, exact=True).first.scroll_into_view_if_needed()


def shown_in_metadata(page: Any, key: str) -> str:
    """The value beside a key of an asset's metadata."""
    row = page.locator("tr", has=page.get_by_text(key, exact=True)).first
    row.wait_for()
    return str(row.locator("td").last.inner_text()).strip()


# --- the flow -----------------------------------------------------------------------------------


def test_the_lineage_graph_shows_the_groups_of_the_flow(ui: Ui, page: Any, camera: Camera) -> None:
    page.goto(f"{ui.address}/asset-groups")
    graph = page.locator("svg foreignObject")
    graph.first.wait_for()
    page.get_by_text("Hide navigation").click()
    # The list of groups beside the graph takes a third of a narrow screen.
    beside = page.get_by_placeholder("Jump to").bounding_box()
    page.mouse.click(beside["x"] + beside["width"] + 22, beside["y"] + beside["height"] / 2)
    page.get_by_placeholder("Jump to").wait_for(state="detached")
    for group in GROUPS:
        page.locator("svg foreignObject", has_text=re.compile(rf"^{group}$")).first.wait_for()
    # A double click on the ground fits the graph to the window.
    camera(page, "1-lineage", fit=lambda: page.mouse.dblclick(300, 180))
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


# --- what is overdue, and why -------------------------------------------------------------------


def test_the_overdue_check_is_seen_to_fail_with_its_counts(
    ui: Ui, page: Any, camera: Camera
) -> None:
    overdue = ui.one("select count(*) from retention.records where status = 'overdue'")
    records = ui.one("select count(*) from retention.records")
    page.goto(f"{ui.address}/assets/findings?view=checks&checkDetail=nothing_overdue")
    wait_for(page, "Latest execution")
    wait_for(page, f"failed: {overdue} of {records}")
    camera(page, "2-overdue-check")
    shown = text_of(page)
    assert "No record is past its due date." in shown
    assert "(§ 6)" in shown
    assert "non-blocking" in shown
    for table, rule in (("crm.lead", "R1"), ("crm.person", "R2")):
        assert table in shown
        assert rule in shown


def test_an_integrity_check_is_seen_to_block(ui: Ui, page: Any, camera: Camera) -> None:
    page.goto(f"{ui.address}/assets/findings?view=checks&checkDetail=population_reconciles")
    wait_for(page, "passed:")
    camera(page, "3-integrity-check")
    shown = text_of(page)
    assert "This is a blocking asset check" in shown
    assert "Succeeded" in shown


def test_the_records_show_their_figures_and_no_value(ui: Ui, page: Any, camera: Camera) -> None:
    page.goto(f"{ui.address}/assets/retention/records")
    wait_for(page, "by_category_and_status")
    overdue = ui.one("select count(*) from retention.records where status = 'overdue'")
    assert shown_in_metadata(page, "overdue") == str(overdue)
    oldest = ui.one("select max(as_of - last_day) from retention.records where status = 'overdue'")
    assert shown_in_metadata(page, "oldest_overdue_days") == str(oldest)
    camera(page, "4-records")
    camera(page, "5-records-figures", fit=to(page, "oldest_overdue_days"))
    shown = text_of(page)
    for word in ("held", "review", "purged", "resurrections", "due_within_30_days"):
        assert word in shown
    values = ui.column(
        "select unnest(array[first_name || ' ' || last_name, email, phone, national_id])"
        " from crm.person"
    )
    assert len(values) > 100
    assert [value for value in values if value and value in shown] == []


def test_a_landing_table_says_how_long_it_is_kept_and_how_it_stands(
    ui: Ui, page: Any, camera: Camera
) -> None:
    page.goto(f"{ui.address}/assets/crm/lead")
    wait_for(page, "Retention: follows its person")
    # The policy's own words, and whose they are about.
    wait_for(page, "«Dersom et kundeforhold ikke etableres")
    wait_for(page, "stg_crm__lead")
    camera(page, "6-landing-table")
    shown = text_of(page)
    for word in ("Policy § 6", "Personal columns:", "heroku", "lead_partner", "special category"):
        assert word in shown
    overdue = ui.one(
        "select count(*) from retention.records where source_table = 'lead' and status = 'overdue'"
    )
    assert overdue > 0
    assert shown_in_metadata(page, "overdue") == str(overdue)
    assert shown_in_metadata(page, "purged") == "0"
    camera(page, "7-landing-figures", fit=to(page, "oldest_overdue_days"))


# --- one record, from landing to its deletion report ----------------------------------------------


def test_the_lineage_leads_from_a_landing_table_to_the_deletion_report(
    ui: Ui, page: Any, camera: Camera
) -> None:
    way = "view=lineage&lineageScope=downstream&lineageDepth=30"
    page.goto(f"{ui.address}/assets/crm/lead?{way}")
    for name in ("stg_crm__lead", "records", "findings", "purge_run", "deletion_report"):
        page.locator("svg foreignObject", has_text=re.compile(name)).first.wait_for()
    # The whole way is too much for one screen: an auditor goes from page to page.
    for name, beside in (("crm/lead", "stg_crm__lead"), ("deletion_report", "checkpoint")):
        page.goto(f"{ui.address}/assets/{name}")
        page.get_by_role("link", name=beside).first.wait_for()
        camera(page, f"8-beside-{name.replace('/', '-')}", fit=to(page, "Downstream assets"))


@pytest.fixture(scope="module")
def due(ui: Ui) -> str:
    """The key of one overdue lead that the plan of the daily job holds."""
    made = plan.list_plans(ui.settings)[0]
    assert made.state == "proposed"
    return str(
        ui.one(
            "select min(record_key) from ledger.plan_items where source_schema = 'crm'"
            f" and source_table = 'lead' and rule_id = 'R1' and plan_id = '{made.plan_id}'"
        )
    )


def test_the_report_names_what_is_overdue(ui: Ui, page: Any, camera: Camera) -> None:
    ui.command("report")
    pages = (ui.settings.state / "reports").rglob("retention-report*.html")
    (written,) = [path for path in pages if not path.name.endswith(".nb.html")]
    page.goto(written.as_uri())
    # Where the assets link to.
    for part in sorted(set(REPORT_PART.values())):
        assert page.locator(f"#{part}").count() == 1, part
    camera(
        page,
        "9-report-overdue",
        fit=lambda: page.locator("#overdue").evaluate("heading => heading.scrollIntoView()"),
    )
    shown = text_of(page)
    assert "crm.lead" in shown
    overdue = ui.one("select count(*) from retention.records where status = 'overdue'")
    assert str(overdue) in shown
    camera(page, "10-report", whole=True)


def test_an_overdue_record_is_explained(ui: Ui, due: str) -> None:
    said = " ".join(ui.command("explain", "crm.lead", due).lower().split())
    assert "overdue" in said
    assert "§ 6" in said
    assert "«dersom et kundeforhold ikke etableres" in said


@pytest.fixture(scope="module")
def followed(ui: Ui, due: str) -> Followed:
    """The plan as it was approved by a second person and carried out by the job."""
    made = plan.list_plans(ui.settings)[0]
    plan.approve(ui.approver, made.plan_id, made.digest)
    purge.order_objects(ui.settings, made.plan_id)
    handed = orders.hand_over(ui.settings)
    orders.acknowledge(ui.settings, {order.order_id: "a receipt" for order in handed})
    assert run_job(ui.settings, "execute_purge", plan_id=made.plan_id).success
    report = ui.settings.state / "reports" / f"deletion-{made.plan_id}.json"
    return Followed(due, made.plan_id, made.items, report)


def test_the_record_is_gone_and_its_table_shows_what_was_purged(
    ui: Ui, page: Any, camera: Camera, followed: Followed
) -> None:
    assert ui.one(f"select count(*) from crm.lead where id::text = '{followed.key}'") == 0
    gone = ui.one("select count(*) from ledger.tombstones where source_table = 'lead'")
    page.goto(f"{ui.address}/assets/crm/lead")
    wait_for(page, "oldest_overdue_days")
    assert gone > 0
    assert shown_in_metadata(page, "purged") == str(gone)
    camera(page, "11-landing-purged", fit=to(page, "oldest_overdue_days"))


def test_the_purge_and_its_deletion_report_are_seen(
    ui: Ui, page: Any, camera: Camera, followed: Followed
) -> None:
    page.goto(f"{ui.address}/assets/purge_run")
    wait_for(page, str(followed.plan_id))
    camera(page, "12-purge-run", fit=to(page, "by_table"))
    page.goto(f"{ui.address}/assets/deletion_report")
    wait_for(page, followed.report.name)
    camera(page, "13-deletion-report", fit=to(page, "files"))
    written = json.loads(followed.report.read_text(encoding="utf-8"))
    assert written["execution"]["purged"] > 0


def test_the_deletion_report_is_verified_by_the_auditor_alone(
    ui: Ui, followed: Followed, tmp_path: Path
) -> None:
    """With the program that stands by itself, and the public key; changed by one number, it fails."""
    with connect(ui.settings, autocommit=True) as conn:
        public = load_signing_key(ui.settings, conn).public
        key = tmp_path / "key.txt"
        key.write_text(ve.Key(tree.origin(conn), public).vkey + "\n")
    held = verify(followed.report, key)
    assert held.returncode == 0, held.stdout
    assert "crm.lead" in held.stdout
    forged = json.loads(followed.report.read_text(encoding="utf-8"))
    forged["execution"]["purged"] -= 1
    changed = tmp_path / "forged.json"
    changed.write_text(json.dumps(forged))
    assert verify(changed, key).returncode == 1


def verify(report: Path, key: Path) -> subprocess.CompletedProcess[str]:
    """As an auditor does on a machine that has nothing of the project."""
    return subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(report), "--key", str(key)],
        capture_output=True,
        text=True,
        check=False,
    )


# --- nothing can be started ---------------------------------------------------------------------


def test_a_run_cannot_be_started(ui: Ui, page: Any, camera: Camera) -> None:
    page.goto(f"{ui.address}/assets/retention/records")
    button = page.get_by_role("button", name="Materialize")
    button.wait_for()
    assert button.is_disabled()
    camera(page, "14-no-launch")
    runs = "{ runsOrError { ... on Runs { count } } }"
    before = ui.asked(runs)["data"]["runsOrError"]["count"]
    locations = ui.asked(
        "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
    )
    (one,) = locations["data"]["repositoriesOrError"]["nodes"]
    answer = ui.asked(
        LAUNCH,
        of={
            "repositoryName": one["name"],
            "repositoryLocationName": one["location"]["name"],
            "jobName": "execute_purge",
        },
    )
    assert "data" not in answer or answer["data"] is None
    assert [error["message"] for error in answer["errors"]] == [REFUSAL]
    assert ui.asked(runs)["data"]["runsOrError"]["count"] == before > 0


def test_the_pages_ask_nobody_else(ui: Ui, page: Any) -> None:
    """Neither telemetry nor fonts: the machine may have no way out."""
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).hostname or ""))
    page.goto(f"{ui.address}/asset-groups")
    page.locator("svg foreignObject").first.wait_for()
    page.goto(f"{ui.address}/runs")
    wait_for(page, "apply_retention")
    assert asked <= {HOST, ""}
