"""A restriction (GDPR art. 18): no purge takes it, however overdue, and it ends once the person was told.

Belongs here: placing it by a person, a record or a request, and lifting it. Does not belong here: that a
restricted record is out of models (test_out_of_use.py).
"""

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from retention import holds
from retention.errors import Refused, UsageError
from retention.purge import execute
from retention.rights.out_of_use import restriction
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.factories import Shop, today
from tests.logins import Logins
from tests.rights import token_of, verified_request

pytestmark = pytest.mark.integration


@pytest.fixture
def overdue(shop: Shop) -> Shop:
    """Persons 1 and 2, overdue as a whole."""
    shop.person(1)
    shop.person(2)
    shop.classify()
    return shop


def restricted(settings: Settings, **whom: str) -> UUID:
    return restriction.restrict(
        settings, reason="she contests the data", authority="GDPR art. 18(1)(a)", **whom
    )


def standing(shop: Shop, blocker: UUID) -> bool:
    found: bool = shop.one(
        "select released_at is null from ledger.blockers where blocker_id = %s", blocker
    )
    return found


def test_no_purge_takes_what_is_restricted_however_overdue(overdue: Shop) -> None:
    plan = overdue.approve(overdue.plan())
    restricted(overdue.settings, person=str(token_of(overdue, 1)))
    execute(overdue.settings, plan.plan_id)
    assert overdue.keys("person") == {"1"}
    assert overdue.tables_with(1) >= {"person", "lead", "contact", "mail", "recording"}
    assert overdue.plan().state == "empty"


def test_one_record_of_a_person_is_restricted_alone(overdue: Shop, logins: Logins) -> None:
    placed = restricted(
        logins.of("rights_officer"), person="shop.person:1", record="shop.contact:1"
    )
    assert overdue.one("select target from ledger.blockers where blocker_id = %s", placed) == (
        "shop.contact:1"
    )


def test_a_record_of_somebody_elses_is_refused(overdue: Shop) -> None:
    with pytest.raises(UsageError, match="not the person's"):
        restricted(overdue.settings, person="shop.person:1", record="shop.contact:2")


def test_a_request_is_carried_out_by_its_restriction(overdue: Shop, logins: Logins) -> None:
    request = verified_request(overdue, 1, right="restriction")
    restriction.restrict(
        logins.of("rights_officer"), request_id=request, reason="r", authority="GDPR art. 18"
    )
    assert overdue.one("select state from ledger.requests where request_id = %s", request) == (
        "carried_out"
    )
    assert overdue.one("select target from ledger.blockers where kind = 'restriction'") == str(
        token_of(overdue, 1)
    )


def test_a_request_restricts_no_record_of_somebody_elses(overdue: Shop) -> None:
    """Nor is its person told that it was granted."""
    request = verified_request(overdue, 1, right="restriction")
    with pytest.raises(UsageError, match="not the person's"):
        restriction.restrict(
            overdue.settings,
            request_id=request,
            record="shop.contact:2",
            reason="r",
            authority="GDPR art. 18",
        )
    assert overdue.one("select state from ledger.requests where request_id = %s", request) == (
        "identity_verified"
    )
    assert overdue.one("select count(*) from ledger.blockers where kind = 'restriction'") == 0


def test_a_request_for_something_else_restricts_nothing(overdue: Shop) -> None:
    request = verified_request(overdue, 1, right="access")
    with pytest.raises(UsageError, match="no request for a restriction"):
        restriction.restrict(overdue.settings, request_id=request, reason="r", authority="a")
    assert overdue.one("select count(*) from ledger.blockers where kind = 'restriction'") == 0


# --- lifting -------------------------------------------------------------------------------------


def test_it_is_not_lifted_before_the_person_was_told(overdue: Shop) -> None:
    placed = restricted(overdue.settings, person="shop.person:1")
    with pytest.raises(Refused, match=r"GDPR art. 18\(3\)"):
        restriction.lift(overdue.settings, placed, told_on=None, how=None)
    with pytest.raises(Refused, match=r"GDPR art. 18\(3\)"):
        holds.release(overdue.settings, placed)
    assert standing(overdue, placed)


def test_a_notice_of_the_same_transaction_is_no_notice(overdue: Shop) -> None:
    """It could be undone with what it allowed."""
    placed = restricted(overdue.settings, person="shop.person:1")
    with connect(overdue.settings) as conn:
        conn.execute(
            "select ledger.log_restriction_notice(%s, ledger.today(), 'letter')", (placed,)
        )
        with pytest.raises(psycopg.Error, match="once the person was told"):
            conn.execute("select ledger.lift_restriction(%s)", (placed,))
        conn.rollback()
    assert standing(overdue, placed)


def test_told_it_is_lifted_and_the_records_are_due_again(overdue: Shop, logins: Logins) -> None:
    officer = logins.of("rights_officer")
    placed = restricted(officer, person="shop.person:1")
    restriction.lift(officer, placed, told_on=today(overdue.conn), how="letter")
    assert not standing(overdue, placed)
    kinds = overdue.conn.execute(
        "select kind from ledger.entries where kind ~ 'blocker|_notice$' order by entry_id"
    ).fetchall()
    overdue.conn.rollback()
    assert kinds == [("blocker_placed",), ("restriction_notice",), ("blocker_released",)]
    overdue.classify()
    execute(overdue.settings, overdue.approve(overdue.plan()).plan_id)
    assert overdue.keys("person") == set()


def test_a_notice_is_of_its_restriction_and_of_a_day_that_can_be(overdue: Shop) -> None:
    day = today(overdue.conn)
    placed = restricted(overdue.settings, person="shop.person:1")
    other = restricted(overdue.settings, person="shop.person:2")
    held = overdue.hold("subject", "shop.person:1")
    for wrong, told_on in ((placed, day + timedelta(days=1)), (placed, day - timedelta(days=1))):
        with pytest.raises(UsageError, match="mend the day"):
            restriction.tell(overdue.settings, wrong, told_on=told_on, how="letter")
    with pytest.raises(UsageError, match="only of the end of a restriction"):
        restriction.tell(overdue.settings, held, told_on=day, how="letter")
    restriction.tell(overdue.settings, other, told_on=day, how="letter")
    with pytest.raises(Refused, match="once the person was told"):
        restriction.lift(overdue.settings, placed, told_on=None, how=None)
    with pytest.raises(UsageError, match="both --told-on and --how"):
        restriction.lift(overdue.settings, placed, told_on=day, how=None)


def test_a_hold_ends_as_before_and_not_by_lifting(overdue: Shop, logins: Logins) -> None:
    held = overdue.hold("subject", "shop.person:1")
    with pytest.raises(UsageError, match="this is no restriction"):
        restriction.lift(logins.of("rights_officer"), held, told_on=None, how=None)
    assert standing(overdue, held)
    holds.release(overdue.settings, held)
    assert not standing(overdue, held)
