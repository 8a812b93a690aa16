"""The user interface on a sample that the daily job has run on, and a browser to look at it.

Belongs here: the server, the browser and the camera. Does not belong here: what must be seen.
"""

import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from landing.sample import land_sample
from orchestration.instance import DEFINITIONS, dagster_environment, dagster_home
from orchestration.run import run_job
from retention import classify
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.conftest import Server
from tests.integration.conftest import sample_settings
from tests.keys import make_keys

CHROMIUM = "RETENTION_TEST_CHROMIUM"
ARTIFACTS = "RETENTION_TEST_ARTIFACTS"

HOST = "127.0.0.1"
PEOPLE = 60
SEED = 11

#: What an auditor's screen is wide, at least and often.
WIDTHS = (1280, 1920)

_START_SECONDS = 300.0
_SETTLED_MS = 1_500
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Ui:
    """The pages of one instance as an auditor sees them, the warehouse behind them, and its approver."""

    address: str
    settings: Settings
    approver: Settings
    environment: Mapping[str, str]

    def one(self, query: Any) -> Any:
        with connect(self.settings, autocommit=True) as conn:
            row = conn.execute(query).fetchone()
        return row[0] if row else None

    def command(self, *arguments: str) -> str:
        """What `retention` prints; it must have ended well."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env={**self.environment, "NO_COLOR": "1", "COLUMNS": "120"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def asked(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer of the webserver's GraphQL, errors included."""
        request = urllib.request.Request(
            f"{self.address}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            content = error.read()
        answered: dict[str, Any] = json.loads(content)
        return answered

    def column(self, query: Any) -> list[Any]:
        with connect(self.settings, autocommit=True) as conn:
            return [row[0] for row in conn.execute(query).fetchall()]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The program; the test is skipped where there is none."""
    named = os.environ.get(CHROMIUM)
    found = named or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip(f"no chromium on this machine: install one, or name it in {CHROMIUM}")
    return found


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where what was seen is kept, outside of version control."""
    named = os.environ.get(ARTIFACTS)
    root = Path(__file__).resolve().parents[2]
    folder = Path(named) if named else root / ".retention" / "test-output"
    folder = folder / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Camera:
    """Keeps what was seen at both widths, and sees to it that nothing is cut off."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(
        self, page: Any, name: str, *, whole: bool = False, fit: Callable[[], None] | None = None
    ) -> None:
        """`whole`: the page from top to bottom. `fit`: what a reader does after resizing the window."""
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": width * 10 // 16})
            page.wait_for_timeout(_SETTLED_MS)
            if fit:
                fit()
                page.wait_for_timeout(_SETTLED_MS)
            page.screenshot(path=self._folder / f"{name}-{width}.png", full_page=whole)
            beyond = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert beyond <= 0, f"{name} is {beyond} pixels wider than {width}"


@pytest.fixture(scope="session")
def camera(screenshots: Path) -> Camera:
    """Takes the screenshots."""
    return Camera(screenshots)


@pytest.fixture(scope="module")
def ui(
    chromium: str,
    server: Server,
    clean_environment: Mapping[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ui]:
    """The auditors' webserver on a throwaway instance in which the daily job has run."""
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("ui"))
    make_keys(settings)
    with connect(settings) as conn:
        land_sample(conn, people=PEOPLE, seed=SEED, as_of=classify.today())
    assert run_job(settings, "apply_retention").success
    port = _free_port()
    log = settings.state / "webserver.log"
    environment = {
        **clean_environment,
        **dagster_environment(settings),
        "RETENTION_DATABASE_URL": str(settings.database_url),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "orchestration.auditors"),
                *("-m", DEFINITIONS, "-h", HOST, "-p", str(port)),
            ],
            env=environment,
            cwd=dagster_home(settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://{HOST}:{port}"
    try:
        _wait(process, address, log)
        approver = dataclasses.replace(settings, database_url=server.approver_url(name))
        yield Ui(address, settings, approver, environment)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        server.drop(name)


@pytest.fixture
def page(ui: Ui, chromium: str) -> Iterator[Any]:
    """A page of a browser that nobody used before."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        try:
            # What was drawn for a wide screen may not shrink, so the narrow one is seen first.
            opened = browser.new_page(viewport={"width": WIDTHS[0], "height": 800})
            opened.set_default_timeout(120_000)
            yield opened
        finally:
            browser.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _START_SECONDS
    while True:
        assert process.poll() is None, log.read_text(encoding="utf-8")[-2000:]
        try:
            opener.open(f"{address}/server_info", timeout=5).close()
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")[-2000:]
            time.sleep(0.3)
        else:
            return
