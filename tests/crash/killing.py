"""Purging processes that are killed: starting one, at a named place or at a random time, and its end.

Belongs here: the process and its death. Does not belong here: what must be true afterwards (`books`).

The process is forked from the test's own, in which everything is imported already, so that a kill costs
what a purge costs to begin, and not what Python costs to start. It opens connections of its own and
never touches the test's; it ends without running anything of the test's.
"""

import importlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from uuid import UUID

from retention.plan import Plan
from retention.purge import execute, failpoints
from retention.settings import Settings
from tests.factories import Shop

_FORK = multiprocessing.get_context("fork")
_PATIENCE = 60.0


def killed_at(shop: Shop, plan: Plan, place: str, nth: int) -> bool:
    """Let a purge go until it reaches a named place for the n-th time, where it kills itself. False: it
    never came there and carried the plan out."""
    with _purging(shop.settings, plan.plan_id, f"{place}:{nth}") as process:
        process.join(_PATIENCE)
        assert process.exitcode in (-signal.SIGKILL, 0), f"the purge ended with {process.exitcode}"
        return process.exitcode == -signal.SIGKILL


def killed_after(shop: Shop, plan: Plan, delay: float) -> bool:
    """Kill a purge so many seconds after a batch of it was seen. False: it was done before."""
    before = batches(shop)
    with _purging(shop.settings, plan.plan_id) as process:
        wait_for_batch(shop, before, process)
        time.sleep(delay)
        return process.is_alive()


def wait_for_batch(shop: Shop, before: int, purging: BaseProcess | None = None) -> None:
    """Return when a batch more than `before` is there, or the purge has ended."""
    deadline = time.monotonic() + _PATIENCE
    while batches(shop) == before and (purging is None or purging.is_alive()):
        assert time.monotonic() < deadline, "the purge never began"
        time.sleep(0.002)


def batches(shop: Shop) -> int:
    found: int = shop.one("select count(*) from ledger.entries where kind = 'batch'")
    return found


def cases_left(shop: Shop, plan: Plan) -> int:
    """How many cases of the plan are still to come: with one item a batch, each is a batch."""
    found: int = shop.one(
        "select count(distinct case_id) from ledger.plan_items where plan_id = %s and state = 'planned'",
        plan.plan_id,
    )
    return found


def let_the_orphan_end(shop: Shop) -> None:
    """The server's session outlives its client until it next talks to it."""
    deadline = time.monotonic() + _PATIENCE
    while shop.one(
        "select count(*) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
        " and backend_type = 'client backend'"
    ):
        assert time.monotonic() < deadline, "the killed process's session does not end"
        time.sleep(0.005)


@contextmanager
def _purging(settings: Settings, plan_id: UUID, failpoint: str = "") -> Iterator[BaseProcess]:
    """A process that purges; killed at the end of the block if it still lives."""
    process = _FORK.Process(target=_purge, args=(settings, plan_id, failpoint))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _purge(settings: Settings, plan_id: UUID, failpoint: str) -> None:
    os.environ[failpoints.VARIABLE] = failpoint
    # It is read where a process begins; this one began with the test's.
    importlib.reload(failpoints)
    execute(settings, plan_id, batch_items=1)
