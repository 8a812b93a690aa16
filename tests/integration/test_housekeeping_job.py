"""Dagster's own traces, removed through its instance, and keeping house as a whole: job and command.

Belongs here: what goes and stays of runs and ticks. Does not belong here: every other trace
(test_housekeeping.py, tests/unit/test_housekeeping_files.py).
"""

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    materialize,
)
from dagster._core.remote_origin import (
    GrpcServerCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    TickData,
    TickStatus,
)
from dagster_shared.error import SerializableErrorInfo

from cli.main import run
from orchestration.assets.housekeeping import HOUSEKEEPING, housekeeping
from orchestration.housekeeping import keep_house, keep_house_now
from orchestration.instance import database_name, ensure_instance, storage_url
from orchestration.lock import only_run
from orchestration.resources import Run
from orchestration.run import environment
from orchestration.sensors import PLAN_TAG
from retention.errors import Refused
from retention.policy import load_policy
from tests.conftest import Server
from tests.factories import Shop
from tests.policies import SHIPPED

pytestmark = [pytest.mark.integration, pytest.mark.slow]

KEPT = load_policy(SHIPPED).own_records.traces
NOW = datetime.now(UTC)
# A day more on either side: what is due turns at midnight in Norway.
OLD = NOW - timedelta(days=KEPT.runs.value + 2)
YOUNG = NOW - timedelta(days=KEPT.runs.value - 1)


@pytest.fixture(scope="module")
def storage(server: Server) -> Iterator[str]:
    """The URL of a database for Dagster. Its tables take seconds to make: every test has the same."""
    name = server.create(template=None)
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def instance(shop: Shop, storage: str) -> Iterator[DagsterInstance]:
    """Dagster's instance of the shop, empty, and its environment for the length of the test."""
    shop.settings = dataclasses.replace(shop.settings, dagster_database_url=storage)
    ensure_instance(shop.settings)
    with environment(shop.settings), DagsterInstance.get() as opened:
        opened.wipe()
        opened.wipe_all_schedules()
        yield opened


def ran(
    instance: DagsterInstance,
    ended: datetime,
    status: DagsterRunStatus = DagsterRunStatus.SUCCESS,
    *,
    plan: str | None = None,
) -> str:
    """A run that began at the old moment and whose last event was at `ended`. Returns its id."""
    made = DagsterRun(job_name="apply_retention", tags={PLAN_TAG: plan} if plan else {})
    instance.run_storage.add_historical_run(made, OLD)
    kinds = {
        DagsterRunStatus.SUCCESS: [DagsterEventType.RUN_START, DagsterEventType.RUN_SUCCESS],
        DagsterRunStatus.FAILURE: [DagsterEventType.RUN_START, DagsterEventType.RUN_FAILURE],
        DagsterRunStatus.CANCELED: [DagsterEventType.RUN_START, DagsterEventType.RUN_CANCELED],
        DagsterRunStatus.STARTED: [DagsterEventType.RUN_START],
        DagsterRunStatus.STARTING: [DagsterEventType.RUN_STARTING],
        DagsterRunStatus.CANCELING: [DagsterEventType.RUN_START, DagsterEventType.RUN_CANCELING],
    }
    for kind in kinds[status]:
        event = DagsterEvent(event_type_value=kind.value, job_name=made.job_name)
        instance.report_dagster_event(event, made.run_id, timestamp=ended.timestamp())
    found = instance.get_run_by_id(made.run_id)
    assert found is not None
    assert found.status is status
    return made.run_id


def known(instance: DagsterInstance, *run_ids: str) -> list[bool]:
    return [instance.has_run(run_id) and len(instance.all_logs(run_id)) > 0 for run_id in run_ids]


def swept(
    shop: Shop, instance: DagsterInstance, kind: str, *, dry_run: bool = False
) -> tuple[int, int]:
    (one,) = (
        each for each in keep_house(shop.settings, instance, dry_run=dry_run) if each.kind == kind
    )
    return one.due, one.removed


@pytest.mark.parametrize(
    "status", [DagsterRunStatus.STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.CANCELING]
)
def test_a_run_that_has_not_ended_stays_however_old(
    shop: Shop, instance: DagsterInstance, status: DagsterRunStatus
) -> None:
    run_id = ran(instance, OLD, status)
    assert swept(shop, instance, "runs") == (0, 0)
    assert known(instance, run_id) == [True]


def test_a_run_that_ended_lately_stays_although_it_began_long_ago(
    shop: Shop, instance: DagsterInstance
) -> None:
    run_id = ran(instance, YOUNG)
    assert swept(shop, instance, "runs") == (0, 0)
    assert known(instance, run_id) == [True]


def test_runs_of_a_plan_that_is_still_to_be_carried_out_stay(
    shop: Shop, instance: DagsterInstance
) -> None:
    """The sensor counts them: without them a plan that fails would be begun again and again."""
    shop.person(1)
    plan = shop.approved_plan()
    run_id = ran(instance, OLD, DagsterRunStatus.FAILURE, plan=str(plan.plan_id))
    assert swept(shop, instance, "runs") == (0, 0)
    shop.conn.execute("update ledger.plans set state = 'executed'")
    shop.conn.commit()
    assert swept(shop, instance, "runs") == (1, 1)
    assert not instance.has_run(run_id)


def test_runs_that_ended_go_with_their_events(shop: Shop, instance: DagsterInstance) -> None:
    ended = [
        ran(instance, OLD, status)
        for status in (
            DagsterRunStatus.SUCCESS,
            DagsterRunStatus.FAILURE,
            DagsterRunStatus.CANCELED,
        )
    ]
    stays = ran(instance, YOUNG)
    assert swept(shop, instance, "runs", dry_run=True) == (3, 0)
    assert known(instance, *ended) == [True] * 3
    assert swept(shop, instance, "runs") == (3, 3)
    assert known(instance, *ended, stays) == [False, False, False, True]
    assert [len(instance.all_logs(run_id)) for run_id in ended] == [0, 0, 0]


def test_old_ticks_go_and_one_that_is_being_evaluated_stays(
    shop: Shop, instance: DagsterInstance
) -> None:
    origin = RemoteInstigatorOrigin(
        RemoteRepositoryOrigin(
            GrpcServerCodeLocationOrigin("127.0.0.1", 1, location_name="sletteplikt"),
            "__repository__",
        ),
        "approved_plans",
    )
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.DECLARED_IN_CODE)
    instance.add_instigator_state(state)
    failure = SerializableErrorInfo("a sensor failed", [], None)
    old = NOW - timedelta(days=KEPT.ticks.value + 2)
    young = NOW - timedelta(days=KEPT.ticks.value - 1)
    for status, moment in (
        (TickStatus.SKIPPED, old),
        (TickStatus.SUCCESS, old),
        (TickStatus.FAILURE, old),
        (TickStatus.STARTED, old),
        (TickStatus.SKIPPED, young),
    ):
        instance.create_tick(
            TickData(
                instigator_origin_id=state.instigator_origin_id,
                instigator_name="approved_plans",
                instigator_type=InstigatorType.SENSOR,
                status=status,
                timestamp=moment.timestamp(),
                selector_id=state.selector_id,
                run_ids=[],
                error=failure if status is TickStatus.FAILURE else None,
            )
        )
    named = (state.instigator_origin_id, state.selector_id)
    assert swept(shop, instance, "ticks", dry_run=True) == (3, 0)
    assert len(instance.get_ticks(*named)) == 5
    assert swept(shop, instance, "ticks") == (3, 3)
    assert [tick.status for tick in instance.get_ticks(*named)] == [
        TickStatus.SKIPPED,
        TickStatus.STARTED,
    ]


# --- the whole -----------------------------------------------------------------------------------


def entries(shop: Shop) -> list[Any]:
    rows = shop.conn.execute(
        "select body::jsonb from ledger.entries where kind = 'housekeeping' order by entry_id"
    ).fetchall()
    shop.conn.commit()
    return [body for (body,) in rows]


def test_the_job_keeps_house_and_shows_the_counts(shop: Shop, instance: DagsterInstance) -> None:
    run_id = ran(instance, OLD)
    result = materialize([housekeeping], instance=instance, resources={"run": Run()})
    assert result.success
    (event,) = result.asset_materializations_for_node("housekeeping")
    assert event.asset_key == HOUSEKEEPING
    assert event.metadata["runs"].value == 1
    assert event.metadata["remaining"].value == 0
    assert not instance.has_run(run_id)
    # Its own run goes on while it looks.
    assert instance.has_run(result.run_id)
    (body,) = entries(shop)
    assert body["removed"]["runs"] == 1
    assert body["remaining"] == {}


def test_house_is_not_kept_while_a_run_is_going(shop: Shop, instance: DagsterInstance) -> None:
    run_id = ran(instance, OLD)
    with only_run(shop.settings), pytest.raises(Refused, match="already going"):
        keep_house_now(shop.settings)
    assert known(instance, run_id) == [True]
    assert entries(shop) == []


def test_a_house_without_dagster_is_kept_and_none_is_made(shop: Shop, server: Server) -> None:
    kinds = {one.kind for one in keep_house_now(shop.settings)}
    assert "plan_items" in kinds
    assert "runs" not in kinds
    with server.admin() as admin:
        found = admin.execute(
            "select from pg_database where datname = %s",
            (database_name(storage_url(shop.settings)),),
        ).fetchone()
    assert found is None
    assert len(entries(shop)) == 1


def test_the_command_says_what_is_due_and_removes_it(
    shop: Shop, instance: DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = ran(instance, OLD)

    def command(*options: str) -> dict[str, Any]:
        assert run(["housekeep", "--json", *options]) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return {**{one["kind"]: one for one in answer["traces"]}, "dry_run": answer["dry_run"]}

    said = command("--dry-run")
    assert said["dry_run"] is True
    assert (said["runs"]["due"], said["runs"]["removed"]) == (1, 0)
    assert f"{KEPT.runs.value} days" in said["runs"]["kept"]
    assert known(instance, run_id) == [True]
    assert entries(shop) == []
    done = command()
    assert (done["runs"]["due"], done["runs"]["removed"]) == (1, 1)
    assert not instance.has_run(run_id)
    assert len(entries(shop)) == 1


def test_the_command_ends_with_findings_where_something_due_stays(
    shop: Shop, instance: DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.conn.execute(
        "set role retention_classifier; create schema retention_as_of_20240101; reset role;"
        "create table retention_as_of_20240101.mine (id int);"
        "insert into ledger.replays values ('_as_of_20240101', '2024-01-01')"
    )
    shop.conn.commit()
    assert run(["housekeep"]) == 1
    assert "stays: replay _as_of_20240101" in capsys.readouterr().out
    assert run(["housekeep", "--dry-run"]) == 0
    (body,) = entries(shop)
    assert body["remaining"] == {"replays": 1}
