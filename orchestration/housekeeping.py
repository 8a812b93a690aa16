"""The orchestrator's own traces: runs with their events and materialisations, ticks of schedules
and sensors.

Belongs here: removing them through the instance, and keeping house as a whole, for the job and for
the command alike. Does not belong here: every other trace (`retention.housekeeping`), and Dagster's
tables, whose rows go only the way that Dagster offers.
"""

from contextlib import ExitStack
from datetime import datetime

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.scheduler.instigation import TickStatus

from orchestration.instance import dagster_home
from orchestration.lock import only_run
from orchestration.run import environment
from orchestration.sensors import PLAN_TAG
from retention import plan as plans
from retention.classify import today
from retention.findings import UNFINISHED
from retention.housekeeping.rules import Rule, Swept, traces
from retention.housekeeping.sweep import policy_of_today, record, sweep
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.migrate import migrate

# A run that waits, goes on or is being ended is none of these; nor is a tick that is being evaluated.
_ENDED = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
_TICKED = (TickStatus.SUCCESS, TickStatus.SKIPPED, TickStatus.FAILURE)

# More than can be open at once: a plan is valid for days.
_PLANS = 10_000


def keep_house_now(settings: Settings, *, dry_run: bool = False) -> list[Swept]:
    """Keep house in this process; a dry run counts and changes nothing.

    Raises Refused while a run is going, otherwise what `keep_house` raises.
    """
    with ExitStack() as held:
        if not dry_run:
            held.enter_context(only_run(settings))
            with connect(settings) as conn:
                migrate(conn)
        # Where Dagster never ran it has no database, and housekeeping makes none.
        if not (dagster_home(settings) / "dagster.yaml").exists():
            return keep_house(settings, None, dry_run=dry_run)
        held.enter_context(environment(settings))
        instance = held.enter_context(DagsterInstance.get())
        return keep_house(settings, instance, dry_run=dry_run)


def keep_house(
    settings: Settings, instance: DagsterInstance | None, *, dry_run: bool = False
) -> list[Swept]:
    """Remove every trace that is past its day, and leave the evidence of it; a dry run only counts.

    For whoever holds the run lock. Raises what `retention.housekeeping.sweep` raises.
    """
    swept = sweep(settings, dry_run=dry_run)
    if instance is not None:
        kept, day = traces(policy_of_today(settings)), today()
        runs = Rule("runs", kept.runs.value, "their end")
        ticks = Rule("ticks", kept.ticks.value, "the tick")
        swept += [
            _runs(instance, settings, runs, runs.before(day), remove=not dry_run),
            _ticks(instance, ticks, ticks.before(day), remove=not dry_run),
        ]
    if not dry_run:
        record(settings, swept)
    return swept


def _runs(
    instance: DagsterInstance, settings: Settings, rule: Rule, before: datetime, *, remove: bool
) -> Swept:
    """Runs that ended before, with their events, unless their plan is still to be carried out: how often
    that was tried is counted by its runs."""
    latest = plans.list_plans(settings, limit=_PLANS)
    unfinished = {str(plan.plan_id) for plan in latest if plan.state in UNFINISHED}
    ended = instance.get_run_records(RunsFilter(statuses=list(_ENDED), created_before=before))
    due = [
        record.dagster_run.run_id
        for record in ended
        # One that was killed before it began has no end but its beginning.
        if (record.end_time or record.create_timestamp.timestamp()) < before.timestamp()
        and record.dagster_run.tags.get(PLAN_TAG) not in unfinished
    ]
    if remove:
        for run_id in due:
            instance.delete_run(run_id)
    return Swept(rule.kind, rule.kept, len(due), len(due) if remove else 0)


def _ticks(instance: DagsterInstance, rule: Rule, before: datetime, *, remove: bool) -> Swept:
    """Ticks of schedules and sensors, of which the sensors leave thousands a day."""
    due = 0
    for state in instance.all_instigator_state():
        named = (state.instigator_origin_id, state.selector_id)
        due += len(instance.get_ticks(*named, before=before.timestamp(), statuses=list(_TICKED)))
        if remove:
            instance.purge_ticks(*named, before.timestamp(), list(_TICKED))
    return Swept(rule.kind, rule.kept, due, due if remove else 0)
