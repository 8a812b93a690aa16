"""What starts a purge, and what tells that a run failed.

Belongs here: looking for approved plans, and passing a failure on. Does not belong here: approving, and
the words of a notice (`notices`).
"""

from collections.abc import Iterator
from typing import Any

from dagster import (
    DagsterRunStatus,
    DefaultSensorStatus,
    RunConfig,
    RunFailureSensorContext,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    run_failure_sensor,
    sensor,
)

from orchestration.assets.purge import carried_out_next
from orchestration.notices import Notice, give_notice
from orchestration.resources import Run
from retention import plan as plans
from retention.settings import load_settings

_PLAN = "retention/plan"
_GOING = (
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
)


def approved_plans(job: Any) -> SensorDefinition:
    """Starts the purge of a plan once it is approved."""

    @sensor(
        name="approved_plans",
        job=job,
        minimum_interval_seconds=30,
        default_status=DefaultSensorStatus.RUNNING,
        description="Carries a plan out once a person, or the policy, has approved it, unless a run"
        " is going.",
    )
    def look(context: SensorEvaluationContext) -> Iterator[RunRequest | SkipReason]:
        going = context.instance.get_runs_count(RunsFilter(statuses=list(_GOING)))
        if going:
            yield SkipReason("a run is going: looked at again when it has ended")
            return
        approved = [
            plan_id
            for plan_id in carried_out_next(plans.list_plans(load_settings()))
            # Once a plan: a purge that failed is started again by a person who knows why, and must not
            # keep the other plan of its night waiting.
            if not context.instance.get_runs_count(RunsFilter(tags={_PLAN: str(plan_id)}))
        ]
        if not approved:
            yield SkipReason("no approved plan waits for its purge")
        for plan_id in approved[:1]:
            yield RunRequest(
                run_key=str(plan_id),
                run_config=RunConfig(resources={"run": Run(plan_id=str(plan_id))}),
                tags={_PLAN: str(plan_id)},
            )

    return look


@run_failure_sensor(
    name="failure_notice",
    default_status=DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Gives notice of a run that failed: which one and in which steps, without its words.",
)
def failure_notice(context: RunFailureSensorContext) -> None:
    """Pass the failure on, by name and id; the run itself has the rest."""
    steps = tuple(event.step_key for event in context.get_step_failure_events() if event.step_key)
    give_notice(
        load_settings(), Notice(context.dagster_run.job_name, context.dagster_run.run_id, steps)
    )
