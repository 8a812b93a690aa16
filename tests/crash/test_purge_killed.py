"""A purging process that is killed: no row is gone without evidence, and no evidence lies.

Belongs here: `kill -9` of the process that purges, at named places and at random instants, and going on
afterwards. Does not belong here: a server that dies (test_server_killed.py).
"""

import random
from typing import get_args

from retention.plan import Plan, show
from retention.purge import execute
from retention.purge.failpoints import Failpoint
from tests.crash import killing
from tests.crash.books import open_books
from tests.crash.figures import Figures
from tests.factories import Shop

SUITE = "client killed"
AT_RANDOM = "at random"
PLACES = get_args(Failpoint)
PEOPLE = 40


def test_a_purge_killed_at_any_instant_leaves_rows_and_evidence_in_step(
    shop: Shop, figures: Figures, long_form: bool
) -> None:
    """Every case is a batch of its own; when a plan is carried out, the next people land."""
    chance = random.Random(20_230_112)
    left = [*PLACES, *[AT_RANDOM] * len(PLACES)] * (15 if long_form else 1)
    wanted = len(left)
    chance.shuffle(left)
    figures.begin(SUITE)
    first = 1
    while left:
        plan = _land_and_plan(shop, first)
        first += PEOPLE
        books = open_books(shop, plan)
        # Some batches are left for the purge that is not killed.
        while left and killing.cases_left(shop, plan) > 10:
            place = left[-1]
            met = _kill(shop, plan, place, chance)
            killing.let_the_orphan_end(shop)
            with figures.judged(SUITE, place, counted=met):
                books.check()
                books.check_whole_cases()
            if met:
                left.pop()
        execute(shop.settings, plan.plan_id)
        assert show(shop.settings, plan.plan_id).state == "executed"
        assert shop.outcome(plan) == {"purged": plan.items}
        books.check_whole_cases()
        books.check_end()
        figures.rows_checked[SUITE] += books.checked
    figures.end(SUITE)
    assert figures.of(SUITE) == (wanted, 0)


def _land_and_plan(shop: Shop, first: int) -> Plan:
    """People from number `first` on; every tenth one stays."""
    for number in range(first, first + PEOPLE):
        shop.customer(number, overdue=number % 10 != 0)
    return shop.approved_plan()


def _kill(shop: Shop, plan: Plan, place: str, chance: random.Random) -> bool:
    if place == AT_RANDOM:
        return killing.killed_after(shop, plan, chance.uniform(0.0, 0.25))
    return killing.killed_at(shop, plan, place, chance.randint(1, 3))
