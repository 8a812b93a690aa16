"""Where things are: the project's folders, the state folder, the database named from outside.

Belongs here: reading the environment once, into one frozen value that is passed on. Does not belong
here: opening anything, and the policy's own values, which live in the policy file alone.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from retention.errors import UsageError
from retention.ports import LOOPBACK

DEFAULT_UI_PORT = 3000
DEFAULT_AUDITOR_PORT = 3001
DEFAULT_PAGES_PORT = 3002


@dataclass(frozen=True)
class Settings:
    """One run's configuration. `database_url` None means the embedded server under `state`, `checkpoints`
    (a folder or a URL) None a folder there, `timestamp_url` None no time stamps, `pages_at` None the
    pages server on this machine."""

    project: Path
    state: Path
    database_url: str | None = field(repr=False)
    policy_dir: Path
    dbt_dir: Path
    declarations_dir: Path
    postgres_bin: Path | None = None
    dagster_database_url: str | None = field(default=None, repr=False)
    ui_port: int = DEFAULT_UI_PORT
    checkpoints: str | None = field(default=None, repr=False)
    timestamp_url: str | None = field(default=None, repr=False)
    auditor_port: int = DEFAULT_AUDITOR_PORT
    pages_port: int = DEFAULT_PAGES_PORT
    pages_at: str | None = None

    @property
    def pages_url(self) -> str:
        """What links to reports and descriptions begin with, without a slash at its end: the address that
        their readers reach the pages server by."""
        return self.pages_at or f"http://{LOOPBACK}:{self.pages_port}"

    @property
    def dbt_target(self) -> Path:
        """Where dbt keeps the manifest and compiled SQL of the classification in force."""
        return self.state / "dbt" / "target"

    def as_environment(self) -> dict[str, str]:
        """Return the variables from which `load_settings` makes these settings again, for a process
        that we start. They may hold a password. An empty one is an unset one."""
        return {
            "RETENTION_PROJECT_DIR": str(self.project),
            "RETENTION_STATE_DIR": str(self.state),
            "RETENTION_POLICY_DIR": str(self.policy_dir),
            "RETENTION_DECLARATIONS_DIR": str(self.declarations_dir),
            "RETENTION_POSTGRES_BIN": str(self.postgres_bin or ""),
            "RETENTION_DATABASE_URL": self.database_url or "",
            "RETENTION_DAGSTER_DATABASE_URL": self.dagster_database_url or "",
            "RETENTION_UI_PORT": str(self.ui_port),
            "RETENTION_AUDITOR_PORT": str(self.auditor_port),
            "RETENTION_PAGES_PORT": str(self.pages_port),
            "RETENTION_PAGES_URL": self.pages_at or "",
            "RETENTION_CHECKPOINTS": self.checkpoints or "",
            "RETENTION_TIMESTAMP_URL": self.timestamp_url or "",
        }


def load_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from `env`; an empty variable counts as unset.

    Raises UsageError when a value cannot be used.
    """
    project = _folder(env, "RETENTION_PROJECT_DIR", _project_root())
    dbt_dir = project / "dbt_project"
    postgres_bin = env.get("RETENTION_POSTGRES_BIN")
    return Settings(
        project=project,
        state=_folder(env, "RETENTION_STATE_DIR", project / ".retention"),
        database_url=env.get("RETENTION_DATABASE_URL") or None,
        policy_dir=_folder(env, "RETENTION_POLICY_DIR", project / "policy"),
        dbt_dir=dbt_dir,
        declarations_dir=_folder(env, "RETENTION_DECLARATIONS_DIR", dbt_dir / "models" / "staging"),
        postgres_bin=Path(postgres_bin).expanduser().resolve() if postgres_bin else None,
        dagster_database_url=env.get("RETENTION_DAGSTER_DATABASE_URL") or None,
        ui_port=_port(env, "RETENTION_UI_PORT", DEFAULT_UI_PORT),
        checkpoints=env.get("RETENTION_CHECKPOINTS") or None,
        timestamp_url=env.get("RETENTION_TIMESTAMP_URL") or None,
        auditor_port=_port(env, "RETENTION_AUDITOR_PORT", DEFAULT_AUDITOR_PORT),
        pages_port=_port(env, "RETENTION_PAGES_PORT", DEFAULT_PAGES_PORT),
        pages_at=_page_address(env, "RETENTION_PAGES_URL"),
    )


def _folder(env: Mapping[str, str], name: str, default: Path) -> Path:
    value = env.get(name)
    return Path(value).expanduser().resolve() if value else default


def _project_root() -> Path:
    """The clone the package was installed from; else, for a copied install, the current folder."""
    installed_from = Path(__file__).resolve().parent.parent
    if (installed_from / "pyproject.toml").is_file():
        return installed_from
    return Path.cwd()


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name) or str(default)
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise UsageError(f"{name} is {value!r}: give a port between 1 and 65535")
    return int(value)


def _page_address(env: Mapping[str, str], name: str) -> str | None:
    """It is shown to every reader and recorded by Dagster, so it holds neither a login nor a query."""
    value = env.get(name)
    if not value:
        return None
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            f"{name} cannot be used: give an http or https address without login, query and fragment"
        )
    return value.rstrip("/")
