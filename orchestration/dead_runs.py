"""Runs whose process is gone while the instance believes that they go on.

Belongs here: finding them and saying so to the instance. Does not belong here: starting anything again
(`sensors`).

A killed process tells nobody, and the launcher that starts runs as children of the code server cannot ask
after them once that server is gone too. But every run holds the run lock from its first step to its last,
and a lock ends with its session: while nobody holds it, nobody runs.
"""

from collections.abc import Collection

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from orchestration.lock import run_is_going
from retention.settings import Settings
from retention.warehouse.connection import connect

_MESSAGE = "Its process ended without a word: the run lock is free."


def end_dead_runs(
    instance: DagsterInstance, settings: Settings, suspects: Collection[str]
) -> list[str]:
    """Mark started runs as failed that were `suspects` before and that nobody runs; return the new
    suspects: started runs that nobody runs now.

    A run that is starting or ending is without its lock for a moment, so that one look is not enough.
    """
    # Asked before the lock: a run that starts between the two questions is no suspect.
    started = instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED]))
    if not started:
        return []
    with connect(settings, read_only=True) as conn:
        if run_is_going(conn):
            return []
    for run in started:
        if run.run_id in suspects:
            instance.report_run_failed(run, _MESSAGE)
    return [run.run_id for run in started if run.run_id not in suspects]
