"""Dagster's processes killed while they carry a plan out: it ends executed, and nobody said so.

Belongs here: `kill -9` of the process that a run is, and of the daemon. Does not belong here: what a
killed purge leaves behind at each of its steps (test_purge_killed.py).

In full only: what was killed is noticed at the sensor's second look, which is a minute later.
"""

import dataclasses
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.instance import database_name, storage_url
from orchestration.services import stop_services
from retention.ports import free_port
from retention.settings import Settings
from tests.conftest import Server
from tests.crash.figures import Figures
from tests.crash.orchestrated import Instance, make_instance, wait_until

SUITE = "Dagster killed"
KILLS = 5
# A batch that finds a table in use tries again for longer than this.
_WAITING = 3.0


@pytest.fixture
def instance(
    server: Server, settings: Settings, approver_url: str, tmp_path: Path, long_form: bool
) -> Iterator[Instance]:
    if not long_form:
        pytest.skip("minutes: make test-long runs it")
    ours = dataclasses.replace(
        settings,
        state=tmp_path / "state",
        ui_port=free_port(),
        auditor_port=free_port(),
        pages_port=free_port(),
    )
    try:
        made = make_instance(ours, approver_url, people=150, parts=2 * KILLS)
        yield made
        made.conn.close()
    finally:
        stop_services(ours)
        server.drop(database_name(storage_url(ours)))


def test_a_plan_ends_executed_whatever_of_dagster_is_killed(
    instance: Instance, figures: Figures
) -> None:
    """One plan a kill, at a random instant while its batch is held up."""
    chance = random.Random(20_230_112)
    figures.begin(SUITE)
    instance.start()
    for number in range(2 * KILLS):
        victim = ("run worker", "daemon")[number % 2]
        before = instance.landing()
        plan = instance.approved_plan()
        killed = _kill(instance, victim, chance.uniform(0.0, _WAITING))
        with figures.judged(SUITE, victim, counted=killed):
            if victim == "daemon":
                instance.start()
            wait_until(
                lambda plan=plan: instance.state(plan) == "executed",  # type: ignore[misc]
                f"the plan was not carried out after the {victim} was killed",
                seconds=600,
            )
            figures.rows_checked[SUITE] += instance.check_end(plan, before)
    figures.end(SUITE)
    assert figures.of(SUITE) == (2 * KILLS, 0)


def _kill(instance: Instance, victim: str, delay: float) -> bool:
    """Kill so many seconds after the plan's batch began to wait for a lock: while it waits, or while it
    rests before it tries again. False: there was nothing to kill."""
    kill = instance.kill_daemon if victim == "daemon" else instance.kill_workers
    with instance.batch_waiting():
        time.sleep(delay)
        return kill() > 0
