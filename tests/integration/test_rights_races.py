"""What a person's requests race against: the purge of what was decided, and each other.

Belongs here: requests and decisions that are in progress while a batch or another decision looks; each
test shows that one of the two really waited. Does not belong here: the guards of any purge
(test_purge_races.py).
"""

from uuid import UUID

import psycopg
import pytest

from retention.plan import Plan, create_decided
from retention.purge import PurgeResult, execute
from retention.purge.guards import HELD
from retention.rights.erasure import decide, decide_record
from retention.rights.model import Outcome
from retention.warehouse.connection import connect
from tests.erasures import Officer
from tests.factories import Shop
from tests.integration.test_purge_races import in_background, wait_until_blocked

pytestmark = [pytest.mark.integration, pytest.mark.slow]

OPEN = "select ledger.open_request('access', ledger.today(), 'shop.person:1', 1, 0, '§ 8')"


def planned(shop: Shop, officer: Officer) -> tuple[UUID, Plan]:
    """Person 1 asked for erasure, which was decided and planned, and which the decision approved."""
    shop.person(1, overdue=False)
    shop.classify()
    request = officer.request(1)
    decide(officer.settings, [request])
    shop.classify()
    plan = create_decided(shop.settings)
    assert plan.state == "approved"
    return request, plan


def test_a_request_for_a_copy_that_comes_in_meanwhile_is_waited_for(
    shop: Shop, officer: Officer
) -> None:
    _, plan = planned(shop, officer)
    with connect(officer.settings) as asking:
        asking.execute(OPEN)
        with in_background(lambda: execute(shop.settings, plan.plan_id)) as purge:
            wait_until_blocked(shop, asking)
            asking.commit()
            result: PurgeResult = purge.result(timeout=60)
    assert (result.purged, result.skipped) == (0, {HELD: plan.items})
    assert "1" in shop.keys("person")


def test_a_request_waits_for_the_batch_that_was_first(shop: Shop, officer: Officer) -> None:
    _, plan = planned(shop, officer)
    with connect(shop.settings) as loader:
        # Keeps the batch waiting after it has locked its guards.
        loader.execute("lock table shop.contact in row exclusive mode")
        with in_background(lambda: execute(shop.settings, plan.plan_id)) as purge:
            wait_until_blocked(shop, loader)
            with connect(officer.settings) as asking:
                asking.execute("set lock_timeout = '50ms'")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    asking.execute(OPEN)
            loader.rollback()
            assert purge.result(timeout=60).purged == plan.items


def test_an_erasure_taken_back_after_the_approval_is_heeded(shop: Shop, officer: Officer) -> None:
    request, plan = planned(shop, officer)
    decide_record(
        officer.settings,
        request,
        "shop.contact:1",
        Outcome.REFUSE,
        reason="it names the date of the breach",
        law="GDPR art. 17(3)(e)",
    )
    execute(shop.settings, plan.plan_id)
    assert "1" in shop.keys("contact")
    assert "1" in shop.keys("person"), "what the contact stands on stays with it"


def test_two_who_decide_the_same_request_at_once_decide_it_once(
    shop: Shop, officer: Officer
) -> None:
    shop.customer(1, overdue=False)
    shop.classify()
    request = officer.request(1)
    with connect(officer.settings) as first:
        first.execute("select ledger.decide_erasures(%s::uuid[])", ([request],))
        with in_background(lambda: decide(officer.settings, [request])) as second:
            wait_until_blocked(shop, first)
            first.commit()
            assert second.result(timeout=60).records == 0
    locks = shop.one(
        "select count(*) from ledger.blockers where kind = 'lock' and released_at is null"
    )
    records = shop.one("select count(distinct target) from ledger.blockers where kind = 'lock'")
    assert locks == records > 0
