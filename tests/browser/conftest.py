"""The user interface on a sample that the daily job has run on, and a browser to look at it.

Belongs here: the servers and the browser. Does not belong here: what must be seen.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
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

_START_SECONDS = 180.0
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
    """The pages of one instance, and the warehouse behind them."""

    address: str
    settings: Settings

    def one(self, query: Any) -> Any:
        with connect(self.settings, autocommit=True) as conn:
            row = conn.execute(query).fetchone()
        return row[0] if row else None

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


@pytest.fixture(scope="module")
def ui(
    chromium: str,
    server: Server,
    clean_environment: Mapping[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ui]:
    """The webserver on a throwaway instance in which the daily job has run."""
    name = server.create()
    settings = sample_settings(server, name, tmp_path_factory.mktemp("ui"))
    make_keys(settings)
    with connect(settings) as conn:
        land_sample(conn, people=PEOPLE, seed=SEED, as_of=classify.today())
    assert run_job(settings, "apply_retention").success
    port = _free_port()
    log = settings.state / "webserver.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "dagster_webserver"),
                *("-m", DEFINITIONS, "-h", HOST, "-p", str(port)),
            ],
            env={
                **clean_environment,
                **dagster_environment(settings),
                "RETENTION_DATABASE_URL": str(settings.database_url),
            },
            cwd=dagster_home(settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://{HOST}:{port}"
    try:
        _wait(process, address, log)
        yield Ui(address, settings)
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
            opened = browser.new_page(viewport={"width": 1800, "height": 1100})
            opened.set_default_timeout(60_000)
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
