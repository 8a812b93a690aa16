"""When the daily jobs run.

Belongs here: times. Does not belong here: what a job does.
"""

from typing import Any

from dagster import DefaultScheduleStatus, ScheduleDefinition


def nightly_controls(job: Any) -> ScheduleDefinition:
    """Half an hour before the daily job, so that it can rely on them."""
    return _nightly("run_controls_daily", job, 1, 30, "Run the control persons")


def daily(job: Any) -> ScheduleDefinition:
    """Every night at two in Norway, when the day before has ended there and the loads of it are in."""
    return _nightly("apply_retention_daily", job, 2, 0, "Classify, check and plan")


def nightly_housekeeping(job: Any) -> ScheduleDefinition:
    """Two hours after the daily job began; where that still goes on it is refused, and the next night
    does."""
    return _nightly("keep_house_daily", job, 4, 0, "Remove the system's own traces past their day")


def nightly_compaction(job: Any) -> ScheduleDefinition:
    """After the daily job and housekeeping; what was approved the day before has been carried out."""
    return _nightly(
        "compact_tables_daily", job, 5, 0, "Rewrite the files that hold what was purged"
    )


def weekly_detection(job: Any) -> ScheduleDefinition:
    """Every Sunday, after the nightly jobs. What landed and nobody declared is looked at daily, with the
    classification; what somebody declared harmless changes slowly, and is most of the warehouse."""
    return ScheduleDefinition(
        name="detect_personal_data_weekly",
        job=job,
        cron_schedule="0 6 * * 0",
        execution_timezone="Europe/Oslo",
        default_status=DefaultScheduleStatus.RUNNING,
        description="Look for personal data where none is declared, Sundays at 06:00 Europe/Oslo.",
    )


def _nightly(name: str, job: Any, hour: int, minute: int, what: str) -> ScheduleDefinition:
    return ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=f"{minute} {hour} * * *",
        execution_timezone="Europe/Oslo",
        default_status=DefaultScheduleStatus.RUNNING,
        description=f"{what}, daily at {hour:02}:{minute:02} Europe/Oslo.",
    )
