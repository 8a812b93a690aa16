"""Dagster's servers: one shared code server, the webserver and the daemon.

Belongs here: which they are, starting them together, ending exactly those. Does not belong here:
one process's mechanics (service.py), the instance they share (instance.py) and what they serve
(definitions.py).
"""

import hashlib
import json
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from orchestration.instance import (
    DEFINITIONS,
    LOCATION,
    dagster_environment,
    dagster_home,
    ensure_instance,
)
from orchestration.service import Service
from retention import state
from retention.errors import UsageError
from retention.ports import LOOPBACK, free_port, is_free
from retention.settings import Settings


def start_services(settings: Settings) -> str:
    """Start the three servers unless they run, wait until the page answers, return its address.

    The warehouse must be migrated. Raises UsageError when the port is taken by someone else,
    RetentionError when a server ends at once or does not answer.
    """
    require_port(settings)
    with _lock(settings):
        home = ensure_instance(settings)
        environment = {**os.environ, **dagster_environment(settings)}
        page = f"http://{LOOPBACK}:{settings.ui_port}"
        wanted = {"page": page, "environment": _fingerprint(environment)}
        if _all_run(settings) and state.read_record(_page_record(settings)) == wanted:
            return page
        _stop_all(settings)
        try:
            _start_all(settings, environment, home / "workspace.yaml", page)
        except BaseException:
            _stop_all(settings)
            raise
        state.write_record(_page_record(settings), wanted)
        return page


def require_port(settings: Settings) -> None:
    """Raise UsageError when the page's port is taken by another program than our own webserver."""
    _, web, _ = _services(settings)
    ours = web.running()
    if ours is not None and f"--port {settings.ui_port} " in ours["sign"]:
        return
    if not is_free(settings.ui_port):
        raise UsageError(
            f"port {settings.ui_port} is in use by another program:"
            " free it, or set RETENTION_UI_PORT"
        )


def stop_services(settings: Settings) -> list[str]:
    """End the recorded servers that still run, and what they started. Returns their names."""
    if not _folder(settings).exists():
        return []
    with _lock(settings):
        return _stop_all(settings)


def running_services(settings: Settings) -> list[str]:
    """Return the names of the recorded servers that run now."""
    return [service.name for service in _services(settings) if service.running() is not None]


def _services(settings: Settings) -> tuple[Service, Service, Service]:
    folder = _folder(settings)
    return Service("code-server", folder), Service("webserver", folder), Service("daemon", folder)


def _start_all(
    settings: Settings, environment: Mapping[str, str], workspace: Path, page: str
) -> None:
    code_port = free_port()
    workspace.write_text(_workspace(code_port), encoding="utf-8")
    code, web, daemon = _services(settings)
    code_process = code.start(
        (
            *("-m", "dagster", "api", "grpc", "--module-name", DEFINITIONS),
            *("--host", LOOPBACK, "--port", str(code_port), "--location-name", LOCATION),
            *("--use-python-environment-entry-point", "--empty-working-directory"),
            *("--log-level", "warning"),
        ),
        environment,
    )
    code.wait(code_process, lambda: _accepts(code_port))
    # Both ask the code server for the definitions, so that exactly one process loads them.
    daemon_process = daemon.start(
        ("-m", "dagster._daemon", "run", "--workspace", str(workspace), "--log-level", "warning"),
        environment,
    )
    web_process = web.start(
        (
            *("-m", "dagster_webserver", "--host", LOOPBACK, "--port", str(settings.ui_port)),
            *("--workspace", str(workspace), "--dagster-log-level", "warning"),
        ),
        environment,
    )
    web.wait(web_process, lambda: _answers(page))
    daemon.wait(daemon_process, lambda: True)


def _stop_all(settings: Settings) -> list[str]:
    code, web, daemon = _services(settings)
    # Whoever asks is ended before whoever answers.
    stopped = [service.name for service in (web, daemon, code) if service.stop()]
    _page_record(settings).unlink(missing_ok=True)
    return stopped


def _all_run(settings: Settings) -> bool:
    return len(running_services(settings)) == len(_services(settings))


def _fingerprint(environment: Mapping[str, str]) -> str:
    """Tell whether servers that run were started for this warehouse; holds no secret itself."""
    named = sorted((k, v) for k, v in environment.items() if k.startswith("RETENTION_"))
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()


def _page_record(settings: Settings) -> Path:
    return _folder(settings) / "page.json"


def _folder(settings: Settings) -> Path:
    return dagster_home(settings) / "services"


def _lock(settings: Settings) -> AbstractContextManager[None]:
    state.make_folder(settings.state, state.STATE_MODE)
    state.make_folder(dagster_home(settings))
    state.make_folder(_folder(settings))
    return state.file_lock(
        _folder(settings) / "lock",
        wait_seconds=1.0,
        busy="`retention up` or `down` is going already: wait for it",
    )


def _workspace(code_port: int) -> str:
    return (
        "# Written by `retention up`.\n"
        "load_from:\n"
        "  - grpc_server:\n"
        f"      host: {LOOPBACK}\n"
        f"      port: {code_port}\n"
        f"      location_name: {LOCATION}\n"
    )


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _answers(page: str) -> bool:
    # The machine's proxy, if it has one, knows nothing of our loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{page}/server_info", timeout=5.0) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
