"""What an approver sees of a plan: ages, the difference to the plan before, a sample of its records.

Belongs here: `retention.plan.details` and the command that prints it. Does not belong here: what a plan
holds (test_plan.py).
"""

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest

from retention.errors import UsageError
from retention.plan import Plan, amend, band_names, create_unattended, details, reject
from retention.purge import execute
from tests.factories import Shop

pytestmark = pytest.mark.integration


def overdue_for(shop: Shop, number: int, days: int) -> None:
    shop.conn.execute(
        "update retention.records set due_on = ledger.today() - %s where source_table = 'contact'"
        " and record_key = %s",
        (days, str(number)),
    )
    shop.conn.commit()


@pytest.fixture
def plan(shop: Shop) -> Plan:
    for number in range(1, 9):
        shop.person(number)
    shop.add("objection", email="nei@shop.example")
    shop.classify()
    shop.judge(
        "objection",
        shop.one("select record_key from retention.records where source_table = 'objection'"),
        "overdue",
    )
    shop.classify()
    for number, days in enumerate((0, 30, 31, 90, 91, 365, 366, 4000), start=1):
        overdue_for(shop, number, days)
    return shop.plan()


def test_ages_are_counted_per_table_and_rule(shop: Shop, plan: Plan) -> None:
    assert band_names() == ("0–30", "31–90", "91–365", "over 365")
    ages = {
        (one.table, one.rule_id): one.bands for one in details(shop.settings, plan.plan_id).ages
    }
    assert list(ages["shop.contact", "SUPPORTING"].values()) == [2, 2, 2, 2]
    assert list(ages["shop.lead", "R1"].values()) == [8, 0, 0, 0]
    assert sum(sum(bands.values()) for bands in ages.values()) == plan.items
    # An ended plan shows what it held; one that was changed no longer counts what left it.
    amended = amend(
        shop.approver, plan.plan_id, table="shop.person", record_key="8", reason="later"
    )
    ages = {one.table: one.bands for one in details(shop.settings, plan.plan_id).ages}
    assert list(ages["shop.contact"].values()) == [2, 2, 2, 1]
    reject(shop.approver, amended.plan_id, "no")
    ages = {one.table: one.bands for one in details(shop.settings, plan.plan_id).ages}
    assert sum(ages["shop.contact"].values()) == 8


def test_the_difference_to_the_plan_before(shop: Shop, plan: Plan) -> None:
    assert details(shop.settings, plan.plan_id).previous is None
    shop.customer(20)
    shop.hold("subject", "shop.person:1")
    shop.classify()
    create_unattended(shop.settings)
    second = shop.plan()
    found = details(shop.settings, second.plan_id)
    assert found.previous == plan.plan_id, "the plan before is one of the same scope"
    changes = {(one.table, one.rule_id): one for one in found.changes}
    assert set(changes) == {
        ("shop.assignment", "R4"),
        ("shop.document", "R4"),
        ("shop.party", "R4"),
    }
    assert all(one.is_new_table and one.before == 0 for one in changes.values())
    assert changes["shop.assignment", "R4"].now == 2
    third = shop.plan()
    assert details(shop.settings, third.plan_id).changes == ()


def test_a_sample_is_the_same_for_the_same_seed(shop: Shop, plan: Plan) -> None:
    def sample(seed: int, size: int = 5) -> tuple[object, ...]:
        return details(shop.settings, plan.plan_id, sample=size, seed=seed).sample

    assert sample(1) == sample(1)
    assert len(sample(1)) == 5
    assert len({sample(seed) for seed in range(5)}) == 5
    assert len(sample(1, 1_000)) == plan.items
    assert details(shop.settings, plan.plan_id).sample == ()


def test_a_personal_key_is_shown_as_its_token(shop: Shop, plan: Plan) -> None:
    found = details(shop.settings, plan.plan_id, sample=1_000)
    (objection,) = [one for one in found.sample if one.table == "shop.objection"]
    assert "@" not in objection.record_key
    assert objection.record_key == shop.one(
        "select record_key from retention.records where source_table = 'objection'"
    )


def test_once_carried_out_there_is_nothing_to_sample(shop: Shop, plan: Plan) -> None:
    shop.approve(plan)
    execute(shop.settings, plan.plan_id)
    assert details(shop.settings, plan.plan_id).ages
    with pytest.raises(UsageError, match="no keys any more"):
        details(shop.settings, plan.plan_id, sample=1)


def test_the_command_shows_it_in_words_and_as_json(
    shop: Shop, plan: Plan, command_environment: Mapping[str, str]
) -> None:
    def run(*options: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "plan", "show", str(plan.plan_id), *options],
            env={
                **command_environment,
                "RETENTION_DECLARATIONS_DIR": str(shop.settings.declarations_dir),
            },
            cwd=shop.settings.dbt_dir.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    words = run("--sample", "3", "--seed", "7")
    assert "days overdue" in words
    assert "over 365" in words
    told = json.loads(run("--sample", "3", "--seed", "7", "--json"))
    assert told["digest"] == plan.digest
    assert len(told["sample"]) == 3
    assert all(one["record_key"] in words for one in told["sample"])
    assert {"ages", "changes", "previous"} <= set(told)
