"""A purging process that is killed: no row is gone without evidence, and no evidence lies.

Belongs here: `kill -9` of the process that purges, at random instants, and going on afterwards. Does not
belong here: a server that dies (the embedded server's own tests).
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import pytest

from retention import verify
from retention.ledger import entries
from retention.plan import Plan, show
from retention.purge import execute
from tests.factories import Shop

pytestmark = pytest.mark.crash

KILLS = int(os.environ.get("RETENTION_TEST_KILLS", "12"))
PEOPLE = 60

_PURGE = """
import sys
from uuid import UUID
from retention.purge import execute
from retention.settings import load_settings
execute(load_settings(), UUID(sys.argv[1]), batch_items=1)
"""


@pytest.fixture
def environment(shop: Shop, clean_environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which another process sees the shop."""
    assert shop.settings.database_url is not None
    return {
        **clean_environment,
        "RETENTION_DATABASE_URL": shop.settings.database_url,
        "RETENTION_STATE_DIR": str(shop.settings.state),
        "RETENTION_PROJECT_DIR": str(shop.settings.project),
        "RETENTION_POLICY_DIR": str(shop.settings.policy_dir),
        "RETENTION_DECLARATIONS_DIR": str(shop.settings.declarations_dir),
    }


def test_a_purge_killed_at_any_instant_leaves_rows_and_evidence_in_step(
    shop: Shop, environment: Mapping[str, str], record_property: Callable[[str, object], None]
) -> None:
    for number in range(1, PEOPLE + 1):
        shop.customer(number, overdue=number % 10 != 0)
    plan = shop.approved_plan()
    landed = shop.rows()
    chance = random.Random(20_230_112)
    hit = 0
    for _ in range(KILLS):
        if show(shop.settings, plan.plan_id).state == "executed":
            break
        hit += _kill_in_the_middle(shop, environment, plan, chance.uniform(0.0, 0.25))
        _let_the_orphan_end(shop)
        _rows_and_evidence_agree(shop, plan, landed)
    record_property("kills", hit)
    assert hit >= min(10, KILLS), f"only {hit} kills met a purge at work"
    execute(shop.settings, plan.plan_id)
    _rows_and_evidence_agree(shop, plan, landed)
    assert shop.outcome(plan) == {"purged": plan.items}
    assert len(landed - shop.rows()) == plan.items
    batches = [e.content["batch_no"] for e in entries.of_plan(shop.conn, plan.plan_id, "batch")]
    assert batches == sorted(set(batches)), "no batch is doubled"
    assert verify.read_back(shop.settings, plan.plan_id).findings == ()


def _kill_in_the_middle(
    shop: Shop, environment: Mapping[str, str], plan: Plan, delay: float
) -> bool:
    """Start a purge, kill it `delay` seconds after a batch of it was seen. False: it was done before."""
    before = _batches(shop)
    process = subprocess.Popen(
        [sys.executable, "-c", _PURGE, str(plan.plan_id)],
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while _batches(shop) == before and process.poll() is None:
            assert time.monotonic() < deadline, "the purge never began"
            time.sleep(0.002)
        time.sleep(delay)
        alive = process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return alive


def _batches(shop: Shop) -> int:
    found: int = shop.one("select count(*) from ledger.entries where kind = 'batch'")
    return found


def _let_the_orphan_end(shop: Shop) -> None:
    """The server's session outlives its client until it next talks to it."""
    deadline = time.monotonic() + 30
    while shop.one(
        "select count(*) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
        " and backend_type = 'client backend'"
    ):
        assert time.monotonic() < deadline, "the killed process's session does not end"
        time.sleep(0.02)


def _rows_and_evidence_agree(shop: Shop, plan: Plan, landed: set[str]) -> None:
    left = shop.rows()
    assert left <= landed, "a row changed"
    gone = len(landed - left)
    purged = shop.outcome(plan).get("purged", 0)
    tombstones = shop.one("select count(*) from ledger.tombstones")
    proven = sum(
        entry.content["purged"] for entry in entries.of_plan(shop.conn, plan.plan_id, "batch")
    )
    assert gone == purged == tombstones == proven
    halves = {n for n in range(1, PEOPLE + 1) if 0 < len(shop.tables_with(n)) < len(_WHOLE)}
    # The third person in a document is a case of its own, and goes before the customer does.
    assert all(shop.tables_with(n) == _WHOLE - {"party"} for n in halves), "a case was split"


_WHOLE = {
    "person",
    "lead",
    "contact",
    "mail",
    "recording",
    "visit",
    "assignment",
    "document",
    "party",
}
