"""Each named instant of a batch is reached, and a process killed there leaves rows and evidence in step.

Belongs here: the failpoints themselves. Does not belong here: the suite that kills at them, at random
times and other processes besides.
"""

import subprocess
import sys
from collections.abc import Mapping
from typing import get_args

import pytest

from retention.ledger import entries
from retention.plan import Plan
from retention.purge import execute
from retention.purge.failpoints import VARIABLE, Failpoint
from tests.factories import Shop

pytestmark = pytest.mark.crash

_PURGE = """
import sys
from uuid import UUID
from retention.purge import execute
from retention.settings import load_settings
execute(load_settings(), UUID(sys.argv[1]), batch_items=1)
"""


def purge(
    shop: Shop, environment: Mapping[str, str], plan: Plan, failpoint: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _PURGE, str(plan.plan_id)],
        env={**environment, **shop.settings.as_environment(), VARIABLE: failpoint},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_batch_killed_at_each_of_them_is_whole_or_never_happened(
    shop: Shop, clean_environment: Mapping[str, str]
) -> None:
    for number in range(1, 5):
        shop.person(number)
    plan = shop.approved_plan()
    landed = shop.rows()
    batch = plan.items // 4
    for name in get_args(Failpoint):
        done = purge(shop, clean_environment, plan, name)
        assert done.returncode == -9, (name, done.stderr)
        gone = len(landed - shop.rows())
        assert gone == (batch if name == "after_commit" else 0), name
        assert gone == sum(
            entry.content["purged"] for entry in entries.of_plan(shop.conn, plan.plan_id, "batch")
        )
    # The second time that it is reached, in the third batch of the plan.
    assert purge(shop, clean_environment, plan, "after_delete:2").returncode == -9
    assert len(landed - shop.rows()) == 2 * batch
    assert execute(shop.settings, plan.plan_id).purged == plan.items


def test_a_number_that_is_none_is_wrong_usage(
    shop: Shop, clean_environment: Mapping[str, str]
) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    done = purge(shop, clean_environment, plan, "after_lock:soon")
    assert done.returncode == 1
    assert "is no name or name:number" in done.stderr
    assert shop.tables_with(1)
