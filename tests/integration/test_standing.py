"""How the tables stand, as Dagster draws it: the figures agree with the records, before and after a purge.

Belongs here: the counting. Does not belong here: that a run of the job shows it (test_job.py).
"""

from datetime import timedelta
from typing import Any

import pytest
from dagster import AssetKey, AssetMaterialization

from orchestration.standing import Standing, purged_by, read_standing, set_aside, tables_read
from retention.classified import STATUSES
from retention.classify import today
from retention.errors import UsageError
from retention.purge import execute
from tests.factories import Shop

pytestmark = pytest.mark.integration


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Persons overdue and not, one of them held, one under review; what is to come falls due in time."""
    for number in (1, 2, 3):
        shop.customer(number)
    shop.customer(4, overdue=False)
    shop.judge("lead", 4, "review")
    shop.judge("lead", 3, "held")
    shop.classify()
    return shop


def numbers(metadata: dict[str, Any]) -> dict[str, int]:
    """What Dagster can draw."""
    return {name: value for name, value in metadata.items() if isinstance(value, int)}


def counted(shop: Shop, condition: str) -> int:
    found = shop.one(f"select count(*) from retention.records where {condition}")
    assert isinstance(found, int)
    return found


def agrees(shop: Shop, standing: Standing) -> None:
    """Each figure, against a count of its own."""
    whole = standing.whole()
    tables = [table.qualified for table in shop.declarations.governed]
    for name, where in (("", "true"), *((one, f"'{one}'") for one in tables)):
        figures = standing.of(name) if name else whole
        here = f"source_schema || '.' || source_table = {where}" if name else where
        assert figures["records"] == counted(shop, here)
        for status in STATUSES:
            assert figures[status] == counted(shop, f"{here} and status = '{status}'")
        for days in (7, 30, 90):
            assert figures[f"due_within_{days}_days"] == counted(
                shop,
                f"{here} and status in ('due_soon', 'retained')"
                f" and due_on between as_of + 1 and as_of + {days}",
            )
    # What the tables say is what the whole says, and all say it under the same names.
    parts = [numbers(standing.of(table)) for table in tables]
    for name, value in numbers(whole).items():
        if name != "oldest_overdue_days":
            assert value == sum(part[name] for part in parts), name
    assert {frozenset(part) for part in parts} == {frozenset(numbers(whole))}


def test_the_figures_agree_with_the_records(stocked: Shop) -> None:
    standing = read_standing(stocked.settings, today())
    whole = standing.whole()
    agrees(stocked, standing)
    assert min(whole["overdue"], whole["held"], whole["review"]) > 0
    assert whole["purged"] == 0
    oldest = stocked.one(
        "select max(as_of - last_day) from retention.records where status = 'overdue'"
    )
    stocked.conn.commit()
    assert whole["oldest_overdue_days"] == oldest > 0


def test_what_is_still_to_come_is_counted_by_its_day(stocked: Shop) -> None:
    """The boundaries: tomorrow is within a week, and the day itself is what is overdue."""
    for number, days in ((1, 1), (2, 7), (3, 8), (4, 90)):
        stocked.conn.execute(
            "update retention.records set due_on = as_of + %s, status = 'retained'"
            " where source_table = 'recording' and record_key = %s",
            (days, str(number)),
        )
    stocked.conn.commit()
    figures = read_standing(stocked.settings).of("shop.recording")
    assert [figures[f"due_within_{days}_days"] for days in (7, 30, 90)] == [2, 3, 4]
    assert figures["next_due_on"] == str(today() + timedelta(days=1))
    assert figures["oldest_overdue_days"] == 0
    assert read_standing(stocked.settings).of("shop.objection")["next_due_on"] == "none"


def test_after_a_purge_the_tables_show_what_went_and_what_is_left(stocked: Shop) -> None:
    before = read_standing(stocked.settings).whole()
    plan = stocked.approve(stocked.plan())
    result = execute(stocked.settings, plan.plan_id)
    after = read_standing(stocked.settings)
    agrees(stocked, after)
    assert after.whole()["purged"] == result.purged > 0
    assert after.whole()["records"] == before["records"] - result.purged
    gone = purged_by(stocked.settings, [plan.plan_id])
    assert sum(gone.values()) == result.purged + result.minimised
    for (name, what), number in gone.items():
        assert after.of(name)[what] == number


def test_a_table_that_was_read_shows_its_state_and_its_rows(stocked: Shop) -> None:
    (lead,) = [table for table in stocked.declarations.governed if table.name == "lead"]
    standing = read_standing(stocked.settings)
    landing, staging = tables_read(standing, [lead])
    assert isinstance(landing, AssetMaterialization)
    assert landing.asset_key == AssetKey(["shop", "lead"])
    assert landing.metadata["dagster/row_count"].value == 4
    assert landing.metadata["overdue"].value == 2
    assert staging.asset_key == AssetKey(["staging", "stg_shop__lead"])
    assert staging.metadata["overdue"].value == 2


def test_a_table_that_was_set_aside_is_named(stocked: Shop) -> None:
    """Of it nothing was read, so that it keeps the state it had, and is late by the morning."""
    stocked.conn.execute(
        "create table retention.population_checks as values"
        " ('shop', 'lead', true), ('shop', 'person', false)"
    )
    stocked.conn.execute(
        "alter table retention.population_checks rename column1 to source_schema;"
        "alter table retention.population_checks rename column2 to source_table;"
        "alter table retention.population_checks rename column3 to is_set_aside;"
        "grant select on retention.population_checks to retention_reader"
    )
    stocked.conn.commit()
    assert set_aside(stocked.settings, today()) == {"shop.lead"}


def test_a_day_that_was_not_classified_has_no_standing(stocked: Shop) -> None:
    with pytest.raises(UsageError, match="nothing is classified as of"):
        read_standing(stocked.settings, today() - timedelta(days=1))
