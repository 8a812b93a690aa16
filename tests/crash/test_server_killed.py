"""A server that is killed in the middle of a batch: what was committed is there, the rest is not.

Belongs here: `kill -9` of the postmaster and of the purge's own backend, starting again, and going on.
Does not belong here: a client that dies (test_purge_killed.py), and whether the embedded server comes
back at all (test_embedded_server_killed.py).
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from retention.errors import WarehouseError
from retention.plan import Plan
from retention.purge import PurgeResult, execute
from retention.settings import Settings
from retention.warehouse import embedded
from retention.warehouse.connection import connect
from retention.warehouse.migrate import migrate
from tests.crash import killing
from tests.crash.books import open_books
from tests.crash.figures import Figures
from tests.factories import Shop, open_shop

SUITE = "server killed"
VICTIMS = ("postmaster", "backend")
PEOPLE = 20


@pytest.fixture
def own_shop(own_server: Settings, tmp_path: Path) -> Iterator[Shop]:
    """The small warehouse on a server of the test's own, which writes through to the disk."""
    with connect(own_server) as conn:
        migrate(conn)
    opened = open_shop(own_server, embedded.approver_url(own_server), tmp_path / "shop")
    assert opened.one("show fsync") == "on"
    # What lands need not be waited for; what the purge commits is.
    opened.conn.execute("set synchronous_commit = off")
    yield opened
    opened.conn.close()


def test_a_server_killed_in_a_batch_leaves_rows_and_evidence_in_step(
    own_shop: Shop, figures: Figures, long_form: bool
) -> None:
    shop = own_shop
    chance = random.Random(20_230_112)
    left = list(VICTIMS) * (25 if long_form else 1)
    wanted = len(left)
    figures.begin(SUITE)
    first = 1
    while left:
        for number in range(first, first + PEOPLE):
            shop.customer(number, overdue=number % 10 != 0)
        first += PEOPLE
        plan = shop.approved_plan()
        books = open_books(shop, plan)
        while left and killing.cases_left(shop, plan) > 10:
            victim = left[-1]
            met = _kill(shop, plan, victim, chance.uniform(0.0, 0.15))
            with figures.judged(SUITE, victim, counted=met):
                books.check()
                books.check_whole_cases()
            if met:
                left.pop()
        assert execute(shop.settings, plan.plan_id).purged == plan.items
        books.check_whole_cases()
        books.check_end()
        figures.rows_checked[SUITE] += books.checked
    figures.end(SUITE)
    assert figures.of(SUITE) == (wanted, 0)


def _kill(shop: Shop, plan: Plan, victim: str, delay: float) -> bool:
    """Kill the server so many seconds after a batch was seen, and start it again. False: the purge was
    done before."""
    before = killing.batches(shop)
    with ThreadPoolExecutor(max_workers=1) as pool:
        purge = pool.submit(execute, shop.settings, plan.plan_id, batch_items=1)
        killing.wait_for_batch(shop, before)
        time.sleep(delay)
        pid = _pid(shop, victim)
        if pid is None:
            return False
        os.kill(pid, signal.SIGKILL)
        met = _lost(purge)
    shop.conn.close()
    shop.conn = _connected_again(shop.settings)
    return met


def _lost(purge: Future[PurgeResult]) -> bool:
    """Whether the purge ended because its connection was lost; no other error will do."""
    error = purge.exception(timeout=60)
    if error is not None:
        assert isinstance(error, WarehouseError)
        assert "lost" in str(error), "a purge whose server dies says so"
    return error is not None


def _pid(shop: Shop, victim: str) -> int | None:
    if victim == "postmaster":
        running = embedded.running(shop.settings)
        assert running is not None
        return running.pid
    found: int | None = shop.one(
        "select max(pid) from pg_stat_activity where datname = current_database()"
        " and pid <> pg_backend_pid() and backend_type = 'client backend'"
    )
    return found


def _connected_again(settings: Settings) -> psycopg.Connection[object]:
    """A connection to the server, started again where it is down, waited for where it recovers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return connect(settings)
        except WarehouseError:
            assert time.monotonic() < deadline, "the server does not come back"
            time.sleep(0.05)
