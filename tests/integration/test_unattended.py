"""Purging without a person: first what the policy must not approve, then what it may.

Belongs here: plans of scope unattended, their approval and their place beside the ordinary plan. Does not
belong here: carrying out plans (test_purge.py) and what a person approves (test_approval.py).
"""

import json
from typing import Any

import psycopg
import pytest

from orchestration.unattended import plan_unattended
from retention.errors import Refused
from retention.ledger import entries
from retention.plan import (
    Plan,
    create_unattended,
    list_plans,
    of_last_night,
    show,
    unattended_objection,
)
from retention.purge import execute
from tests.factories import Shop

pytestmark = pytest.mark.integration


def run(shop: Shop, statement: str, *values: Any) -> None:
    shop.conn.execute(statement.encode(), values)
    shop.conn.commit()


def leads(shop: Shop) -> None:
    """Classify so that whoever has no assignment is a lead that never became a customer."""
    shop.classify()
    run(
        shop,
        """
        update retention.records as records
        set rule_id = 'R1', category = 'lead_partner'
        from intermediate.int_record_cases as cases
        where records.rule_id = 'R3' and cases.source_schema = records.source_schema
        and cases.source_table = records.source_table and cases.record_key = records.record_key
        and cases.subject_id not in (
            select subject_id from intermediate.int_record_cases
            where source_table = 'assignment' and subject_id is not null
        )
        """,
    )
    run(
        shop,
        """
        update intermediate.int_person_winners as winners set rule_id = 'R1'
        where subject_id not in (
            select subject_id from intermediate.int_record_cases
            where source_table = 'assignment' and subject_id is not null
        )
        """,
    )


@pytest.fixture
def night(shop: Shop) -> Shop:
    """Two leads that are due, and one that is not."""
    shop.person(1)
    shop.person(2)
    shop.person(3, overdue=False)
    leads(shop)
    return shop


def persons(shop: Shop, plan: Plan) -> set[str]:
    rows = shop.conn.execute(
        "select record_key from ledger.plan_items where plan_id = %s and source_table = 'person'",
        (plan.plan_id,),
    ).fetchall()
    shop.conn.commit()
    return {row[0] for row in rows}


# --- outside the blast radius nothing is approved -----------------------------------------------


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("most_records = 11", "12 records, at most 11 are allowed"),
        (
            "most_table_share_percent = 66",
            "6 tables would lose more than 66 percent, most of all 2 of the 3 rows of shop.contact:",
        ),
        ("at_most_days = 29", "overdue for 30 to 30 days, expected are 0 to 29"),
        ("at_least_days = 31", "overdue for 30 to 30 days, expected are 31 to 45"),
        ("never_purge = 'shop.other shop.mail'", "shop.mail is never purged unattended"),
        ("most_records = null", "12 records"),
    ],
)
def test_outside_a_limit_the_plan_waits_for_a_person(night: Shop, limit: str, words: str) -> None:
    run(night, f"update policy.policy_unattended set {limit}")
    plan = create_unattended(night.settings)
    assert (plan.state, plan.approved_by) == ("proposed", None)
    assert words in plan.refusals[-1]
    (refusal,) = entries.of_plan(night.conn, plan.plan_id, "refusal")
    assert refusal.content["of"] == "unattended approval"
    assert refusal.content["checked"]["records"] == 12
    with pytest.raises(Refused, match="the plan is proposed"):
        execute(night.settings, plan.plan_id)
    assert night.keys("person") == {"1", "2", "3"}
    assert night.approve(plan).approval_kind == "person"


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("update policy.policy_unattended set approval = 'none'", "nobody approved"),
        ("update policy.policy_unattended set approval = 'example'", "is an example"),
        ("update policy.policy_unattended set approval = null", "nobody approved"),
        ("delete from policy.policy_unattended", "nobody approved"),
        ("update policy.policy_rules set unattended = false", "marks no rule"),
    ],
)
def test_without_an_approved_section_nothing_is_planned_or_approved(
    night: Shop, section: str, words: str
) -> None:
    plan = create_unattended(night.settings)
    run(night, "update ledger.plans set state = 'proposed', approved_by = null")
    run(night, section)
    assert words in (unattended_objection(night.settings) or "")
    assert words in asked(night, plan)
    assert show(night.settings, plan.plan_id).state == "proposed"
    with pytest.raises(Refused, match=words):
        create_unattended(night.settings)
    assert len(list_plans(night.settings)) == 1


def test_an_example_counts_where_every_schema_bears_the_marker(night: Shop) -> None:
    run(night, "comment on schema shop is 'sletteplikt-sample {}'")
    run(night, "update policy.policy_unattended set approval = 'example', approved_by = null")
    leads(night)
    plan = create_unattended(night.settings)
    assert (plan.state, plan.approval_kind) == ("approved", "policy")
    assert (plan.approved_by or "").endswith(", an example approval of the sample")
    # Beside one schema of somebody's own it counts no more, not even for what was approved before.
    run(night, "create schema real_data")
    with pytest.raises(Refused, match="is an example"):
        execute(night.settings, plan.plan_id)
    assert night.keys("person") == {"1", "2", "3"}


def test_a_section_withdrawn_after_the_approval_stops_the_purge(night: Shop) -> None:
    plan = create_unattended(night.settings)
    run(night, "update policy.policy_unattended set approval = 'none'")
    with pytest.raises(Refused, match="nobody approved"):
        execute(night.settings, plan.plan_id)
    assert night.keys("person") == {"1", "2", "3"}


# --- cases that the policy leaves to a person ---------------------------------------------------

LEFT_TO_A_PERSON = {
    "an R3 record": "update retention.records set rule_id = 'R3' where {contact}",
    "a supporting record of a person under R3": (
        "update intermediate.int_person_winners set rule_id = 'R3' where subject_id = 'shop.person:1'"
    ),
    "a record under review": "update retention.records set status = 'review' where {recording}",
    "a held record": "update retention.records set status = 'held' where {recording}",
    "a locked record": "update retention.records set status = 'locked' where {recording}",
    "a lock that has ended": (
        "update retention.records set blocked_by = '{{lock:subject}}' where {recording}"
    ),
    "a record under no rule": "update retention.records set rule_id = null where {contact}",
}


@pytest.mark.parametrize("change", LEFT_TO_A_PERSON.values(), ids=LEFT_TO_A_PERSON)
def test_a_case_with_anything_for_a_person_is_left_to_one(night: Shop, change: str) -> None:
    where = {t: f"source_table = '{t}' and record_key = '1'" for t in ("contact", "recording")}
    run(night, change.format(**where))
    plan = create_unattended(night.settings)
    assert plan.state == "approved"
    assert persons(night, plan) == {"2"}
    assert night.one("select count(*) from ledger.plan_items where case_id = 'shop.person:1'") == 0
    execute(night.settings, plan.plan_id)
    assert night.keys("person") == {"1", "3"}
    assert night.tables_with(1) == {"person", "lead", "contact", "mail", "recording", "visit"}


@pytest.mark.parametrize("change", LEFT_TO_A_PERSON.values(), ids=LEFT_TO_A_PERSON)
def test_a_case_that_came_to_need_a_person_since_is_not_approved(night: Shop, change: str) -> None:
    plan = create_unattended(night.settings)
    run(night, "update ledger.plans set state = 'proposed', approved_by = null")
    where = {t: f"source_table = '{t}' and record_key = '1'" for t in ("contact", "recording")}
    run(night, change.format(**where))
    assert "1 of 2 cases hold what the policy leaves to a person" in asked(night, plan)
    assert show(night.settings, plan.plan_id).state == "proposed"


def test_a_hold_placed_after_the_policys_approval_is_kept(night: Shop) -> None:
    plan = create_unattended(night.settings)
    night.hold("subject", "shop.person:1")
    execute(night.settings, plan.plan_id)
    assert night.keys("person") == {"1", "3"}


def test_what_is_held_since_the_classification_is_not_planned(night: Shop) -> None:
    night.hold("subject", "shop.person:1")
    plan = create_unattended(night.settings)
    assert persons(night, plan) == {"2"}


def test_a_customer_is_left_to_a_person(shop: Shop) -> None:
    shop.customer(1)
    shop.person(2)
    leads(shop)
    assert persons(shop, create_unattended(shop.settings)) == {"2"}


# --- who approves -------------------------------------------------------------------------------


def asked(shop: Shop, plan: Plan) -> str:
    """The answer of the database, asked to approve in the policy's name."""
    answer: str = shop.one("select ledger.approve_unattended(%s)", plan.plan_id)
    shop.conn.commit()
    return answer


def test_an_ordinary_plan_is_never_approved_by_the_policy(night: Shop) -> None:
    plan = night.plan()
    assert "a person approves it" in asked(night, plan)
    assert show(night.settings, plan.plan_id).state == "proposed"


def test_an_ordinary_plan_that_is_called_unattended_is_found_out(night: Shop) -> None:
    plan = night.plan()
    run(night, "update ledger.plans set scope = 'unattended'")
    assert "rows were changed" in asked(night, plan)


def test_an_approval_of_the_policy_on_an_ordinary_plan_carries_nothing_out(night: Shop) -> None:
    plan = night.plan()
    night.approve(plan)
    run(night, "update ledger.plans set approval_kind = 'policy'")
    with pytest.raises(Refused, match="no evidence of its approval"):
        execute(night.settings, plan.plan_id)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("update ledger.plans set expires_on = ledger.today() - 1", "expired"),
        ("delete from ledger.plan_items where item_no = 1", "rows were changed"),
        ("update policy.policy_settings set policy_hash = 'another'", "policy changed"),
        ("update ledger.plans set state = 'rejected'", "is rejected"),
        ("update ledger.classifications set code_hash = 'another'", "changed since"),
    ],
)
def test_what_a_person_could_not_approve_the_policy_cannot(
    night: Shop, change: str, words: str
) -> None:
    plan = create_unattended(night.settings)
    run(night, "update ledger.plans set state = 'proposed', approved_by = null")
    run(night, change)
    assert words in asked(night, plan)


def test_an_approver_cannot_approve_in_the_policys_name(night: Shop) -> None:
    plan = night.plan()
    with (
        psycopg.connect(night.approver.database_url or "") as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute("select ledger.approve_unattended(%s)", (plan.plan_id,))


# --- what it may --------------------------------------------------------------------------------


def test_inside_the_radius_the_policy_approves_and_names_who_answers(night: Shop) -> None:
    plan = create_unattended(night.settings)
    assert (plan.scope, plan.state, plan.approval_kind) == ("unattended", "approved", "policy")
    assert plan.approved_by == f"policy {plan.policy_version}, approved by the board on 2026-01-02"
    (entry,) = entries.of_plan(night.conn, plan.plan_id, "approval")
    checked = entry.content["checked"]
    assert (checked["records"], checked["most_records"], checked["cases"]) == (12, 1000, 2)
    assert checked["overdue_days"] == {"least": 30, "most": 30, "at_least": 0, "at_most": 45}
    assert {"table": "shop.person", "records": 2, "table_rows": 3} in checked["tables"]
    assert entry.content["digest"] == plan.digest
    result = execute(night.settings, plan.plan_id)
    assert result.purged == 12
    assert night.keys("person") == {"3"}


def test_the_two_plans_of_a_night_stand_side_by_side(shop: Shop) -> None:
    shop.customer(1)
    shop.person(2)
    leads(shop)
    unattended, ordinary = create_unattended(shop.settings), shop.plan()
    assert [plan.scope for plan in of_last_night(shop.settings)] == ["ordinary", "unattended"]
    assert (persons(shop, unattended), persons(shop, ordinary)) == ({"2"}, {"1"})
    assert show(shop.settings, unattended.plan_id).state == "approved"
    again = create_unattended(shop.settings)
    assert show(shop.settings, ordinary.plan_id).state == "proposed"
    assert again.plan_id != unattended.plan_id
    shop.approve(ordinary)
    for plan in (unattended, ordinary):
        execute(shop.settings, plan.plan_id)
    assert shop.keys("person") == set()


def test_one_that_waits_for_a_person_keeps_its_records_out_of_the_other(night: Shop) -> None:
    run(night, "update policy.policy_unattended set most_records = 0")
    waits, ordinary = create_unattended(night.settings), night.plan()
    assert (waits.state, waits.items, ordinary.state) == ("proposed", 12, "empty")
    assert show(night.settings, waits.plan_id).state == "proposed"
    # The next night begins anew, whichever of the two is made.
    leads(night)
    assert night.plan().items == 12
    assert show(night.settings, waits.plan_id).state == "superseded"


def test_nothing_for_a_job_is_an_empty_plan(shop: Shop) -> None:
    shop.customer(1)
    leads(shop)
    plan = create_unattended(shop.settings)
    assert (plan.state, plan.items, plan.refusals) == ("empty", 0, ())


def test_somebody_is_told_of_a_plan_that_waits(night: Shop) -> None:
    plan_unattended(night.settings)
    assert not (night.settings.state / "notices.jsonl").exists()
    run(night, "update policy.policy_unattended set most_records = 11")
    plan = plan_unattended(night.settings)
    (line,) = (night.settings.state / "notices.jsonl").read_text(encoding="utf-8").splitlines()
    told = json.loads(line)
    assert told["plan_id"] == str(plan.plan_id)
    assert told["reason"] == plan.refusals[-1]


# --- columns that are due of a record that stays --------------------------------------------------


def test_a_ground_of_columns_that_is_not_marked_leaves_the_case_to_a_person(shop: Shop) -> None:
    shop.person(1)
    shop.buyer(2)
    leads(shop)
    plan = create_unattended(shop.settings)
    assert persons(shop, plan) == {"1"}
    assert {count.disposition for count in plan.counts} == {"purge"}
    assert persons(shop, shop.plan()) == {"2"}


def test_columns_due_under_a_marked_rule_go_unattended_and_count_in_the_radius(shop: Shop) -> None:
    shop.person(1)
    shop.buyer(2)
    leads(shop)
    run(shop, "update retention.grounds set rule_id = 'R1' where column_group = 'person'")
    run(shop, "update policy.policy_unattended set most_records = 13")
    refused = create_unattended(shop.settings)
    # Six of the one, seven of the other, and the columns of a charge.
    assert "14 records, at most 13 are allowed" in refused.refusals[-1]
    run(shop, "update policy.policy_unattended set most_records = 14, never_purge = 'shop.charge'")
    refused = create_unattended(shop.settings)
    assert "shop.charge is never purged unattended" in refused.refusals[-1]
    run(shop, "update policy.policy_unattended set never_purge = null")
    plan = create_unattended(shop.settings)
    assert (plan.state, persons(shop, plan)) == ("approved", {"1", "2"})
    result = execute(shop.settings, plan.plan_id)
    assert (result.purged, result.minimised, result.skipped) == (13, 1, {})
