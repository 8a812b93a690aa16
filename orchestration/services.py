"""The servers: Dagster's code server, daemon, webserver and the auditors' one, and the pages.

Belongs here: which they are, starting them together, ending exactly those. Does not belong here:
one process's mechanics (service.py), the instance they share (instance.py) and what they serve
(definitions.py).
"""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from orchestration.instance import (
    DEFINITIONS,
    LOCATION,
    dagster_environment,
    dagster_home,
    ensure_instance,
    reading_environment,
)
from orchestration.service import Service, accepts, answers
from retention import state
from retention.environment import for_others
from retention.errors import UsageError
from retention.housekeeping.places import SERVERS
from retention.language.languages import LANGUAGE
from retention.ports import LOOPBACK, free_port, is_free
from retention.settings import Settings


@dataclass(frozen=True)
class Addresses:
    """Where the servers that people open listen, each on this machine alone."""

    page: str
    auditors: str
    pages: str


def start_services(settings: Settings) -> Addresses:
    """Start the servers unless they run, wait until each answers, return where they are.

    The warehouse must be migrated. Raises UsageError when a port is taken by someone else,
    RetentionError when a server ends at once or does not answer.
    """
    require_ports(settings)
    with _lock(settings):
        home = ensure_instance(settings)
        environment = {**os.environ, **dagster_environment(settings)}
        at = Addresses(
            *(
                f"http://{LOOPBACK}:{port}"
                for port in (settings.ui_port, settings.auditor_port, settings.pages_port)
            )
        )
        wanted = {"page": at.page, "environment": _fingerprint(environment)}
        if _all_run(settings) and state.read_record(_page_record(settings)) == wanted:
            return at
        _stop_all(settings)
        try:
            _start_all(settings, environment, home / "workspace.yaml", at)
        except BaseException:
            _stop_all(settings)
            raise
        state.write_record(_page_record(settings), wanted)
        return at


def require_ports(settings: Settings) -> None:
    """Raise UsageError when a page's port is taken by another program than our own server, or named
    for two of them."""
    services = _services(settings)
    seen: dict[int, str] = {}
    for service, port, variable in (
        (services.web, settings.ui_port, "RETENTION_UI_PORT"),
        (services.auditors, settings.auditor_port, "RETENTION_AUDITOR_PORT"),
        (services.pages, settings.pages_port, "RETENTION_PAGES_PORT"),
    ):
        if port in seen:
            raise UsageError(f"{seen[port]} and {variable} name the same port: change one of them")
        seen[port] = variable
        ours = service.running()
        if ours is not None and f"--port {port} " in ours["sign"]:
            continue
        if not is_free(port):
            raise UsageError(
                f"port {port} is in use by another program: free it, or set {variable}"
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


class _Services(NamedTuple):
    """In the order in which they are started: whoever answers before whoever asks."""

    code: Service
    daemon: Service
    web: Service
    auditors: Service
    pages: Service


def _services(settings: Settings) -> _Services:
    folder = _folder(settings)
    return _Services(*(Service(name, folder) for name in SERVERS))


def _start_all(
    settings: Settings, environment: Mapping[str, str], workspace: Path, at: Addresses
) -> None:
    code_port = free_port()
    workspace.write_text(_workspace(code_port), encoding="utf-8")
    services = _services(settings)
    pages_process = services.pages.start(
        ("-m", "retention.pages", "--port", str(settings.pages_port), "--host", LOOPBACK),
        # It reads files: no database and no key is named to it.
        {**for_others(os.environ), **_of_pages(settings)},
    )
    code_process = services.code.start(
        (
            *("-m", "dagster", "api", "grpc", "--module-name", DEFINITIONS),
            *("--host", LOOPBACK, "--port", str(code_port), "--location-name", LOCATION),
            *("--use-python-environment-entry-point", "--empty-working-directory"),
            *("--log-level", "warning"),
        ),
        environment,
    )
    services.code.wait(code_process, lambda: accepts(code_port))
    # All three ask the code server for the definitions, so that exactly one process loads them.
    asking = ("--workspace", str(workspace))
    daemon_process = services.daemon.start(
        ("-m", "dagster._daemon", "run", *asking, "--log-level", "warning"), environment
    )
    web_process = services.web.start(
        ("-m", "dagster_webserver", *_page_arguments(settings.ui_port), *asking), environment
    )
    # The first one that opens a page writes down which instance it is; the auditors' could not.
    services.web.wait(web_process, lambda: answers(f"{at.page}/"))
    auditors_process = services.auditors.start(
        ("-m", "orchestration.auditors", *_page_arguments(settings.auditor_port), *asking),
        reading_environment(settings, os.environ),
    )
    services.auditors.wait(auditors_process, lambda: answers(f"{at.auditors}/server_info"))
    services.pages.wait(pages_process, lambda: answers(f"{at.pages}/"))
    services.daemon.wait(daemon_process, lambda: True)


def _of_pages(settings: Settings) -> dict[str, str]:
    language = os.environ.get(LANGUAGE)
    return {
        "RETENTION_STATE_DIR": str(settings.state),
        "RETENTION_PAGES_URL": settings.pages_url,
        **({LANGUAGE: language} if language else {}),
    }


def _page_arguments(port: int) -> tuple[str, ...]:
    return ("--host", LOOPBACK, "--port", str(port), "--dagster-log-level", "warning")


def _stop_all(settings: Settings) -> list[str]:
    # Whoever asks is ended before whoever answers.
    stopped = [service.name for service in reversed(_services(settings)) if service.stop()]
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
