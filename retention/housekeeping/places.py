"""Which files are traces of ours: their folders and the names that we, dbt and Dagster give them.

Belongs here: one entry a folder. Does not belong here: how a file is removed (`files`) and when
(`rules`).

What is in force stands in none of them: the manifest and compiled SQL of the last classification,
the definitions' manifest, secrets, keys, the database. Deletion reports go with their plan's tokens
(`plans`).
"""

import re
from dataclasses import dataclass
from pathlib import Path

from retention.report import NAME
from retention.settings import Settings
from retention.warehouse import embedded

# In the order in which `retention up` starts them.
SERVERS = ("code-server", "daemon", "webserver", "auditors", "pages")

_ASIDE = r"(\.\d{8}|\.1)"
_DBT_LOGS = r"dbt\.log(\.\d+)?"
_DBT_FILES = (
    r"(manifest|run_results|semantic_manifest|perf_info|sources|catalog)\.json"
    r"|graph_summary\.json|graph\.gpickle|partial_parse\.msgpack|(compiled|run)/.*"
)


@dataclass(frozen=True)
class Place:
    """A folder below `base`, and what the files of ours in it are called."""

    base: Path
    folder: Path
    names: re.Pattern[str]


def logs(settings: Settings) -> list[Place]:
    """Logs that are not written to any more, of servers, of dbt, and of steps."""
    state, dagster = settings.state, settings.state / "dagster"
    servers = "|".join(SERVERS)
    return [
        _place(state, dagster / "services", rf"({servers})\.log{_ASIDE}"),
        # Nothing is kept of what a step prints; an instance of an earlier version may have.
        _place(state, dagster / "storage", r".*\.(out|err|complete)"),
        _place(state, state / "dbt" / "logs", _DBT_LOGS),
        _place(state, state / "controls" / "dbt" / "logs", _DBT_LOGS),
        _place(settings.dbt_dir, settings.dbt_dir / "logs", _DBT_LOGS),
        *(
            _place(log.parent.parent, log.parent, rf"{re.escape(log.name)}{_ASIDE}")
            for log in _server_log(settings)
        ),
    ]


def live_logs(settings: Settings) -> list[tuple[Path, Path]]:
    """Logs that a server may be writing to, each with the folder of ours that it lies below."""
    services = settings.state / "dagster" / "services"
    return [
        *((settings.state, services / f"{name}.log") for name in SERVERS),
        *((log.parent.parent, log) for log in _server_log(settings)),
    ]


def builds(settings: Settings) -> list[Place]:
    """What dbt wrote for a replay, for the controls, or when somebody ran it by hand."""
    state = settings.state
    return [
        _place(state, state / "dbt" / "replay", _DBT_FILES),
        _place(state, state / "controls" / "dbt" / "target", _DBT_FILES),
        _place(settings.dbt_dir, settings.dbt_dir / "target", _DBT_FILES),
    ]


def reports(settings: Settings) -> list[Place]:
    """Reports of a day, and of a day that was made again; pages of a policy that was tried."""
    files = rf"{NAME}(\.[a-z]{{2}})?\.(json|html|pdf)|csv/[a-z_]+\.csv"
    tried = r"what-if-[0-9a-f]{12}\.[a-z]{2}\.html"
    names = rf"\d{{4}}-\d{{2}}-\d{{2}}/(replay/)?({files})|{tried}"
    return [_place(settings.state, settings.state / "reports", names)]


def deletion_reports(settings: Settings, plan_ids: list[str]) -> list[Place]:
    """Deletion reports of these plans."""
    names = rf"deletion-({'|'.join(map(re.escape, plan_ids))})\.json"
    return [_place(settings.state, settings.state / "reports", names)] if plan_ids else []


def _server_log(settings: Settings) -> list[Path]:
    home = embedded.files(settings)
    return [home / "log" / "server.log"] if home else []


def _place(base: Path, folder: Path, names: str) -> Place:
    return Place(base, folder, re.compile(names))
