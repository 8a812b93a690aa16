"""Four eyes: who approves, what is repeated, and that a refusal leaves evidence.

Belongs here: approving and rejecting. Does not belong here: making a plan and carrying it out.
"""

import dataclasses
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from retention.errors import Refused, UsageError
from retention.ledger import entries
from retention.plan import Plan, approve, approve_demonstration, reject, show
from retention.settings import Settings
from tests.conftest import Server
from tests.factories import Shop

pytestmark = pytest.mark.integration


def refusals(shop: Shop, plan: Plan) -> list[str]:
    return [e.content["reason"] for e in entries.of_plan(shop.conn, plan.plan_id, "refusal")]


@pytest.fixture
def plan(shop: Shop) -> Plan:
    shop.person(1)
    shop.classify()
    return shop.plan()


def test_another_login_approves_with_the_digest(shop: Shop, plan: Plan) -> None:
    approved = shop.approve(plan)
    assert (approved.state, approved.approved_by, approved.approval_kind) == (
        "approved",
        "approver",
        "person",
    )
    assert approved.planned_by != approved.approved_by
    (entry,) = entries.of_plan(shop.conn, plan.plan_id, "approval")
    assert entry.content["digest"] == plan.digest
    assert entry.content["approved_by"] == "approver"


def test_the_planners_own_login_is_refused(shop: Shop, plan: Plan) -> None:
    """Also where it could approve other plans: a superuser is a member of nothing by that alone."""
    with pytest.raises(Refused, match="may not approve"):
        approve(shop.settings, plan.plan_id, plan.digest)
    shop.conn.execute(
        sql.SQL("grant retention_approver to {}").format(sql.Identifier(plan.planned_by))
    )
    shop.conn.commit()
    try:
        with pytest.raises(Refused, match="same login"):
            approve(shop.settings, plan.plan_id, plan.digest)
    finally:
        shop.conn.execute(
            sql.SQL("revoke retention_approver from {}").format(sql.Identifier(plan.planned_by))
        )
        shop.conn.commit()
    assert show(shop.settings, plan.plan_id).state == "proposed"
    assert len(refusals(shop, plan)) == 2


def test_acting_as_another_role_does_not_change_who_approves(shop: Shop, plan: Plan) -> None:
    shop.conn.execute("set local role approver")
    row = shop.conn.execute(
        "select ledger.approve_plan(%s, %s)", (plan.plan_id, plan.digest)
    ).fetchone()
    shop.conn.commit()
    assert row is not None
    assert "may not approve" in row[0]
    assert show(shop.settings, plan.plan_id).state == "proposed"


@pytest.mark.parametrize("digest", ["", "0" * 64, "deadbeef"])
def test_another_digest_is_refused_and_not_repeated(shop: Shop, plan: Plan, digest: str) -> None:
    with pytest.raises(Refused, match="the digest is not this plan's"):
        approve(shop.approver, plan.plan_id, digest)
    assert show(shop.settings, plan.plan_id).state == "proposed"
    assert refusals(shop, plan) == [
        "the digest is not this plan's: `retention plan show` prints it"
    ]


def test_a_digest_is_read_whatever_its_case(shop: Shop, plan: Plan) -> None:
    assert approve(shop.approver, plan.plan_id, f" {plan.digest.upper()}\n").state == "approved"


def test_rows_that_were_changed_after_the_freeze_are_not_approved(shop: Shop, plan: Plan) -> None:
    shop.conn.execute("delete from ledger.plan_items where item_no = 1")
    shop.conn.commit()
    with pytest.raises(Refused, match="rows were changed"):
        shop.approve(plan)


def test_a_plan_that_has_expired_is_not_approved(shop: Shop, plan: Plan) -> None:
    shop.conn.execute("update ledger.plans set expires_on = ledger.today() - 1")
    shop.conn.commit()
    with pytest.raises(Refused, match="expired"):
        shop.approve(plan)


def test_a_plan_is_approved_once(shop: Shop, plan: Plan) -> None:
    shop.approve(plan)
    with pytest.raises(Refused, match="the plan is approved, not proposed"):
        shop.approve(plan)


def test_a_rejected_plan_loses_its_keys_and_stays_rejected(shop: Shop, plan: Plan) -> None:
    rejected = reject(shop.approver, plan.plan_id, "the age band is wrong")
    assert (rejected.state, rejected.rejected_by) == ("rejected", "approver")
    assert rejected.reject_reason == "the age band is wrong"
    assert shop.one("select count(*) from ledger.plan_items where record_key is not null") == 0
    with pytest.raises(Refused, match="the plan is rejected"):
        shop.approve(plan)
    with pytest.raises(Refused, match="cannot be rejected"):
        reject(shop.approver, plan.plan_id, "again")
    (entry,) = entries.of_plan(shop.conn, plan.plan_id, "plan_closed")
    assert "age band" not in entry.body


def test_an_approved_plan_can_still_be_rejected_by_its_planner(shop: Shop, plan: Plan) -> None:
    shop.approve(plan)
    assert reject(shop.settings, plan.plan_id, "planned too early").state == "rejected"


def test_a_rejection_needs_a_reason(shop: Shop, plan: Plan) -> None:
    with pytest.raises(Refused, match="needs a reason"):
        reject(shop.approver, plan.plan_id, "  ")


def test_an_unknown_plan(shop: Shop, plan: Plan) -> None:
    other = dataclasses.replace(plan, plan_id=UUID(int=1))
    with pytest.raises(Refused, match="no such plan"):
        shop.approve(other)
    with pytest.raises(UsageError, match="no such plan"):
        show(shop.settings, other.plan_id)


def test_the_demonstration_approves_nothing_on_an_outside_database(shop: Shop, plan: Plan) -> None:
    with pytest.raises(Refused, match="outside database"):
        approve_demonstration(shop.settings, plan.plan_id, plan.digest)


@pytest.mark.parametrize(
    ("prepare", "approves"),
    [
        ("select 1", False),
        ("comment on schema shop is 'sletteplikt-sample {}'", True),
        ("comment on schema shop is 'sletteplikt-sample {}'; create schema real_data", False),
        (
            "comment on schema shop is 'sletteplikt-sample {}'; create table public.people (id int)",
            False,
        ),
        ("comment on schema shop is 'a sletteplikt-sample'", False),
    ],
    ids=["no marker", "marker", "another schema", "a table in public", "another comment"],
)
def test_a_demonstration_approves_only_where_all_is_a_sample(
    shop: Shop, prepare: str, approves: bool
) -> None:
    shop.conn.execute(prepare)
    shop.person(1)
    shop.classify()
    plan = shop.plan()
    with psycopg.connect(shop.approver.database_url or "") as conn:
        row = conn.execute(
            "select ledger.approve_plan(%s, %s, 'demonstration')", (plan.plan_id, plan.digest)
        ).fetchone()
    assert row is not None
    if approves:
        assert row[0] is None
        assert show(shop.settings, plan.plan_id).approval_kind == "demonstration"
    else:
        assert "sample's marker" in row[0]
        assert show(shop.settings, plan.plan_id).state == "proposed"


def test_the_demonstration_approves_in_the_embedded_warehouse(
    embedded_settings: Settings, server: Server
) -> None:
    """The second login is found there; the plan that it is asked about is not."""
    assert server.settings is embedded_settings
    with pytest.raises(Refused, match="no such plan"):
        approve_demonstration(embedded_settings, uuid4(), "x")
