"""The pages beside the interface as a browser has them: dbt's description asks nobody else, and the index
reads well. Belongs here: what only a browser can tell. Does not belong here: which files are served
(tests/unit/test_pages.py).
"""

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from expectations import CHECKS
from expectations.results import not_evaluated
from orchestration.dbt_docs import write_dbt_docs
from orchestration.manifest import ensure_manifest
from retention.pages.checks import keep_checks
from retention.pages.server import make_server
from retention.ports import LOOPBACK
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import sample_settings

pytestmark = pytest.mark.slow

CANARY = "Kanarifugl Kvitre"


@pytest.fixture(scope="module")
def described(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse with one landing table, and what dbt says of the project's models."""
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("described"))
    with connect(settings) as conn:
        conn.execute("create schema crm")
        conn.execute("create table crm.person (id bigint primary key, first_name varchar(80))")
        conn.execute("insert into crm.person values (1, %s)", (CANARY,))
        conn.execute("analyze crm.person")
    settings.dbt_target.mkdir(parents=True)
    shutil.copy(ensure_manifest(settings), settings.dbt_target)
    write_dbt_docs(settings)
    yield settings
    server.drop(name)


@pytest.fixture(scope="module")
def address(described: Settings) -> Iterator[str]:
    server = make_server(described, LOOPBACK, 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://{LOOPBACK}:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(chromium: str) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(
            executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


def test_dbts_page_describes_the_models_and_asks_nobody_else(
    described: Settings, address: str, page: Any, screenshots: Path
) -> None:
    told = [path.read_text("utf-8") for path in (described.state / "pages/dbt").glob("*.json")]
    assert len(told) == 2
    for text in told:
        for unwanted in (
            *(CANARY, "compiled_code", "compiled_path", "build_path", "invocation_id"),
            *(str(described.state), str(described.dbt_dir), "root_path"),
        ):
            assert unwanted not in text
    manifest = json.loads((described.state / "pages/dbt/manifest.json").read_text("utf-8"))
    assert manifest["metadata"]["send_anonymous_usage_stats"] is False
    assert len(manifest["nodes"]) > 100
    assert manifest["unit_tests"] == {}
    assert {
        node["raw_code"] for node in manifest["nodes"].values() if node["resource_type"] == "test"
    } == {""}

    hosts: set[str | None] = set()
    refused: list[str] = []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    # A page that its own policy keeps from running says so on the console.
    page.on("console", lambda line: refused.append(line.text) if "Policy" in line.text else None)
    page.on("pageerror", lambda error: refused.append(str(error)))
    page.goto(f"{address}/dbt/#!/model/model.sletteplikt.records")
    page.get_by_role("heading", name="records").first.wait_for()
    page.get_by_text("One row for each physical landing row").first.wait_for()
    page.screenshot(path=screenshots / "dbt_docs_model.png")
    page.goto(f"{address}/dbt/#!/source/source.sletteplikt.crm.person")
    page.get_by_text("first_name", exact=True).first.wait_for()
    # In dbt's own page the type stands beside the column: the catalog was read.
    page.get_by_text("character varying(80)").first.wait_for()
    page.screenshot(path=screenshots / "dbt_docs_source.png")
    assert CANARY not in page.inner_text("body")
    assert hosts == {LOOPBACK}
    assert refused == []


def test_the_index_is_whole_and_without_serious_faults(
    described: Settings, address: str, page: Any, screenshots: Path
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    keep_checks(
        described,
        date(2026, 11, 23),
        [
            {**not_evaluated(check, "no reason").as_dict(), "description": check.description}
            for check in CHECKS
        ],
    )
    report = described.state / "reports" / "2026-11-23"
    (report / "csv").mkdir(parents=True)
    for name in ("retention-report.en.html", "retention-report.nb.pdf", "csv/overdue.csv"):
        (report / name).write_text("x")
    hosts: set[str | None] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    for language in ("en", "nb"):
        for place in ("", "reports/2026-11-23/"):
            page.goto(f"{address}/{place}?lang={language}")
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wide) == 0
        page.goto(f"{address}/?lang={language}")
        page.screenshot(path=screenshots / f"pages_index_{language}.png", full_page=True)
        # The page's policy lets no script run, so the checker's is given past it.
        with_script = page.context.browser.new_context(bypass_csp=True).new_page()
        with_script.goto(f"{address}/?lang={language}")
        found = axe.Axe().run(with_script).response["violations"]
        assert [(one["id"], one["impact"]) for one in found] == []
    assert hosts == {LOOPBACK}
