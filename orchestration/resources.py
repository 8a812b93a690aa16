"""What every asset of a run shares: the settings, the day, the plan, and the lock.

Belongs here: turning run configuration into values for the engine. Does not belong here: a password or
a URL; those are read from the environment when a run starts, so that no run configuration shows them.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from uuid import UUID

from dagster import ConfigurableResource, DagsterInstance, InitResourceContext
from pydantic import Field

from orchestration.guarded import without_others_words
from orchestration.lock import only_run
from retention.classify import checked_as_of, today
from retention.errors import UsageError
from retention.findings import logged_values
from retention.settings import Settings, load_settings
from retention.warehouse.connection import connect
from retention.warehouse.migrate import migrate

_STATEMENT_TIMEOUT_MS = 60_000
_RECYCLE_SECONDS = 3_600


class Run(ConfigurableResource["Run"]):
    """One run of a job. Holds the run lock from the first step to the last."""

    as_of: str | None = Field(
        default=None,
        description="Classify as of this day (YYYY-MM-DD); default today in Norway. A past day is"
        " written beside today's records and cannot be planned from.",
    )
    plan_id: str | None = Field(
        default=None, description="The purge plan that is carried out or read back."
    )

    policy: str | None = Field(
        default=None, description="The policy file that is tried (`try_policy` alone)."
    )

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator["Run"]:
        """Bring the warehouse up to date and keep every other run out."""
        with ExitStack() as held:
            with without_others_words("preparing the run"):
                settings = self.settings()
                self.day()
                if context.instance is not None:
                    _keep_connections(context.instance)
                held.enter_context(only_run(settings))
                with connect(settings) as conn:
                    migrate(conn)
                    for finding in logged_values(conn):
                        _log(context).warning(finding.message)
            yield self

    def settings(self) -> Settings:
        """The settings of this process."""
        return load_settings()

    def day(self) -> date:
        """The as-of date of the run. Raises UsageError for one that is none or has not come yet."""
        if not self.as_of:
            return today()
        try:
            return checked_as_of(date.fromisoformat(self.as_of))
        except ValueError:
            raise UsageError(f"as-of date {self.as_of!r} is none: write YYYY-MM-DD") from None

    def plan(self) -> UUID | None:
        """The plan that the run is about, None where it names none. Raises UsageError for no UUID."""
        if not self.plan_id:
            return None
        try:
            return UUID(self.plan_id)
        except ValueError:
            raise UsageError("the plan's id is no UUID: `retention plan list` shows them") from None

    def policy_file(self) -> Path:
        """The policy file that the run tries. Raises UsageError where the run names none."""
        if not self.policy:
            raise UsageError("no policy is named: give the file's path as `policy` of the run")
        return Path(self.policy).expanduser()


def _log(context: InitResourceContext) -> logging.Logger:
    """The run's log; outside a run, as in a test, there is none."""
    return context.log or logging.getLogger(__name__)


def _keep_connections(instance: DagsterInstance) -> None:
    """Let the instance's storage keep a connection for the length of the run. It opens a new one for
    each statement otherwise, about 1,500 in a daily run, which takes longer than the classification;
    this is the switch that Dagster's webserver uses."""
    for storage in (instance.run_storage, instance.event_log_storage):
        storage.optimize_for_webserver(
            statement_timeout=_STATEMENT_TIMEOUT_MS, pool_recycle=_RECYCLE_SECONDS, max_overflow=10
        )
