"""Records that several persons share a contact point with: whoever of them is held, they are held; and
while one is not settled, none of its persons is purged.

Belongs here: what a plan and a purge do about candidates. Does not belong here: how a record is found
to be ambiguous, and its status (test_holds_classified.py).
"""

from collections.abc import Callable
from typing import Any

import pytest

from retention import holds
from retention.plan import Plan, preview
from retention.purge import execute
from retention.purge.guards import HELD
from retention.purge.live import CHANGED
from retention.purge.reclassified import CASE_CHANGED
from retention.warehouse.connection import connect
from tests.factories import Shop
from tests.integration.test_purge_races import in_background, wait_until_blocked

pytestmark = pytest.mark.integration

SHARED = "delt@shop.example"
BLOCKED = "held, restricted or locked since the classification"
IN_DOUBT = "a record that may be this person's is under review or held"


@pytest.fixture
def couple(shop: Shop) -> Shop:
    """Two overdue persons with one address, a mail from it and an account with a charge."""
    for number in (1, 2):
        shop.add("person", id=number, email=SHARED)
        shop.add("contact", id=number, person_id=number)
        shop.add("recording", id=number, person_id=number)
        shop.overdue.add(number)
    shop.add("mail", id=9, from_address=" DELT@shop.example")
    shop.add("account", id="acc_9", email=SHARED)
    shop.add("charge", id="ch_9", account_id="acc_9")
    return shop


def settle(shop: Shop) -> None:
    """Somebody has decided on the mail, the account and the charge: they are to go."""
    for table, key in (("mail", 9), ("account", "acc_9"), ("charge", "ch_9")):
        shop.judge(table, key, "overdue")


AMBIGUOUS = {("mail", "9"), ("account", "acc_9"), ("charge", "ch_9")}


def left(shop: Shop) -> set[tuple[str, str]]:
    """The ambiguous records that lie in landing."""
    return {(table, key) for table, key in AMBIGUOUS if key in shop.keys(table)}


def guard_keys(shop: Shop, plan: Plan, table: str) -> set[str]:
    keys: list[str] = shop.one(
        "select guard_keys from ledger.plan_items where plan_id = %s and source_table = %s",
        plan.plan_id,
        table,
    )
    return set(keys)


def test_what_is_settled_goes_and_its_persons_with_it(couple: Shop) -> None:
    settle(couple)
    plan = couple.approved_plan()
    execute(couple.settings, plan.plan_id)
    assert couple.outcome(plan) == {"purged": plan.items}
    assert couple.rows() == set()
    for relation in ("int_record_candidates", "int_record_cases"):
        assert couple.one(f"select count(*) from intermediate.{relation}") == 0


@pytest.mark.parametrize("status", ["review", "held", "restricted", "locked", "retained"])
def test_while_one_is_not_settled_its_persons_stay(couple: Shop, status: str) -> None:
    """Without one of them, the mail would become the other's and be judged by her facts."""
    settle(couple)
    couple.judge("mail", 9, status)
    couple.person(3)
    plan = couple.approved_plan()
    assert plan.waiting[IN_DOUBT] == 2
    assert preview(couple.settings).waiting == plan.waiting
    execute(couple.settings, plan.plan_id)
    assert couple.keys("person") == {"1", "2"}
    # What shows the relationship stays with the person; what does not goes.
    assert couple.keys("contact") == {"1", "2"}
    assert couple.keys("recording") == set()


def test_one_that_came_under_review_after_the_approval_keeps_its_persons(couple: Shop) -> None:
    settle(couple)
    plan = couple.approved_plan()
    couple.judge("mail", 9, "review")
    couple.classify()
    execute(couple.settings, plan.plan_id)
    assert couple.keys("person") == {"1", "2"}
    assert couple.keys("mail") == {"9"}


@pytest.mark.parametrize("person", [1, 2])
@pytest.mark.parametrize("kind", ["hold", "restriction", "lock"])
def test_whoever_is_blocked_blocks_what_may_be_hers(couple: Shop, person: int, kind: Any) -> None:
    settle(couple)
    couple.classify()
    until = couple.one("select ledger.today()") if kind == "lock" else None
    couple.hold("subject", f"shop.person:{person}", kind=kind, until_on=until)
    plan = couple.approve(couple.plan())
    assert plan.waiting[BLOCKED] == len(AMBIGUOUS) + 3
    execute(couple.settings, plan.plan_id)
    assert left(couple) == AMBIGUOUS


@pytest.mark.parametrize("person", [1, 2])
def test_a_hold_after_the_approval_reaches_them_by_the_guards(couple: Shop, person: int) -> None:
    settle(couple)
    plan = couple.approved_plan()
    tokens = {
        f"subject:{row[0]}"
        for row in couple.conn.execute("select subject_token from ledger.subject_tokens").fetchall()
    }
    couple.conn.commit()
    for table, _ in AMBIGUOUS:
        assert guard_keys(couple, plan, table) == {*tokens, f"table:shop.{table}"}
    couple.hold("subject", f"shop.person:{person}")
    execute(couple.settings, plan.plan_id)
    assert left(couple) == AMBIGUOUS
    assert couple.outcome(plan)[HELD] == len(AMBIGUOUS) + 3


@pytest.mark.parametrize("person", [1, 2])
def test_a_hold_being_placed_on_either_is_waited_for(couple: Shop, person: int) -> None:
    """Only the ambiguous records are planned here: the batch has no other reason to wait."""
    settle(couple)
    couple.overdue.clear()
    plan = couple.approved_plan()
    assert plan.items == len(AMBIGUOUS)
    with connect(couple.approver) as placer:
        placer.execute(
            "select ledger.place_blocker('hold', 'subject', %s, 'r', 'a')",
            (f"shop.person:{person}",),
        )
        with in_background(lambda: execute(couple.settings, plan.plan_id)) as purge:
            wait_until_blocked(couple, placer)
            placer.commit()
            assert purge.result(timeout=60).purged == 0
    assert left(couple) == AMBIGUOUS


def test_a_released_hold_keeps_nothing(couple: Shop) -> None:
    settle(couple)
    plan = couple.approved_plan()
    holds.release(couple.settings, couple.hold("subject", "shop.person:2"))
    execute(couple.settings, plan.plan_id)
    assert left(couple) == set()


def third_person(shop: Shop) -> None:
    shop.add("person", id=3, email=SHARED)


def moved_away(shop: Shop) -> None:
    shop.conn.execute("update shop.person set email = 'ny@shop.example' where id = 2")


def new_contact(shop: Shop) -> None:
    shop.add("contact", id=900, person_id=2)


def new_request(shop: Shop) -> None:
    shop.add("request", id=900, person_id=2)


@pytest.mark.parametrize("change", [third_person, moved_away, new_contact, new_request])
def test_what_lands_for_one_of_the_persons_is_seen(
    couple: Shop, change: Callable[[Shop], None]
) -> None:
    settle(couple)
    couple.overdue.clear()
    plan = couple.approved_plan()
    change(couple)
    couple.conn.commit()
    execute(couple.settings, plan.plan_id)
    assert couple.outcome(plan) == {CHANGED: len(AMBIGUOUS)}
    assert left(couple) == AMBIGUOUS


def test_a_person_who_became_one_of_them_since_the_plan_is_no_surprise(couple: Shop) -> None:
    """Her guard is not among the items': what was planned without her is not purged."""
    settle(couple)
    couple.overdue.clear()
    plan = couple.approved_plan()
    third_person(couple)
    couple.classify()
    execute(couple.settings, plan.plan_id)
    assert couple.outcome(plan) == {CASE_CHANGED: len(AMBIGUOUS)}


# --- later-landed records of a held person ------------------------------------------------------


def test_records_of_a_held_person_that_land_later_are_held(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    shop.hold("subject", "shop.person:1")
    shop.add("recording", id=77, person_id=1)
    shop.add("mail", id=77, from_address="person1@shop.example")
    shop.classify()
    plan = shop.plan()
    assert plan.items == 0
    assert plan.waiting == {BLOCKED: 8}


def test_a_mail_that_becomes_a_held_persons_after_the_approval_is_left_alone(shop: Shop) -> None:
    """Its case is nobody's when it is planned, and its guards know of no person."""
    shop.person(1, overdue=False)
    shop.add("mail", id=77, from_address="ny@shop.example")
    shop.judge("mail", 77, "overdue")
    plan = shop.approved_plan()
    assert plan.items == 1
    shop.hold("subject", "shop.person:1")
    shop.conn.execute("update shop.person set email = 'ny@shop.example' where id = 1")
    shop.conn.commit()
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan) == {CHANGED: 1}
    assert "77" in shop.keys("mail")


# --- each counter alone -------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["subject", "assignment"])
def test_the_persons_and_the_assignments_counter_each_keep_a_record_alone(
    shop: Shop, scope: str
) -> None:
    """A document bears both: its assignment is one person's, and either may be held."""
    shop.customer(1)
    shop.customer(2)
    plan = shop.approved_plan()
    keys: list[str] = shop.one(
        "select guard_keys from ledger.plan_items where source_table = 'document' and record_key = '1'"
    )
    assert {key.partition(":")[0] for key in keys} == {"subject", "assignment", "table"}
    (key,) = (key for key in keys if key.startswith(f"{scope}:"))
    changed = shop.conn.execute(
        "update ledger.guards set blockers = 1 where guard_key = %s", (key,)
    ).rowcount
    shop.conn.commit()
    assert changed == 1
    execute(shop.settings, plan.plan_id)
    assert shop.keys("document") == {"1"}
    assert shop.keys("assignment") == {"1"}
