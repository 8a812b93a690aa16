"""What starts a purge, and what tells that a run failed.

Belongs here: looking for plans to carry out, again where that was cut short, and passing a failure on.
Does not belong here: approving, finding killed runs (`dead_runs`), and the words of a notice (`notices`).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from dagster import (
    DagsterEventType,
    DagsterExecutionInterruptedError,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunConfig,
    RunFailureSensorContext,
    RunRecord,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    run_failure_sensor,
    sensor,
)

from orchestration.assets.purge import may_be_carried_out
from orchestration.dead_runs import end_dead_runs
from orchestration.guarded import guarded
from orchestration.notices import Notice, give_notice
from orchestration.resources import Run
from retention import halts
from retention import plan as plans
from retention.classify import today
from retention.ledger.failures import safe_errors
from retention.plan import Plan
from retention.purge import executor
from retention.rights import waiting
from retention.settings import Settings, load_settings
from retention.warehouse.connection import connect

# A plan that was refused is tried again, since what stood in its way may have gone; not in a loop.
_PATIENCE = timedelta(hours=1)
_STARTS_AN_HOUR = 5

_INTERRUPTED = DagsterExecutionInterruptedError.__name__

PLAN_TAG = "retention/plan"

_GOING = (
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
)


def approved_plans(job: Any) -> SensorDefinition:
    """Starts the purge of a plan once somebody has approved it, and again where it was cut short."""

    @sensor(
        name="approved_plans",
        job=job,
        minimum_interval_seconds=30,
        default_status=DefaultSensorStatus.RUNNING,
        description="Carries a plan out once a person, or the policy, has approved it, unless a run is"
        " going; one that was cut short goes on, one that was refused is tried again after an hour.",
    )
    @guarded
    def look(context: SensorEvaluationContext) -> Iterator[RunRequest | SkipReason]:
        settings = load_settings()
        suspects = end_dead_runs(context.instance, settings, (context.cursor or "").split())
        context.update_cursor(" ".join(suspects))
        if busy := _busy(context.instance):
            yield busy
            return
        if reason := _nobody_may_begin(settings):
            yield SkipReason(reason)
            return
        tried = False
        for plan in reversed(plans.list_plans(settings)):
            before = _runs_of(context.instance, plan.plan_id)
            if not _is_to_be_carried_out(context.instance, plan, before):
                continue
            if may_start(context.instance, before, datetime.now(UTC)):
                yield _request(plan, len(before))
                return
            tried = True
        yield SkipReason(
            "what is approved was tried within the hour" if tried else "no plan is approved"
        )

    return look


def new_evidence(job: Any) -> SensorDefinition:
    """Exports a checkpoint soon after something was written down, such as a hold."""

    @sensor(
        name="new_evidence",
        job=job,
        minimum_interval_seconds=60,
        default_status=DefaultSensorStatus.RUNNING,
        description="Signs and exports the head of the ledger after something was written to it, so that"
        " a hold that was placed now is known outside before a backup could be restored without it.",
    )
    @guarded
    def look(context: SensorEvaluationContext) -> Iterator[RunRequest | SkipReason]:
        if busy := _busy(context.instance):
            yield busy
            return
        latest = _latest_unsigned(load_settings())
        if latest is None:
            yield SkipReason("everything written down is covered by a checkpoint")
            return
        # Where it failed, again within the hour: the destination may be back.
        yield RunRequest(run_key=f"entry-{latest}-{datetime.now(UTC):%Y%m%d%H}")

    return look


def rights_requests(job: Any) -> SensorDefinition:
    """Starts the work on requests that landed, and on those that were decided, between two daily jobs."""

    @sensor(
        name="rights_requests",
        job=job,
        minimum_interval_seconds=300,
        default_status=DefaultSensorStatus.RUNNING,
        description="Takes requests in that landed, and plans what was decided, unless a run is going: each"
        " state of the register once a day, for what stands in its way may take a person.",
    )
    @guarded
    def look(context: SensorEvaluationContext) -> Iterator[RunRequest | SkipReason]:
        if busy := _busy(context.instance):
            yield busy
            return
        found = waiting.look(load_settings())
        if not found:
            yield SkipReason(
                "every landed request is in the register, and every decision classified"
            )
            return
        yield RunRequest(run_key=f"requests-{today()}-{found.mark}")

    return look


def _busy(instance: DagsterInstance) -> SkipReason | None:
    """Why nothing is started now: one run at a time, and the next tick looks again."""
    if instance.get_runs_count(RunsFilter(statuses=list(_GOING))):
        return SkipReason("a run is going: looked at again when it has ended")
    return None


def _latest_unsigned(settings: Settings) -> int | None:
    with connect(settings, read_only=True) as conn, safe_errors("looking for new evidence"):
        row = conn.execute("select max(entry_id) from ledger.unsequenced").fetchone()
        return row[0] if row else None


def _is_to_be_carried_out(
    instance: DagsterInstance, plan: Plan, before: Sequence[RunRecord]
) -> bool:
    """Also where the last run purged all of it and was killed before it read back and reported."""
    if plan.state != "executed" or not before:
        return may_be_carried_out(plan)
    return _was_killed(instance, before[0].dagster_run)


def may_start(instance: DagsterInstance, before: Sequence[RunRecord], now: datetime) -> bool:
    """True where a plan's purge may be started now, `before` being its runs so far, newest first.

    At once the first time, and where the last run was killed; otherwise it was refused or failed for a
    reason, and is tried again once an hour. A purge that is killed each time is no accident either.
    """
    recent = [record for record in before if now - record.create_timestamp < _PATIENCE]
    if not recent:
        return True
    return len(recent) < _STARTS_AN_HOUR and _was_killed(instance, recent[0].dagster_run)


def _was_killed(instance: DagsterInstance, run: DagsterRun) -> bool:
    """A step that raises tells so; a process that is killed does not, and one that is asked to end says
    that it was interrupted."""
    if run.status is not DagsterRunStatus.FAILURE:
        return False
    told = instance.get_records_for_run(run.run_id, of_type=DagsterEventType.STEP_FAILURE)
    events = [record.event_log_entry.dagster_event for record in told.records]
    errors = [event.step_failure_data.error for event in events if event]
    return all(error and error.cls_name == _INTERRUPTED for error in errors)


def _nobody_may_begin(settings: Settings) -> str | None:
    with connect(settings, read_only=True) as conn, safe_errors("looking at what is going on"):
        if halt := halts.in_force(conn):
            return f"everything that deletes was halted by {halt.halted_by}"
        # A person's own purge is no run; starting one here would shut it out.
        return "somebody is carrying out a plan" if executor.is_going(conn) else None


def _runs_of(instance: DagsterInstance, plan_id: UUID) -> Sequence[RunRecord]:
    return instance.get_run_records(RunsFilter(tags={PLAN_TAG: str(plan_id)}))


def _request(plan: Plan, runs_before: int) -> RunRequest:
    return RunRequest(
        # Another number where it was begun meanwhile, or a run of it ended before it began.
        run_key=f"{plan.plan_id}:{plan.fence}:{runs_before}",
        run_config=RunConfig(resources={"run": Run(plan_id=str(plan.plan_id))}),
        tags={PLAN_TAG: str(plan.plan_id)},
    )


@run_failure_sensor(
    name="failure_notice",
    default_status=DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Gives notice of a run that failed: which one and in which steps, without its words.",
)
@guarded
def failure_notice(context: RunFailureSensorContext) -> None:
    """Pass the failure on, by name and id; the run itself has the rest."""
    steps = tuple(event.step_key for event in context.get_step_failure_events() if event.step_key)
    give_notice(
        load_settings(), Notice(context.dagster_run.job_name, context.dagster_run.run_id, steps)
    )
