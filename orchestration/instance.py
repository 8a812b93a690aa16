"""The Dagster instance: its home folder, its storage database, the environment its processes need.

Belongs here: making both and naming them. Does not belong here: definitions, and starting Dagster's
servers (services.py). Nothing of Dagster is imported.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import conninfo, sql

from retention import state
from retention.environment import for_others
from retention.errors import UsageError
from retention.settings import Settings
from retention.warehouse.connection import checked_url, warehouse_url
from retention.warehouse.session import open_session

STORAGE_VARIABLE = "RETENTION_DAGSTER_STORAGE_URL"
LOCATION = "sletteplikt"
DEFINITIONS = "orchestration.definitions"

_OVERRIDE = "RETENTION_DAGSTER_DATABASE_URL"

# run_retries stays off: it would run a purge again that failed for a reason.
# A run whose process was killed is found by the sensor `approved_plans` (dead_runs.py), since the launcher
# cannot ask after a worker. What monitoring adds: a run that never starts, a cancelling that never ends,
# and a run older than a day, which cannot be right: no purge goes on past the day of its classification.
# Standard output is not kept: it is whatever a library prints, and nobody would ever prune it.
_DAGSTER_YAML = f"""\
# Written by `retention`; changes are overwritten.
storage:
  postgres:
    postgres_url:
      env: {STORAGE_VARIABLE}
telemetry:
  enabled: false
nux:
  enabled: false
run_retries:
  enabled: false
run_monitoring:
  enabled: true
  start_timeout_seconds: 600
  cancel_timeout_seconds: 180
  max_runtime_seconds: 86400
  max_resume_run_attempts: 0
  poll_interval_seconds: 60
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


def dagster_home(settings: Settings) -> Path:
    """Return the folder that Dagster calls its home."""
    return settings.state / "dagster"


def dagster_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that a process using this instance needs, telemetry switched off.

    Starts the embedded server when no database is named. The storage URL holds a password: pass it
    on, never log it. Raises as `warehouse_url` does.
    """
    return {
        "DAGSTER_HOME": str(dagster_home(settings)),
        STORAGE_VARIABLE: _with_driver(storage_url(settings)),
        **settings.as_environment(),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
    }


def reading_environment(settings: Settings, others: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process that only shows this instance: those of `others` that are not
    ours, and the storage, in sessions that can only read. The warehouse and the keys are not named.

    The tables must be there: such a process cannot make them. Raises as `dagster_environment` does.
    """
    needed = ("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    environment = dagster_environment(settings)
    return {
        **for_others(others),
        **{name: environment[name] for name in needed},
        STORAGE_VARIABLE: _that_only_reads(environment[STORAGE_VARIABLE]),
    }


def ensure_instance(settings: Settings) -> Path:
    """Make the instance's home and its database where they are missing; return the home.

    Raises UsageError when the database is missing and the login may not create it.
    """
    state.make_folder(settings.state, state.STATE_MODE)
    home = state.make_folder(dagster_home(settings))
    config = home / "dagster.yaml"
    if not config.exists() or config.read_text(encoding="utf-8") != _DAGSTER_YAML:
        config.write_text(_DAGSTER_YAML, encoding="utf-8")
    if settings.dagster_database_url is None:
        _ensure_database(warehouse_url(settings), database_name(storage_url(settings)))
    return home


def storage_url(settings: Settings) -> str:
    """Return the `postgresql://` URL of Dagster's own database: the named one, else the warehouse's
    name with `_dagster` on the same server. Raises UsageError for a URL that is none."""
    if settings.dagster_database_url is not None:
        return checked_url(_OVERRIDE, settings.dagster_database_url)
    url = warehouse_url(settings)
    return _with_database(url, f"{database_name(url)}_dagster")


def database_name(url: str) -> str:
    """Return the database that a URL names."""
    return str(conninfo.conninfo_to_dict(url)["dbname"])


def _ensure_database(server_url: str, name: str) -> None:
    with open_session(server_url, autocommit=True) as conn:
        if conn.execute("select from pg_database where datname = %s", (name,)).fetchone():
            return
        try:
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return  # another process made it between the two statements
        except psycopg.errors.InsufficientPrivilege:
            raise UsageError(
                f"the login may not create Dagster's database {name}: have an administrator create"
                f" it, or name another in {_OVERRIDE}"
            ) from None


def _with_database(url: str, name: str) -> str:
    parts = urlsplit(url)
    if parts.path.strip("/"):
        return urlunsplit(parts._replace(path=f"/{name}"))
    query = [(key, name if key == "dbname" else value) for key, value in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _that_only_reads(url: str) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query["options"] = f"{query.get('options', '')} -c default_transaction_read_only=on".strip()
    # libpq reads a plus sign as itself: a space is %20 here.
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))


def _with_driver(url: str) -> str:
    """SQLAlchemy's default driver has changed before: it is written out."""
    return "postgresql+psycopg2://" + url.partition("://")[2]
