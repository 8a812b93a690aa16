"""What an approver may answer besides yes and no: extending a case, and moving it to review.

Belongs here: taking cases out of a proposed plan, and what is left of it. Does not belong here: what the
models make of such a decision (dbt's unit tests), and carrying out (test_purge.py).
"""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from retention import review
from retention.errors import Refused, UsageError
from retention.ledger import entries
from retention.plan import Plan, amend, show
from retention.purge import execute
from tests.factories import Shop

pytestmark = pytest.mark.integration


def left(shop: Shop, plan: Plan) -> set[tuple[str, str]]:
    rows = shop.conn.execute(
        "select source_table, record_key from ledger.plan_items"
        " where plan_id = %s and state = 'planned'",
        (plan.plan_id,),
    ).fetchall()
    shop.conn.commit()
    return set(rows)


def decisions(shop: Shop) -> set[tuple[str, str, str]]:
    rows = shop.conn.execute(
        "select source_table, decision, decided_by from ledger.review_decisions"
        " where plan_id is not null"
    ).fetchall()
    shop.conn.commit()
    return set(rows)


def answer(shop: Shop, plan: Plan, table: str, key: str, **options: Any) -> Plan:
    values = {"reason": "asked for time", **options}
    return amend(shop.approver, plan.plan_id, table=f"shop.{table}", record_key=key, **values)


def later(shop: Shop, days: int = 90) -> Any:
    return shop.one("select ledger.today()") + timedelta(days=days)


PERSON = {"person", "lead", "contact", "mail", "recording", "visit"}


# --- who may, and on what -----------------------------------------------------------------------


@pytest.fixture
def plan(shop: Shop) -> Plan:
    shop.person(1)
    shop.person(2)
    shop.classify()
    return shop.plan()


def test_the_planner_is_refused_and_the_plan_stays_as_it_was(shop: Shop, plan: Plan) -> None:
    with pytest.raises(Refused, match="may not change a plan"):
        amend(shop.settings, plan.plan_id, table="shop.person", record_key="1", reason="r")
    role = sql.Identifier(plan.planned_by)
    shop.conn.execute(sql.SQL("grant retention_approver to {}").format(role))
    shop.conn.commit()
    try:
        with pytest.raises(Refused, match="same login"):
            amend(shop.settings, plan.plan_id, table="shop.person", record_key="1", reason="r")
    finally:
        shop.conn.execute(sql.SQL("revoke retention_approver from {}").format(role))
        shop.conn.commit()
    assert show(shop.settings, plan.plan_id).digest == plan.digest
    assert len(entries.of_plan(shop.conn, plan.plan_id, "refusal")) == 2
    assert decisions(shop) == set()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("update ledger.plans set state = 'superseded'", "is superseded"),
        ("update ledger.plans set expires_on = ledger.today() - 1", "expired"),
        ("delete from ledger.plan_items where item_no = 1", "rows were changed"),
        ("update ledger.classifications set finished_at = null", "is going on"),
    ],
)
def test_a_plan_that_could_not_be_approved_cannot_be_changed(
    shop: Shop, plan: Plan, change: str, words: str
) -> None:
    shop.conn.execute(change.encode())
    shop.conn.commit()
    with pytest.raises(Refused, match=words):
        answer(shop, plan, "person", "2")
    assert decisions(shop) == set()


def test_an_approved_plan_is_no_longer_changed(shop: Shop, plan: Plan) -> None:
    shop.approve(plan)
    with pytest.raises(Refused, match="the plan is approved"):
        answer(shop, plan, "person", "1")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reason": " "}, "needs a reason"),
        ({"days": -1}, "has passed"),
        ({"key": "3"}, "holds no such record"),
        ({"table": "charge"}, "holds no such record"),
    ],
)
def test_wrong_usage_changes_nothing(
    shop: Shop, plan: Plan, options: dict[str, Any], words: str
) -> None:
    values = {"table": "person", "key": "1", **options}
    if "days" in values:
        values["keep_until"] = later(shop, values.pop("days"))
    with pytest.raises(UsageError, match=words):
        answer(shop, plan, values.pop("table"), values.pop("key"), **values)
    assert show(shop.settings, plan.plan_id).digest == plan.digest
    assert decisions(shop) == set()


def test_a_purger_cannot_change_a_plan(shop: Shop, plan: Plan) -> None:
    shop.conn.execute("set local role retention_purger")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        shop.conn.execute(
            "select ledger.amend_plan(%s, 'shop', 'person', '1', 'review', 'r', null, '[]')",
            (plan.plan_id,),
        )
    shop.conn.rollback()


# --- what leaves the plan -----------------------------------------------------------------------


def test_a_case_that_is_extended_leaves_with_all_its_records(shop: Shop, plan: Plan) -> None:
    until = later(shop)
    amended = answer(shop, plan, "recording", "1", keep_until=until, reason="Kari ringte")
    assert (amended.state, amended.items) == ("proposed", plan.items - 6)
    assert {key for table, key in left(shop, plan) if table != "visit"} == {"2"}
    assert decisions(shop) == {(table, "keep", "approver") for table in PERSON}
    assert shop.one("select count(distinct keep_until) from ledger.review_decisions") == 1
    assert sum(count.records for count in amended.counts) == 6
    gone = shop.one(
        "select count(*) from ledger.plan_items where state = 'withdrawn'"
        " and record_key is null and case_id is null and subject_token is null"
    )
    assert gone == 6
    (entry,) = entries.of_plan(shop.conn, plan.plan_id, "plan_amended")
    assert (entry.content["old_digest"], entry.content["new_digest"]) == (
        plan.digest,
        amended.digest,
    )
    assert (entry.content["decided"], entry.content["items"]) == (6, 6)
    assert "Kari" not in entry.body


def test_only_the_new_digest_can_be_approved(shop: Shop, plan: Plan) -> None:
    amended = answer(shop, plan, "person", "1")
    assert amended.digest != plan.digest
    with pytest.raises(Refused, match="the digest is not this plan's"):
        shop.approve(plan)
    shop.approve(amended)
    assert execute(shop.settings, plan.plan_id).purged == 6
    assert shop.tables_with(1) == PERSON
    assert shop.keys("person") == {"1"}


def test_an_item_put_back_after_the_amendment_is_found_out(shop: Shop, plan: Plan) -> None:
    amended = answer(shop, plan, "person", "1")
    shop.conn.execute(
        "update ledger.plan_items set state = 'planned', record_key = '1',"
        " case_id = 'shop.person:1', guard_keys = '{}'"
        " where state = 'withdrawn' and source_table = 'person'"
    )
    shop.conn.commit()
    with pytest.raises(Refused, match="rows were changed"):
        shop.approve(amended)


def test_a_plan_of_which_nothing_is_left_is_empty(shop: Shop, plan: Plan) -> None:
    answer(shop, plan, "person", "1")
    emptied = answer(shop, plan, "person", "2")
    assert (emptied.state, emptied.items) == ("empty", 0)


def test_an_assignment_leaves_with_what_follows_it_and_what_shows_it(shop: Shop) -> None:
    """Its own rows, its documents and a third person's; the person's row and contacts show why these
    stay, so that they leave too; what only supports the person may go."""
    shop.customer(1)
    shop.customer(2)
    shop.classify()
    plan = shop.plan()
    amended = answer(shop, plan, "document", "1")
    assert {table for table, _, _ in decisions(shop)} == {"assignment", "document", "party"}
    one = {(t, k) for t, k in left(shop, plan) if k in ("1", "party-1") or k.startswith('["1"')}
    assert {table for table, _ in one} == {"lead", "recording", "visit"}
    (entry,) = entries.of_plan(shop.conn, plan.plan_id, "plan_amended")
    assert (entry.content["decided"], entry.content["waiting_for_them"]) == (4, 3)
    assert amended.items == plan.items - 7
    shop.approve(amended)
    assert execute(shop.settings, plan.plan_id).skipped == {}
    assert shop.tables_with(1) >= {"person", "contact", "mail", "assignment", "document", "party"}
    assert shop.tables_with(2) == set()


def test_a_third_persons_record_takes_its_assignment_along(shop: Shop) -> None:
    shop.customer(1)
    shop.classify()
    plan = shop.plan()
    answer(shop, plan, "party", "party-1")
    assert {table for table, _, _ in decisions(shop)} == {"assignment", "document", "party"}


def test_a_lead_that_is_kept_keeps_the_others_of_its_hand_over(shop: Shop) -> None:
    shop.person(1)
    shop.add("lead", id=11, person_id=1)
    shop.classify()
    plan = shop.plan()
    answer(shop, plan, "lead", "11")
    assert left(shop, plan) == set()


def test_another_plan_skips_what_was_taken_out_of_this_one(shop: Shop) -> None:
    """The same records stand in a plan that was approved before."""
    shop.person(1)
    approved = shop.approved_plan()
    answer(shop, shop.plan(), "person", "1")
    result = execute(shop.settings, approved.plan_id)
    assert (result.purged, result.skipped) == (0, {"decided in review since it was planned": 6})
    assert shop.tables_with(1) == PERSON


def test_what_was_moved_to_review_can_be_decided(shop: Shop, plan: Plan) -> None:
    answer(shop, plan, "person", "1")
    decided = review.decide(
        shop.settings, table="shop.person", record_key="1", decision="purge", reason="looked at"
    )
    assert shop.one(
        "select plan_id is null from ledger.review_decisions where decision_id = %s", decided
    )


# --- columns that are due of a record that stays --------------------------------------------------


@pytest.mark.parametrize("named", [("person", "1"), ("charge", "ch_1")])
@pytest.mark.parametrize("kept", [True, False])
def test_what_is_taken_out_keeps_its_columns_too(
    shop: Shop, named: tuple[str, str], kept: bool
) -> None:
    shop.buyer(1)
    shop.buyer(2)
    shop.classify()
    plan = shop.plan()
    until = {"keep_until": later(shop)} if kept else {}
    amended = answer(shop, plan, *named, **until)
    assert ("charge", "ch_1") not in left(shop, amended)
    assert ("charge", "keep" if kept else "review") in {one[:2] for one in decisions(shop)}
    assert amended.digest != plan.digest
    assert [c.records for c in amended.counts if c.disposition == "minimise"] == [1]
    execute(shop.settings, shop.approve(amended).plan_id)
    notes = shop.conn.execute("select id, note from shop.charge order by id").fetchall()
    assert notes == [("ch_1", "ring meg"), ("ch_2", None)]
