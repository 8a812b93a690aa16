"""Running a job now, in this process: what `retention run` and `demo` do.

Belongs here: from settings and a job's name to a recorded run and its outcome. Does not belong here:
what the job does, and printing.

It is the same job that the schedule starts, recorded in the same instance; only the process differs.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from orchestration.instance import dagster_environment, ensure_instance
from orchestration.lock import only_run
from retention.errors import RetentionError, UsageError
from retention.settings import Settings

JOBS = (
    "classify_records",
    "check_records",
    "plan_purge",
    "execute_purge",
    "compact_tables",
    "verify_purge",
    "export_checkpoint",
    "run_controls",
    "keep_house",
    "detect_personal_data",
    "answer_requests",
    "try_policy",
    "apply_retention",
)


@dataclass(frozen=True)
class JobResult:
    """A run that ended. `success` is False where an integrity check stopped what was to follow; the
    steps that failed are named then. `seconds` tells how long each step took."""

    job: str
    run_id: str
    success: bool
    failed_steps: tuple[str, ...]
    seconds: Mapping[str, float]


def run_job(
    settings: Settings,
    job_name: str,
    *,
    as_of: date | None = None,
    plan_id: UUID | None = None,
    policy: Path | None = None,
) -> JobResult:
    """Run a job to its end and return what became of it; its events are kept in the instance.

    Raises Refused while another run is going, and the error of ours that ended a step (UsageError,
    Refused, WarehouseError). A check that stopped the run is no error but `success` False.
    """
    if job_name not in JOBS:
        raise UsageError(f"there is no job {job_name}: it is one of {', '.join(JOBS)}")
    ensure_instance(settings)
    # Asked before Dagster is loaded, so that a second run hears at once and leaves no failed run.
    with only_run(settings):
        pass
    values = {
        name: str(value)
        for name, value in (("as_of", as_of), ("plan_id", plan_id), ("policy", policy))
        if value is not None
    }
    with environment(settings), _without_chatter():
        return _run(job_name, values)


def _run(job_name: str, values: Mapping[str, str]) -> JobResult:
    # Loading these takes seconds, which a command that is refused should not wait for.
    from dagster import DagsterInstance
    from dagster._core.errors import DagsterAssetCheckFailedError
    from dagster._core.utils import make_new_run_id

    from orchestration.definitions import build_defs

    run_id = make_new_run_id()
    configuration = {
        "resources": {"run": {"config": dict(values)}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    success = True
    with DagsterInstance.get() as instance:
        try:
            build_defs().resolve_job_def(job_name).execute_in_process(
                run_config=configuration, instance=instance, run_id=run_id
            )
        except DagsterAssetCheckFailedError:
            success = False
        except Exception as error:
            ours = _ours(error)
            if ours is None:
                raise
            raise ours from None
        stats = instance.get_run_step_stats(run_id)
    return JobResult(
        job=job_name,
        run_id=run_id,
        success=success,
        failed_steps=tuple(s.step_key for s in stats if s.status and s.status.value == "FAILURE"),
        seconds={
            s.step_key: round(s.end_time - s.start_time, 1)
            for s in stats
            if s.start_time and s.end_time
        },
    )


def _ours(error: BaseException) -> RetentionError | None:
    """The error of ours that Dagster wrapped, if there is one."""
    chain: list[BaseException] = []
    seen: BaseException | None = error
    # Dagster raises errors again from their own context: a chain may end in a circle.
    while seen is not None and seen not in chain:
        if isinstance(seen, RetentionError):
            return seen
        chain.append(seen)
        seen = seen.__cause__ or seen.__context__
    return None


@contextmanager
def environment(settings: Settings) -> Iterator[None]:
    """Let the run read `settings` from this process's environment, as a run of the daemon does. They
    do not go into the run's configuration: Dagster shows and keeps that, and there is a password."""
    values: dict[str, str | None] = {
        **dagster_environment(settings),
        "RETENTION_DATABASE_URL": settings.database_url,
        "RETENTION_DAGSTER_DATABASE_URL": settings.dagster_database_url,
        "RETENTION_POLICY_DIR": str(settings.policy_dir),
        "RETENTION_DECLARATIONS_DIR": str(settings.declarations_dir),
        "RETENTION_POSTGRES_BIN": str(settings.postgres_bin) if settings.postgres_bin else None,
    }
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep what dbt prints out of the command's own output; RETENTION_DEBUG shows it on stderr."""
    if os.environ.get("RETENTION_DEBUG"):
        with redirect_stdout(sys.stderr):
            yield
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield
