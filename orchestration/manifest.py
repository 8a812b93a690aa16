"""The manifest from which Dagster learns the models: made when it is missing or no longer true.

Belongs here: noticing that, and having dbt parse the project. Does not belong here: what the assets
look like (`translator`), building a model (`assets.classification`). Opens no connection.

Dagster's own step for this runs under `dagster dev` only, calls dbt by name, and knows nothing of the
models that are generated from declarations; so this is ours.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

from psycopg import conninfo

from retention import state
from retention.classify import dbt_arguments, prepare, static_dbt_environment, today
from retention.environment import for_others
from retention.errors import UsageError
from retention.settings import Settings
from retention.warehouse.connection import checked_url

DBT = (sys.executable, "-m", "orchestration.dbt_command")

_LOCK_SECONDS = 240.0
# What dbt or an editor leaves behind is no source of the manifest.
_NO_SOURCES = ("target", "logs", "dbt_packages", "__pycache__")


def ensure_manifest(settings: Settings) -> Path:
    """Return the path of a manifest that agrees with the project's files, parsing if it must.

    Raises UsageError where the policy, a declaration or the dbt project does not hold.
    """
    path = manifest_path(settings)
    if _is_true(settings, path):
        return path
    state.make_folder(settings.state, state.STATE_MODE)
    with state.file_lock(
        settings.state / "manifest.lock",
        wait_seconds=_LOCK_SECONDS,
        busy="another process has been parsing the dbt project for minutes: end it first",
    ):
        if not _is_true(settings, path):
            _make(settings, path, today())
    return path


def manifest_path(settings: Settings) -> Path:
    """Where the manifest for the definitions is; a run of dbt writes its own elsewhere."""
    return settings.state / "dbt" / "definitions" / "manifest.json"


def dbt_switches() -> dict[str, str]:
    """Environment that every dbt process of ours has: its log file would keep error texts."""
    return {"DBT_LOG_LEVEL_FILE": "none", "DBT_USE_COLORS": "false", "PYTHONUNBUFFERED": "1"}


def _make(settings: Settings, path: Path, day: date) -> None:
    # The policy in force decides the seeds, so a new day may change them even if no file did.
    prepare(settings, day)
    fingerprint = _fingerprint(settings)
    if not path.exists() or _stamp(path).get("files") != fingerprint:
        _parse(settings, path, day)
    _stamp_path(path).write_text(json.dumps({"day": f"{day}", "files": fingerprint}))


def _parse(settings: Settings, path: Path, day: date) -> None:
    done = subprocess.run(
        [*DBT, "--quiet", *dbt_arguments(day, command="parse")],
        env={
            **for_others(os.environ),
            **static_dbt_environment(settings),
            **dbt_switches(),
            **_database(settings),
            "DBT_TARGET_PATH": str(path.parent),
        },
        cwd=settings.dbt_dir,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not path.exists():
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise UsageError(
            f"dbt cannot parse the project: {' '.join(said[-6:]) or 'it says nothing'}"
        )


def _database(settings: Settings) -> dict[str, str]:
    """The name that relations are shown with. It stands in the URL; nothing is asked of a server."""
    if settings.database_url is None:
        return {}
    name = conninfo.conninfo_to_dict(checked_url("RETENTION_DATABASE_URL", settings.database_url))
    return {"RETENTION_DBT_DATABASE": str(name["dbname"])}


def _is_true(settings: Settings, path: Path) -> bool:
    if not path.exists():
        return False
    return _stamp(path) == {"day": f"{today()}", "files": _fingerprint(settings)}


def _stamp_path(path: Path) -> Path:
    return path.with_name("made_from.json")


def _stamp(path: Path) -> dict[str, str]:
    """What the manifest was made from; empty where it cannot be told, so that it is made anew."""
    try:
        stamp = json.loads(_stamp_path(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _fingerprint(settings: Settings) -> str:
    """One value of all files that the manifest depends on, by name, size and time of change."""
    digest = hashlib.sha256(f"{version('dbt-core')}\n{_database(settings)}\n".encode())
    for folder in (settings.policy_dir, settings.dbt_dir, settings.declarations_dir):
        for path in _files(folder):
            facts = path.stat()
            digest.update(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not set(path.relative_to(folder).parts) & set(_NO_SOURCES):
            yield path
