"""The pages server gives what is on its list, by name, and nothing that lies beside it."""

import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from retention.pages.checks import keep_checks
from retention.pages.server import make_server
from retention.ports import LOOPBACK
from retention.settings import Settings, load_settings

DAY = "2026-11-23"
PLAN = "0b7c9a52-5a3f-4f0e-9d59-1f8a7b1c2d3e"

SERVED = {
    f"reports/{DAY}/retention-report.en.html": "text/html; charset=utf-8",
    f"reports/{DAY}/retention-report.nb.html": "text/html; charset=utf-8",
    f"reports/{DAY}/retention-report.en.pdf": "application/pdf",
    f"reports/{DAY}/retention-report.json": "application/json",
    f"reports/{DAY}/csv/overdue.csv": "text/csv; charset=utf-8",
    f"reports/deletion-{PLAN}.json": "application/json",
    "pages/dbt/index.html": "text/html; charset=utf-8",
    "pages/dbt/main.js": "text/javascript; charset=utf-8",
    "pages/dbt/manifest.json": "application/json",
    "pages/dbt/catalog.json": "application/json",
}
#: What lies in the state folder as well, and in the folders that are served.
HIDDEN = (
    "hmac.key",
    "packages/request-1.zip",
    "dbt/target/manifest.json",
    "dagster/dagster.yaml",
    "pages/checks.json",
    "pages/dbt/run_results.json",
    "pages/dbt/manifest.json.bak",
    "reports/package-1.zip",
    f"reports/{DAY}/.retention-report.json.1a2b3c4d",
    f"reports/{DAY}/retention-report.en.html.bak",
    f"reports/{DAY}/notes.html",
    f"reports/{DAY}/csv/Kari.csv",
    "reports/deletion-secret.json",
)


@dataclass(frozen=True)
class Pages:
    """A running server, and the state folder that it serves from."""

    port: int
    settings: Settings

    def ask(
        self, path: str, method: str = "GET", host: str = LOOPBACK
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", f"{host}:{self.port}")
        connection.endheaders()
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def write(self, name: str, text: str = "null") -> Path:
        path = self.settings.state / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    settings = replace(load_settings({}), state=tmp_path / "state")
    server = make_server(settings, LOOPBACK, 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Pages(server.server_address[1], settings)
    server.shutdown()
    thread.join()
    server.server_close()


def address(name: str) -> str:
    return "/" + name.removeprefix("pages/")


def test_what_is_on_the_list_is_given_with_its_type(pages: Pages) -> None:
    for name, content_type in SERVED.items():
        pages.write(name, name)
        status, headers, content = pages.ask(address(name))
        assert (status, headers["Content-Type"], content) == (200, content_type, name.encode())
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "unsafe-eval" not in headers["Content-Security-Policy"]
        assert pages.ask(address(name), "HEAD")[::2] == (200, b"")
    assert pages.ask("/dbt/")[2] == b"pages/dbt/index.html"


def test_what_lies_beside_it_is_not(pages: Pages) -> None:
    for name in (*HIDDEN, *SERVED):
        pages.write(name)
    for name in HIDDEN:
        for path in (f"/{name}", address(name)):
            assert pages.ask(path)[0] == 404, path
    for path in ("/reports/", "/reports", "/dbt", "/reports/csv/", f"/reports/{DAY}/csv/"):
        assert pages.ask(path)[0] == 404, path
    index = pages.ask("/")[2] + pages.ask(f"/reports/{DAY}/")[2]
    for name in HIDDEN:
        assert Path(name).name.encode() not in index


@pytest.mark.parametrize(
    "path",
    [
        "/../hmac.key",
        "/reports/../hmac.key",
        f"/reports/{DAY}/../../hmac.key",
        "/reports/%2e%2e/hmac.key",
        "/reports/..%2fhmac.key",
        "/reports/..%5chmac.key",
        "//hmac.key",
        "/dbt/../checks.json",
        "/dbt/manifest.json%00.html",
        f"/reports/{DAY}/retention-report.json%0a",
        "http://elsewhere.example/reports/",
        "/%ff",
    ],
)
def test_no_address_leads_out(pages: Pages, path: str) -> None:
    for name in (*HIDDEN, *SERVED):
        pages.write(name)
    assert pages.ask(path)[0] == 404


def test_a_link_leads_nowhere(pages: Pages, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (pages.settings.state / "reports" / DAY).mkdir(parents=True)
    (pages.settings.state / "reports" / DAY / "retention-report.json").symlink_to(secret)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "manifest.json").write_text("secret")
    (pages.settings.state / "pages").mkdir()
    (pages.settings.state / "pages" / "dbt").symlink_to(tmp_path / "elsewhere")
    assert pages.ask(f"/reports/{DAY}/retention-report.json")[0] == 404
    assert pages.ask("/dbt/manifest.json")[0] == 404


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
)
def test_it_only_gives(pages: Pages, method: str) -> None:
    status, headers, _ = pages.ask("/", method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_a_name_that_is_not_its_own_is_refused(pages: Pages) -> None:
    """A page elsewhere whose name is made to lead to this machine asks for that name."""
    pages.write(f"reports/{DAY}/retention-report.json")
    assert pages.ask("/", host="elsewhere.example")[0] == 421
    assert pages.ask(f"/reports/{DAY}/retention-report.json", host="elsewhere.example")[0] == 421
    assert pages.ask("/", host="localhost")[0] == 200


def test_the_newest_report_has_an_address_that_does_not_move(pages: Pages) -> None:
    assert pages.ask("/reports/latest/")[0] == 404
    for day in ("2026-11-22", DAY, "2025-12-31"):
        for language in ("en", "nb"):
            pages.write(f"reports/{day}/retention-report.{language}.html")
    for language in ("en", "nb"):
        status, headers, _ = pages.ask(f"/reports/latest/?lang={language}")
        assert (status, headers["Location"]) == (302, f"../{DAY}/retention-report.{language}.html")


def test_the_index_tells_what_there_is_in_both_languages(pages: Pages) -> None:
    empty = pages.ask("/?lang=en")[2].decode()
    assert "There is none yet" in empty
    assert "No check has run yet" in empty
    for name in SERVED:
        pages.write(name)
    keep_checks(
        pages.settings,
        date.fromisoformat(DAY),
        [
            {
                "check": "nothing_overdue",
                "description": "No record is past its due date.",
                "outcome": "failed",
                "severity": "warn",
                "blocks_plan": False,
                "clause": "§ 6",
                "evaluated": 12345,
                "failing": 17,
                "counts": [{"table": "crm.person", "rule_id": "R2", "records": 17}],
                "oldest_on": "2025-02-01",
                "details": {},
                "note": None,
            }
        ],
    )
    english = pages.ask("/?lang=en")[2].decode()
    norwegian = pages.ask("/?lang=nb")[2].decode()
    assert '<html lang="en">' in english
    assert '<html lang="nb">' in norwegian
    assert "Last check results" in english
    assert "Siste kontrollresultater" in norwegian
    for page in (english, norwegian):
        for name in SERVED:
            if "/csv/" not in name and not name.startswith("pages/"):
                assert f'href="{name}"' in page
        assert 'href="dbt/"' in page
        assert "nothing_overdue" in page
        assert "12\u202f345" in page
        assert "crm.person" in page
        assert "<script" not in page
    day = pages.ask(f"/reports/{DAY}/?lang=nb")[2].decode()
    assert 'href="csv/overdue.csv"' in day
    assert pages.ask("/reports/2001-01-01/")[0] == 404
