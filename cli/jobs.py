"""Running a job from a command: without the orchestrator's own words, and with one line of ours when
the database goes away under it.

Belongs here: what a person at the terminal hears of a job. Does not belong here: the job.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from retention.errors import RetentionError, WarehouseError
from retention.settings import Settings

if TYPE_CHECKING:
    from orchestration.run import JobResult

# By name: the orchestrator brings a driver of its own, which a command need not load to name it.
_LOST = {"OperationalError", "InterfaceError", "AdminShutdown", "DagsterPostgresException"}


def run_job(
    settings: Settings, job: str, *, as_of: date | None = None, plan_id: UUID | None = None
) -> "JobResult":
    """Run a job to its end.

    Raises what `orchestration.run.run_job` raises, and WarehouseError where the database was lost.
    """
    # Not at the top: a command that only refuses should not wait for it.
    from orchestration.run import run_job as run

    try:
        with _without_others_words():
            return run(settings, job, as_of=as_of, plan_id=plan_id)
    except RetentionError:
        raise
    except Exception as error:
        if not _names(error) & _LOST:
            raise
        raise WarehouseError(
            f"the connection to the database was lost while {job} ran: what a step had not finished"
            " was undone; check the server, then run it again"
        ) from None


def _names(error: BaseException) -> set[str]:
    """The class names of an error and of all that led to it."""
    chain: list[BaseException] = []
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        # A chain may end in a circle.
        if one is not None and not any(one is seen for seen in chain):
            chain.append(one)
            pending += [one.__cause__, one.__context__]
    return {type(one).__name__ for one in chain}


@contextmanager
def _without_others_words() -> Iterator[None]:
    """Dagster writes to stderr what it could not log, the statement included; it stays unsaid unless
    RETENTION_DEBUG asks for it."""
    if os.environ.get("RETENTION_DEBUG"):
        yield
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        yield
