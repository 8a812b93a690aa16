"""Carrying out what was decided: first what no decision lets go, then what it does.

Belongs here: plans of scope decided, their approval by the decisions, and their purge. Does not belong
here: what is decided (test_erasure_decisions.py) and what every purge refuses (test_purge.py).
"""

from typing import Any
from uuid import UUID

import pytest

from orchestration.decided import plan_decided
from retention.errors import Refused
from retention.ledger import entries
from retention.plan import Plan, approve, create_decided, create_unattended, of_last_night
from retention.purge import execute
from retention.purge.guards import HELD, OTHERWISE
from retention.purge.live import CHANGED
from retention.purge.reclassified import OVERDUE_NO_MORE
from retention.report import deletion
from retention.rights.erasure import carry_out, decide, decide_record, settle
from retention.rights.model import Outcome
from tests.erasures import Officer, drop_officer, make_officer, outcomes, statuses
from tests.factories import Shop

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PERSONS_TABLES = {"person", "lead", "contact", "mail", "recording", "visit"}


def run(shop: Shop, statement: str, *values: Any) -> None:
    shop.conn.execute(statement.encode(), values)
    shop.conn.commit()


def decided_and_classified(shop: Shop, officer: Officer, *persons: int) -> list[UUID]:
    """Requests of these persons, decided, and the records classified since."""
    shop.classify()
    requests = [officer.request(person) for person in persons]
    decide(officer.settings, requests)
    shop.classify()
    return requests


def tables_of(plan: Plan) -> set[str]:
    return {count.table.removeprefix("shop.") for count in plan.counts}


def charge(shop: Shop, key: str) -> dict[str, Any]:
    row = shop.one("select to_jsonb(c) from shop.charge as c where id = %s", key)
    assert isinstance(row, dict)
    return row


def end_locks(shop: Shop) -> None:
    """Let the hindrances of all locks have ended yesterday."""
    run(
        shop,
        "update ledger.blockers set from_on = from_on - 9, until_on = ledger.today() - 1"
        " where kind = 'lock'",
    )
    run(
        shop,
        "update ledger.erasure_decisions set until_on = ledger.today() - 1 where until_on is not null",
    )


# --- what no decision lets go -------------------------------------------------------------------


def test_without_a_decision_there_is_no_such_plan(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    assert plan_decided(shop.settings) is None
    assert create_decided(shop.settings).state == "empty"


def test_only_what_was_decided_is_planned(shop: Shop, officer: Officer) -> None:
    shop.person(1, overdue=False)
    shop.person(2)
    shop.customer(3, overdue=False)
    decided_and_classified(shop, officer, 1, 3)
    plan = create_decided(shop.settings)
    assert plan.state == "approved"
    assert plan.items == 2 * len(PERSONS_TABLES)
    result = execute(shop.settings, plan.plan_id)
    assert (result.purged, result.skipped) == (2 * len(PERSONS_TABLES), {})
    assert shop.tables_with(1) == set()
    assert shop.tables_with(2) == PERSONS_TABLES
    assert shop.tables_with(3) == {"assignment", "document", "party"}
    assert shop.keys("person") == {"2"}


@pytest.mark.parametrize("kind", ["hold", "restriction"])
@pytest.mark.parametrize(
    ("scope", "target"), [("subject", "shop.person:1"), ("record", "shop.contact:1")]
)
def test_what_is_blocked_since_is_not_purged(
    shop: Shop, officer: Officer, kind: Any, scope: Any, target: str
) -> None:
    shop.person(1, overdue=False)
    decided_and_classified(shop, officer, 1)
    plan = create_decided(shop.settings)
    shop.hold(scope, target, kind=kind)
    execute(shop.settings, plan.plan_id)
    assert "1" in shop.keys("contact")
    assert shop.outcome(plan)[HELD] >= 1


def test_what_is_held_before_the_plan_is_not_planned(shop: Shop, officer: Officer) -> None:
    shop.person(1, overdue=False)
    decided_and_classified(shop, officer, 1)
    shop.hold("subject", "shop.person:1")
    plan = create_decided(shop.settings)
    assert plan.items == 0
    assert plan.waiting == {"held, restricted or locked since the classification": 6}


def test_a_pending_request_of_another_right_holds_what_was_decided(
    shop: Shop, officer: Officer
) -> None:
    """Art. 15 before art. 17: nothing vanishes before it was answered."""
    shop.person(1, overdue=False)
    shop.classify()
    officer.request(1, "access")
    decide(officer.settings, [officer.request(1)])
    shop.classify()
    assert create_decided(shop.settings).items == 0


def test_a_record_whose_facts_changed_since_is_skipped(shop: Shop, officer: Officer) -> None:
    shop.person(1, overdue=False)
    decided_and_classified(shop, officer, 1)
    plan = create_decided(shop.settings)
    shop.add("contact", person_id=1)
    execute(shop.settings, plan.plan_id)
    assert shop.tables_with(1) == PERSONS_TABLES
    assert shop.outcome(plan) == {CHANGED: len(PERSONS_TABLES)}


def test_an_erasure_that_was_taken_back_is_not_carried_out(shop: Shop, officer: Officer) -> None:
    """Before the plan and after its approval."""
    shop.person(1, overdue=False)
    (request,) = decided_and_classified(shop, officer, 1)
    told: dict[str, Any] = {"reason": "she took it back", "law": "GDPR art. 17(1)"}
    decide_record(officer.settings, request, "shop.contact:1", Outcome.REFUSE, **told)
    plan = create_decided(shop.settings)
    assert "contact" not in tables_of(plan)
    decide_record(officer.settings, request, "shop.recording:1", Outcome.REFUSE, **told)
    execute(shop.settings, plan.plan_id)
    assert "1" in shop.keys("contact")
    assert "1" in shop.keys("recording")
    assert shop.outcome(plan)[OTHERWISE] == 1


def test_the_delete_itself_refuses_what_is_covered_no_more(
    shop: Shop, officer: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the batch's own look taken out, the database still refuses."""
    shop.person(1, overdue=False)
    (request,) = decided_and_classified(shop, officer, 1)
    plan = create_decided(shop.settings)
    told: dict[str, Any] = {"reason": "she took it back", "law": "GDPR art. 17(1)"}
    decide_record(officer.settings, request, "shop.contact:1", Outcome.REFUSE, **told)
    monkeypatch.setattr("retention.purge.guards.skip_guarded", lambda *_: None)
    with pytest.raises(Refused, match="decided otherwise"):
        execute(shop.settings, plan.plan_id)
    assert shop.tables_with(1) == PERSONS_TABLES


def test_whoever_plans_does_not_approve_by_deciding(shop: Shop) -> None:
    """One login that decides and plans: the plan waits for another one's approval."""
    both = make_officer(
        shop.conn,
        shop.settings,
        f"{shop.conn.info.dbname}_both",
        "retention_planner",
        "retention_purger",
    )
    try:
        shop.person(1, overdue=False)
        shop.classify()
        decide(both.settings, [both.request(1)])
        shop.classify()
        planned = shop.one("select session_user::text")
        run(shop, "update ledger.erasure_decisions set decided_by = session_user")
        run(shop, "grant retention_rights_officer to current_user")
        plan = create_decided(shop.settings)
        assert plan.state == "proposed"
        assert plan.refusals == (f"{planned} decided and planned: another login approves it",)
        with pytest.raises(Refused):
            execute(shop.settings, plan.plan_id)
        assert approve(shop.approver, plan.plan_id, plan.digest).approval_kind == "person"
    finally:
        run(shop, "revoke retention_rights_officer from current_user")
        drop_officer(shop.conn, both)


def test_whoever_is_an_officer_no_more_approves_nothing(shop: Shop, officer: Officer) -> None:
    shop.person(1, overdue=False)
    decided_and_classified(shop, officer, 1)
    run(shop, f"revoke retention_rights_officer from {officer.name}")
    plan = create_decided(shop.settings)
    assert plan.state == "proposed"
    assert "no more: a person approves it" in plan.refusals[-1]


def test_a_rule_that_nobody_approved_approves_nothing(shop: Shop, officer: Officer) -> None:
    shop.person(1, overdue=False)
    decided_and_classified(shop, officer, 1)
    run(
        shop,
        "update policy.policy_rules set mark = 'law', approval = 'example' where rule_id = 'ERASURE'",
    )
    plan = create_decided(shop.settings)
    assert plan.refusals == ("nobody approved the policy's rule ERASURE: a person decides",)


def test_a_decision_approves_no_other_plan(shop: Shop, officer: Officer) -> None:
    shop.person(1, overdue=False)
    shop.person(2)
    decided_and_classified(shop, officer, 1)
    plan = shop.plan()
    refusal = shop.one("select ledger.approve_decided(%s)", plan.plan_id)
    assert "no plan of what was decided" in refusal
    run(
        shop,
        "update ledger.plans set state = 'approved', approval_kind = 'decision', approved_by = 'x'"
        " where plan_id = %s",
        plan.plan_id,
    )
    run(
        shop,
        "select ledger.append('approval', jsonb_build_object('plan_id', plan_id, 'digest', digest,"
        " 'kind', 'decision')) from ledger.plans where plan_id = %s",
        plan.plan_id,
    )
    with pytest.raises(Refused, match="what was decided alone"):
        execute(shop.settings, plan.plan_id)
    assert shop.tables_with(2) == PERSONS_TABLES


def test_a_locked_row_stays_when_its_columns_go(shop: Shop, officer: Officer) -> None:
    """Of the charge two columns become null; the row, and whatever else is locked, stays bit for bit."""
    shop.buyer(1, overdue=False)
    shop.customer(2, overdue=False)
    (request, _) = decided_and_classified(shop, officer, 1, 2)
    assert statuses(shop)[("charge", "ch_1")] == "locked"
    plan = create_decided(shop.settings)
    result = execute(shop.settings, plan.plan_id)
    assert result.minimised == 1
    emptied = charge(shop, "ch_1")
    assert (emptied["receipt_email"], emptied["note"]) == (None, None)
    assert (emptied["buyer"], emptied["amount"]) == ("Navn 1", charge(shop, "ch_1")["amount"])
    assert shop.tables_with(2) == {"assignment", "document", "party"}
    shop.classify()
    assert statuses(shop)[("charge", "ch_1")] == "locked"
    assert create_decided(shop.settings).items == 0
    assert outcomes(shop, request) == {("charge", "ch_1"): "minimise"}


@pytest.mark.parametrize("kind", ["hold", "restriction", "lock"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_any_other_blocker_on_the_locked_row_keeps_its_columns(
    shop: Shop, officer: Officer, kind: Any, when: str
) -> None:
    """Only the lock of the decision itself lets go of columns."""
    shop.buyer(1, overdue=False)
    decided_and_classified(shop, officer, 1)
    options = {"until_on": shop.one("select ledger.today() + 10")} if kind == "lock" else {}
    plan = create_decided(shop.settings) if when == "after" else None
    shop.hold("record", "shop.charge:ch_1", kind=kind, **options)
    plan = plan or create_decided(shop.settings)
    execute(shop.settings, plan.plan_id)
    assert charge(shop, "ch_1")["note"] == "ring meg"


def test_the_lock_of_a_minimised_row_keeps_the_row(shop: Shop, officer: Officer) -> None:
    """An ordinary plan that holds the row, from before the decision, does not delete it."""
    shop.buyer(1, overdue=False)
    shop.judge("charge", "ch_1", "overdue")
    shop.classify()
    plan = shop.approve(shop.plan())
    shop.judged.clear()
    shop.classify()
    decide(officer.settings, [officer.request(1)])
    run(shop, "update retention.records set status = 'overdue' where source_table = 'charge'")
    execute(shop.settings, plan.plan_id)
    assert "ch_1" in shop.keys("charge")
    assert shop.outcome(plan)[HELD] == 1


def test_a_lock_that_ended_waits_where_something_else_hinders_now(
    shop: Shop, officer: Officer
) -> None:
    """A claim that arose since keeps the file; only a person can say what that means."""
    shop.customer(1, overdue=False)
    decided_and_classified(shop, officer, 1)
    end_locks(shop)
    shop.stand("document", 1, "R4", shop.one("select ledger.today() + 900"))
    shop.overdue.add(1)
    shop.classify()
    plan = create_decided(shop.settings)
    assert "document" not in tables_of(plan)


# --- what a decision lets go --------------------------------------------------------------------


def test_a_lock_that_ended_is_purged_by_the_refusal(shop: Shop, officer: Officer) -> None:
    shop.customer(1, overdue=False)
    decided_and_classified(shop, officer, 1)
    execute(shop.settings, create_decided(shop.settings).plan_id)
    assert shop.tables_with(1) == {"assignment", "document", "party"}
    end_locks(shop)
    run(shop, "update intermediate.int_record_grounds set last_day = ledger.today() - 1")
    shop.overdue.add(1)
    shop.classify()
    plan = create_decided(shop.settings)
    assert (plan.state, plan.approval_kind) == ("approved", "decision")
    assert tables_of(plan) == {"assignment", "document", "party"}
    execute(shop.settings, plan.plan_id)
    assert shop.tables_with(1) == set()
    assert (
        shop.one("select count(*) from ledger.blockers where target is not null and kind = 'lock'")
        == 0
    )


def test_the_approval_names_who_decided_and_the_report_proves_it(
    shop: Shop, officer: Officer
) -> None:
    shop.person(1, overdue=False)
    decided_and_classified(shop, officer, 1)
    plan = create_decided(shop.settings)
    assert (plan.scope, plan.approved_by) == ("decided", f"the decisions of {officer.name}")
    (approval,) = entries.of_plan(shop.conn, plan.plan_id, "approval")
    shop.conn.commit()
    assert approval.content["checked"] == {
        "records": plan.items,
        "by_withdrawal": 0,
        "deciders": [{"decided_by": officer.name, "records": plan.items}],
    }
    execute(shop.settings, plan.plan_id)
    deletion.write(shop.settings, plan.plan_id)
    report = deletion.build(shop.settings, plan.plan_id)
    assert report["approval"]["kind"] == "decision"
    assert {count["rule_id"] for count in report["plan"]["counts"]} == {"ERASURE"}


def test_the_other_plans_of_a_night_leave_it_to_this_one(shop: Shop, officer: Officer) -> None:
    shop.person(1)
    shop.person(2)
    decided_and_classified(shop, officer, 1)
    ordinary = shop.plan()
    assert ordinary.items == len(PERSONS_TABLES)
    assert ordinary.waiting == {"it stands in the plan of what was decided": len(PERSONS_TABLES)}
    run(shop, "update policy.policy_rules set unattended = true")
    assert create_unattended(shop.settings).items == 0
    made = plan_decided(shop.settings)
    assert made is not None
    assert made.items == len(PERSONS_TABLES)
    assert [plan.scope for plan in of_last_night(shop.settings)] == [
        *("ordinary", "decided", "unattended"),
    ]


def test_a_purge_forgets_which_records_were_decided(shop: Shop, officer: Officer) -> None:
    shop.person(1, overdue=False)
    (request,) = decided_and_classified(shop, officer, 1)
    execute(shop.settings, create_decided(shop.settings).plan_id)
    assert outcomes(shop, request) == {}
    assert shop.one(
        "select count(*) from ledger.erasure_decisions where carried_out_at is not null"
    ) == len(PERSONS_TABLES)


def test_a_request_is_carried_out_when_nothing_of_it_is_left(shop: Shop, officer: Officer) -> None:
    shop.buyer(1, overdue=False)
    (request,) = decided_and_classified(shop, officer, 1)
    assert settle(shop.settings) == 0
    started = carry_out(shop.settings, request)
    assert started.plan is not None
    assert sum(count.waiting for count in started.waiting) == 8
    execute(shop.settings, started.plan.plan_id)
    done = carry_out(shop.settings, request)
    assert (done.is_finished, done.plan, done.waiting) == (True, None, ())
    assert shop.one("select state from ledger.requests") == "carried_out"


def test_what_a_person_still_has_to_decide_keeps_the_request_open(
    shop: Shop, officer: Officer
) -> None:
    shop.person(1, overdue=False)
    shop.stand("contact", 1, "R4", None, "assignment: its type has no period")
    (request,) = decided_and_classified(shop, officer, 1)
    execute(shop.settings, create_decided(shop.settings).plan_id)
    assert not carry_out(shop.settings, request).is_finished
    decide_record(officer.settings, request, "shop.contact:1", Outcome.ERASE, reason="no claim")
    shop.classify()
    execute(shop.settings, create_decided(shop.settings).plan_id)
    assert carry_out(shop.settings, request).is_finished


def test_columns_that_a_sync_restored_go_again(shop: Shop, officer: Officer) -> None:
    shop.buyer(1, overdue=False)
    decided_and_classified(shop, officer, 1)
    execute(shop.settings, create_decided(shop.settings).plan_id)
    run(shop, "update shop.charge set note = 'igjen'")
    shop.classify()
    assert create_decided(shop.settings).items == 1


def test_a_day_later_the_plan_is_judged_anew(shop: Shop, officer: Officer) -> None:
    """Held by judgement in the classification of the day of the purge: skipped, and said."""
    shop.person(1, overdue=False)
    decided_and_classified(shop, officer, 1)
    plan = create_decided(shop.settings)
    shop.judge("contact", 1, "held")
    shop.classify()
    execute(shop.settings, plan.plan_id)
    assert "1" in shop.keys("contact")
    assert shop.outcome(plan)[OVERDUE_NO_MORE] >= 1
