"""When the daily jobs run.

Belongs here: times. Does not belong here: what a job does.
"""

from typing import Any

from dagster import DefaultScheduleStatus, ScheduleDefinition


def nightly_controls(job: Any) -> ScheduleDefinition:
    """Half an hour before the daily job, so that it can rely on them."""
    return ScheduleDefinition(
        name="run_controls_daily",
        job=job,
        cron_schedule="30 1 * * *",
        execution_timezone="Europe/Oslo",
        default_status=DefaultScheduleStatus.RUNNING,
        description="Run the control persons, daily at 01:30 Europe/Oslo.",
    )


def nightly_housekeeping(job: Any) -> ScheduleDefinition:
    """Two hours after the daily job began; where that still goes on it is refused, and the next night
    does."""
    return ScheduleDefinition(
        name="keep_house_daily",
        job=job,
        cron_schedule="0 4 * * *",
        execution_timezone="Europe/Oslo",
        default_status=DefaultScheduleStatus.RUNNING,
        description="Remove the system's own traces past their day, daily at 04:00 Europe/Oslo.",
    )


def daily(job: Any) -> ScheduleDefinition:
    """Every night at two in Norway, when the day before has ended there and the loads of it are in."""
    return ScheduleDefinition(
        name="apply_retention_daily",
        job=job,
        cron_schedule="0 2 * * *",
        execution_timezone="Europe/Oslo",
        default_status=DefaultScheduleStatus.RUNNING,
        description="Classify, check and plan, daily at 02:00 Europe/Oslo.",
    )


def nightly_compaction(job: Any) -> ScheduleDefinition:
    """After the daily job and housekeeping; what was approved the day before has been carried out."""
    return ScheduleDefinition(
        name="compact_tables_daily",
        job=job,
        cron_schedule="0 5 * * *",
        execution_timezone="Europe/Oslo",
        default_status=DefaultScheduleStatus.RUNNING,
        description="Rewrite the files that hold what was purged, daily at 05:00 Europe/Oslo.",
    )
