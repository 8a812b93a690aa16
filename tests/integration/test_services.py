"""`up` and `down`: exactly our processes are started and ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from orchestration.instance import STORAGE_VARIABLE
from orchestration.service import Service
from orchestration.services import running_services, stop_services
from retention import processes
from retention.errors import RetentionError
from retention.housekeeping.places import SERVERS
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
        **{f"RETENTION_{server}_PORT": str(free_port()) for server in ("UI", "AUDITOR", "PAGES")},
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
    shown = json.loads(first.stdout)
    pages = {name: shown[name] for name in ("page", "auditors", "pages")}
    assert len(set(pages.values())) == 3
    for address in (f"{pages['page']}/server_info", f"{pages['auditors']}/", f"{pages['pages']}/"):
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert answer.status == 200
    assert running_services(settings) == list(SERVERS)
    assert_only_the_data_team_may_write(pages["page"], pages["auditors"])
    assert_secrets_are_where_they_are_needed(settings)

    again = retention(up_environment, "up", "--json")
    assert (again.returncode, json.loads(again.stdout)) == (0, shown)

    # One of them is killed: `up` makes the set whole, on the same ports.
    record = json.loads((settings.state / "dagster" / "services" / "daemon.json").read_text())
    os.kill(record["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 30
    while "daemon" in running_services(settings) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running_services(settings) == [name for name in SERVERS if name != "daemon"]
    assert retention(up_environment, "up").returncode == 0
    assert running_services(settings) == list(SERVERS)

    down = retention(up_environment, "down", "--json")
    assert json.loads(down.stdout)["stopped"] == [*reversed(SERVERS), "database"]
    assert running_services(settings) == []
    assert embedded.running(settings) is None
    assert json.loads(retention(up_environment, "down", "--json").stdout) == {"stopped": []}


def assert_only_the_data_team_may_write(page: str, auditors: str) -> None:
    """What is refused is shown by test_auditors.py; here, that it is that server which `up` starts."""
    document = json.dumps({"query": "mutation { setNuxSeen }"}).encode()
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request(f"{page}/graphql", document, headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.status == 200
    refused = urllib.request.Request(f"{auditors}/graphql", document, headers)
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(refused, timeout=30)


def assert_secrets_are_where_they_are_needed(settings: Settings) -> None:
    """The auditors' server knows Dagster's database, the pages none; neither knows a key."""
    ours = {}
    for name in ("auditors", "pages"):
        record = json.loads((settings.state / "dagster/services" / f"{name}.json").read_text())
        environment = Path(f"/proc/{record['pid']}/environ").read_text().split("\0")
        ours[name] = {one.partition("=")[0] for one in environment if one.startswith("RETENTION_")}
    assert ours["auditors"] == {STORAGE_VARIABLE}
    assert ours["pages"] <= {"RETENTION_STATE_DIR", "RETENTION_PAGES_URL", "RETENTION_LANGUAGE"}


@pytest.mark.parametrize("server", ["UI", "AUDITOR", "PAGES"])
def test_a_taken_port_is_exit_2_and_starts_nothing(
    up_environment: dict[str, str], server: str
) -> None:
    port = int(up_environment[f"RETENTION_{server}_PORT"])
    with socket.create_server(("127.0.0.1", port)):
        refused = retention(up_environment, "up")
    assert refused.returncode == 2
    assert refused.stderr == (
        f"retention: port {port} is in use by another program:"
        f" free it, or set RETENTION_{server}_PORT\n"
    )
    assert not load_settings(up_environment).state.exists()


def test_one_port_for_two_servers_is_exit_2(up_environment: dict[str, str]) -> None:
    same = {**up_environment, "RETENTION_PAGES_PORT": up_environment["RETENTION_UI_PORT"]}
    refused = retention(same, "up")
    assert refused.returncode == 2
    assert "RETENTION_UI_PORT and RETENTION_PAGES_PORT name the same port" in refused.stderr


def test_url_names_the_database_in_use(command_environment: dict[str, str]) -> None:
    shown = retention(command_environment, "url", "--json")
    assert json.loads(shown.stdout) == {
        "url": command_environment["RETENTION_DATABASE_URL"],
        "embedded": False,
    }
