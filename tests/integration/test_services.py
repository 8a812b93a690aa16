"""`up` and `down`: exactly our processes are started and ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from orchestration.service import Service
from orchestration.services import running_services, stop_services
from retention import processes
from retention.errors import RetentionError
from retention.ports import free_port
from retention.settings import Settings, load_settings
from retention.warehouse import embedded


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    found = Service("sleeper", tmp_path)
    yield found
    found.stop()


def test_a_service_is_found_again_and_ended(service: Service) -> None:
    process = service.start(("-c", "import time; time.sleep(60)"), os.environ)
    service.wait(process, lambda: True)
    record = service.running()
    assert record is not None
    assert service.stop()
    assert service.running() is None
    assert not service.stop()
    os.waitpid(record["pid"], 0)


def test_what_a_service_started_ends_with_it(service: Service, tmp_path: Path) -> None:
    child = tmp_path / "child"
    program = (
        "import pathlib, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit())\n"
        "started = subprocess.Popen(['sleep', '60'])\n"
        f"pathlib.Path({str(child)!r}).write_text(str(started.pid))\n"
        "time.sleep(60)"
    )
    service.wait(service.start(("-c", program), os.environ), lambda: child.exists())
    pid = int(child.read_text())
    assert processes.runs(pid, "sleep")
    service.stop()
    assert not processes.runs(pid, "sleep")


def test_a_service_that_ends_at_once_is_told_with_its_log(service: Service) -> None:
    process = service.start(("-c", "print('no such thing'); raise SystemExit(3)"), os.environ)
    with pytest.raises(RetentionError, match=r"ended at once: .*sleeper\.log"):
        service.wait(process, lambda: False)
    assert "no such thing" in service.log.read_text()


def test_a_recorded_pid_that_is_now_somebody_else_is_left_alone(service: Service) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        (service.folder / "sleeper.json").write_text(
            json.dumps({"pid": other.pid, "sign": "-m dagster api grpc"})
        )
        assert service.running() is None
        assert not service.stop()
        assert other.poll() is None
        other.kill()


@pytest.fixture
def up_environment(
    own_server: Settings, clean_environment: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """The environment of a clone with a state folder and a page port of its own."""
    environment = {
        **clean_environment,
        "RETENTION_STATE_DIR": str(own_server.state),
        "RETENTION_UI_PORT": str(free_port()),
    }
    yield environment
    stop_services(load_settings(environment))


def retention(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.mark.slow
def test_up_opens_the_page_and_down_ends_everything(up_environment: dict[str, str]) -> None:
    settings = load_settings(up_environment)
    first = retention(up_environment, "up", "--json")
    assert first.returncode == 0, first.stderr
    page = json.loads(first.stdout)["page"]
    with urllib.request.urlopen(f"{page}/server_info", timeout=10) as answer:
        assert answer.status == 200
    assert len(running_services(settings)) == 3

    again = retention(up_environment, "up", "--json")
    assert (again.returncode, json.loads(again.stdout)["page"]) == (0, page)

    # One of them is killed: `up` makes the set whole, on the same port.
    daemon = json.loads((settings.state / "dagster" / "services" / "daemon.json").read_text())
    os.kill(daemon["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 30
    while len(running_services(settings)) == 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(running_services(settings)) == 2
    assert retention(up_environment, "up").returncode == 0
    assert len(running_services(settings)) == 3

    down = retention(up_environment, "down", "--json")
    assert json.loads(down.stdout)["stopped"] == ["webserver", "daemon", "code-server", "database"]
    assert running_services(settings) == []
    assert embedded.running(settings) is None
    assert json.loads(retention(up_environment, "down", "--json").stdout) == {"stopped": []}


def test_a_taken_port_is_exit_2_and_starts_nothing(up_environment: dict[str, str]) -> None:
    port = int(up_environment["RETENTION_UI_PORT"])
    with socket.create_server(("127.0.0.1", port)):
        refused = retention(up_environment, "up")
    assert refused.returncode == 2
    assert refused.stderr == (
        f"retention: port {port} is in use by another program: free it, or set RETENTION_UI_PORT\n"
    )
    assert not load_settings(up_environment).state.exists()


def test_url_names_the_database_in_use(command_environment: dict[str, str]) -> None:
    shown = retention(command_environment, "url", "--json")
    assert json.loads(shown.stdout) == {
        "url": command_environment["RETENTION_DATABASE_URL"],
        "embedded": False,
    }
