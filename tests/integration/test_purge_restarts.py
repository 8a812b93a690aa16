"""A purge under the schedule ends by itself: what the sensor starts, again, later, or not.

Belongs here: the sensor's decisions on real plans and on runs as an instance keeps them. Does not belong
here: killed daemons and code servers (tests/crash), and the purge's own guards.
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dagster import (
    DagsterExecutionInterruptedError,
    DagsterInstance,
    DagsterRunStatus,
    RunRequest,
    SensorDefinition,
    SkipReason,
    build_sensor_context,
    job,
    op,
)
from dagster._core.test_utils import create_run_for_test

from orchestration.dead_runs import end_dead_runs
from orchestration.lock import only_run
from orchestration.sensors import approved_plans, may_start
from retention import halts
from retention.plan import Plan
from retention.purge import execute, executor
from retention.warehouse.connection import connect
from tests.factories import Shop

pytestmark = pytest.mark.integration


@op
def refuse() -> None:
    raise RuntimeError("a guard said no")


@job
def execute_purge() -> None:
    refuse()


@op
def be_interrupted() -> None:
    raise DagsterExecutionInterruptedError


@job(name="execute_purge")
def interrupted_purge() -> None:
    be_interrupted()


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def sensor(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> SensorDefinition:
    """The sensor, which reads its settings from the environment."""
    for name, value in shop.settings.as_environment().items():
        monkeypatch.setenv(name, value)
    return approved_plans(execute_purge)


class Sensor:
    """Evaluates the sensor as the daemon does, its cursor kept from one look to the next."""

    def __init__(self, definition: SensorDefinition, instance: DagsterInstance) -> None:
        self.definition = definition
        self.instance = instance
        self.cursor: str | None = None

    def look(self) -> RunRequest | SkipReason:
        with build_sensor_context(instance=self.instance, cursor=self.cursor) as context:
            (answer,) = list(self.definition(context))  # type: ignore[call-overload]
            self.cursor = context.cursor
        return answer


@pytest.fixture
def looking(sensor: SensorDefinition, instance: DagsterInstance) -> Sensor:
    return Sensor(sensor, instance)


def start(instance: DagsterInstance, asked: Any) -> str:
    """A run as the daemon starts it from what the sensor asked for; its process is then killed."""
    assert isinstance(asked, RunRequest)
    run = create_run_for_test(
        instance, job_name="execute_purge", status=DagsterRunStatus.STARTED, tags=dict(asked.tags)
    )
    return run.run_id


def refused(instance: DagsterInstance, asked: Any) -> None:
    """A run that a guard refuses."""
    assert isinstance(asked, RunRequest)
    assert not execute_purge.execute_in_process(
        instance=instance, tags=dict(asked.tags), raise_on_error=False
    ).success


def status(instance: DagsterInstance, run_id: str) -> DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def approved(shop: Shop) -> Plan:
    for number in (1, 2):
        shop.person(number)
    return shop.approved_plan()


def test_a_killed_run_is_found_and_its_plan_goes_on(
    shop: Shop, instance: DagsterInstance, looking: Sensor
) -> None:
    plan = approved(shop)
    first = looking.look()
    run_id = start(instance, first)
    assert isinstance(looking.look(), SkipReason), "one look is not enough"
    assert status(instance, run_id) is DagsterRunStatus.STARTED
    again = looking.look()
    assert status(instance, run_id) is DagsterRunStatus.FAILURE
    assert isinstance(first, RunRequest)
    assert isinstance(again, RunRequest)
    assert again.run_key != first.run_key
    assert again.run_config["resources"]["run"]["config"]["plan_id"] == str(plan.plan_id)


def test_a_run_that_holds_its_lock_is_left_alone(
    shop: Shop, instance: DagsterInstance, looking: Sensor
) -> None:
    approved(shop)
    run_id = start(instance, looking.look())
    with only_run(shop.settings):
        for _ in range(3):
            assert isinstance(looking.look(), SkipReason)
    assert status(instance, run_id) is DagsterRunStatus.STARTED
    # Between its lock and its last word a run is without a lock, for one look at most.
    suspects = end_dead_runs(instance, shop.settings, ())
    assert suspects == [run_id]
    with only_run(shop.settings):
        assert end_dead_runs(instance, shop.settings, suspects) == []
    assert status(instance, run_id) is DagsterRunStatus.STARTED


def test_a_plan_whose_batches_were_cut_short_is_started_with_another_number(
    shop: Shop, instance: DagsterInstance, looking: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = approved(shop)

    class Killed(BaseException):
        pass

    def killed(pace: object, purged: int) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("retention.purge.pace.Pace.rest", killed)
        with pytest.raises(Killed):
            execute(shop.settings, plan.plan_id, batch_items=1)
    assert shop.one("select state from ledger.plans") == "executing"
    asked = looking.look()
    assert isinstance(asked, RunRequest)
    assert asked.run_key == f"{plan.plan_id}:1:0"


def test_a_refused_plan_is_tried_again_after_an_hour_and_keeps_no_other_waiting(
    shop: Shop, instance: DagsterInstance, looking: Sensor
) -> None:
    first = approved(shop)
    second = shop.approved_plan()
    asked = looking.look()
    assert isinstance(asked, RunRequest)
    assert asked.tags["retention/plan"] == str(first.plan_id)
    refused(instance, asked)
    other = looking.look()
    assert isinstance(other, RunRequest)
    assert other.tags["retention/plan"] == str(second.plan_id)
    refused(instance, other)
    assert isinstance(looking.look(), SkipReason)

    before = instance.get_run_records()[1:]
    now = datetime.now(UTC)
    assert not may_start(instance, before, now + timedelta(minutes=59))
    assert may_start(instance, before, now + timedelta(minutes=61))


def test_a_run_that_was_asked_to_end_goes_on_at_once(
    shop: Shop, instance: DagsterInstance, looking: Sensor
) -> None:
    """As when a daemon is started after one that died: it ends the runs that it did not start."""
    approved(shop)
    asked = looking.look()
    assert isinstance(asked, RunRequest)
    with contextlib.suppress(DagsterExecutionInterruptedError):
        interrupted_purge.execute_in_process(
            instance=instance, tags=dict(asked.tags), raise_on_error=False
        )
    assert isinstance(looking.look(), RunRequest)


def test_a_purge_that_is_killed_each_time_is_not_started_for_ever(
    shop: Shop, instance: DagsterInstance, looking: Sensor
) -> None:
    approved(shop)
    starts = 0
    for _ in range(30):
        asked = looking.look()
        if isinstance(asked, RunRequest):
            start(instance, asked)
            starts += 1
    assert starts == 5


def test_a_run_killed_before_its_read_back_is_started_again(
    shop: Shop, instance: DagsterInstance, looking: Sensor
) -> None:
    plan = approved(shop)
    run_id = start(instance, looking.look())
    execute(shop.settings, plan.plan_id)
    looking.look()
    assert isinstance(looking.look(), RunRequest)
    assert status(instance, run_id) is DagsterRunStatus.FAILURE


def test_a_plan_that_was_carried_out_is_not_started(shop: Shop, looking: Sensor) -> None:
    plan = approved(shop)
    execute(shop.settings, plan.plan_id)
    assert looking.look() == SkipReason("no plan is approved")


def test_a_persons_own_purge_is_not_shut_out(shop: Shop, looking: Sensor) -> None:
    plan = approved(shop)
    with connect(shop.settings) as conn:
        executor.begin(conn, plan.plan_id, plan.code_hash, plan.key_id)
        assert looking.look() == SkipReason("somebody is carrying out a plan")
    assert isinstance(looking.look(), RunRequest)


def test_nothing_is_started_while_halted(shop: Shop, looking: Sensor) -> None:
    approved(shop)
    halts.halt(shop.settings, "wait")
    skipped = looking.look()
    assert isinstance(skipped, SkipReason)
    assert "halted by" in (skipped.skip_message or "")
    halts.resume(shop.approver, "go on")
    assert isinstance(looking.look(), RunRequest)
