"""What a withdrawn consent must leave as it is, and that it erases the columns that rested on it.

Belongs here: columns of rows that stay, the neutral flag, and the decisions behind them. Does not belong
here: whole rows under rule CONSENT (the erasures' tests), how the models judge consents (dbt's own unit
tests), and marketing (test_consent_marketing.py).
"""

from datetime import timedelta
from typing import Any

import pytest

from retention import verify
from retention.coverage import FindingKind, compare
from retention.declarations.staging import live_sql
from retention.ledger import entries
from retention.plan import Plan, create_decided
from retention.purge import execute
from retention.purge.guards import HELD, OTHERWISE
from retention.purge.live import CHANGED
from retention.purge.minimise import EMPTY
from retention.purge.reclassified import CASE_CHANGED, OVERDUE_NO_MORE
from tests.consents import (
    BANK,
    GIVEN,
    UNION,
    WITHDRAWN,
    decided_plan,
    decisions,
    member,
    partner_of,
    partners,
    run,
)
from tests.dbt_manifest import Model, build, write_manifest
from tests.factories import LONG_AGO, Shop
from tests.rights import decide, request_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def withdraw(shop: Shop) -> Plan:
    """Carry out what is decided today."""
    plan = decided_plan(shop)
    execute(shop.settings, plan.plan_id)
    return plan


def but_partners(shop: Shop) -> set[str]:
    """Every landing row, leads and hand-overs without their partner."""
    found = {row for row in shop.rows() if not row.startswith(("lead", "handover"))}
    for table in ("lead", "handover"):
        rows = shop.conn.execute(
            f"select (to_jsonb(landed) - 'partner_id')::text from shop.{table} as landed"
        ).fetchall()
        found |= {table + row[0] for row in rows}
    shop.conn.commit()
    return found


# --- what must not be touched ------------------------------------------------------------------


def test_nothing_changes_but_the_unions_id_of_the_person_who_withdrew(shop: Shop) -> None:
    """Not her other columns, nor the lead of a bank, nor another member's, nor her consent."""
    partners(shop)
    member(shop, 50)
    member(shop, 51, withdrawn=None)
    shop.add("lead", id=60, person_id=50, partner_id=BANK)
    before, whole = but_partners(shop), shop.rows()
    withdraw(shop)
    assert (partner_of(shop, "lead", 50), partner_of(shop, "handover", 50)) == (None, None)
    assert (partner_of(shop, "lead", 51), partner_of(shop, "handover", 51)) == (UNION, UNION)
    assert partner_of(shop, "lead", 60) == BANK
    assert but_partners(shop) == before
    assert len(whole - shop.rows()) == 2
    assert shop.one("select withdrawn_at from shop.consent where id = 50") == WITHDRAWN


def test_consent_to_one_purpose_is_not_consent_to_another(shop: Shop) -> None:
    """Cookies withdrawn: the union's id stays, and so do her cookies under a withdrawn membership."""
    partners(shop)
    member(shop, 50, withdrawn=None)
    shop.add(
        "consent",
        id=70,
        person_id=50,
        purpose="optional_cookies",
        given_at=GIVEN,
        withdrawn_at=WITHDRAWN,
    )
    member(shop, 51)
    shop.classify()
    assert decisions(shop) == {("cookie", "50"), ("lead", "51"), ("handover", "51")}


def test_withdrawn_sharing_erases_nothing(shop: Shop) -> None:
    partners(shop)
    member(shop, 50, withdrawn=None)
    shop.add(
        "consent", id=70, person_id=50, purpose="share_back", given_at=GIVEN, withdrawn_at=WITHDRAWN
    )
    shop.classify()
    assert decisions(shop) == set()
    assert create_decided(shop.settings).state == "empty"


def test_a_consent_given_again_stands(shop: Shop) -> None:
    """Before anything was erased, and also after the decision: then the decision forgets its record."""
    partners(shop)
    member(shop, 50)
    shop.classify()
    assert decisions(shop) == {("lead", "50"), ("handover", "50")}
    shop.add("consent", id=70, person_id=50, given_at=WITHDRAWN + timedelta(days=1))
    shop.classify()
    assert decisions(shop) == set()
    assert create_decided(shop.settings).state == "empty"


def test_nobody_approved_the_section(shop: Shop) -> None:
    partners(shop)
    member(shop, 50)
    run(shop, "update policy.policy_consent_purposes set approval = 'none'")
    shop.classify()
    assert decisions(shop) == set()
    assert create_decided(shop.settings).state == "empty"
    run(shop, "update policy.policy_consent_purposes set approval = 'approved'")
    shop.classify()
    run(shop, "update policy.policy_consent_purposes set approval = 'none'")
    shop.classify()
    assert decisions(shop) == set()


@pytest.mark.parametrize("kind", ["hold", "restriction"])
@pytest.mark.parametrize(
    ("scope", "target"),
    [("subject", "shop.person:50"), ("record", "shop.lead:50"), ("table", "shop.lead")],
)
@pytest.mark.parametrize("when", ["before the plan", "after the approval"])
def test_what_is_blocked_keeps_its_partner(
    shop: Shop, kind: Any, scope: Any, target: str, when: str
) -> None:
    partners(shop)
    member(shop, 50)
    shop.classify()
    if when == "before the plan":
        shop.hold(scope, target, kind=kind)
    plan = create_decided(shop.settings)
    if plan.state != "empty":
        if when == "after the approval":
            shop.hold(scope, target, kind=kind)
        execute(shop.settings, plan.plan_id)
    assert partner_of(shop, "lead", 50) == UNION
    if when == "after the approval":
        assert shop.outcome(plan)[HELD] >= 1


@pytest.mark.parametrize("status", ["held", "restricted", "locked"])
def test_a_record_of_a_blocked_status_is_not_planned(shop: Shop, status: str) -> None:
    partners(shop)
    member(shop, 50)
    shop.judge("lead", 50, status)
    shop.judge("handover", 50, status)
    shop.classify()
    assert decisions(shop) == {("lead", "50"), ("handover", "50")}
    assert create_decided(shop.settings).state == "empty"


@pytest.mark.parametrize("status", ["held", "restricted", "locked"])
def test_a_record_that_is_blocked_since_the_plan_is_left_alone(shop: Shop, status: str) -> None:
    partners(shop)
    member(shop, 50)
    plan = decided_plan(shop)
    shop.judge("lead", 50, status)
    shop.classify()
    execute(shop.settings, plan.plan_id)
    assert partner_of(shop, "lead", 50) == UNION
    assert shop.outcome(plan) == {OVERDUE_NO_MORE: 1, "minimised": 1}


def test_a_consent_that_lands_after_the_approval_is_heeded(shop: Shop) -> None:
    """The race: given again between the classification and the batch."""
    partners(shop)
    member(shop, 50)
    plan = decided_plan(shop)
    shop.add("consent", id=70, person_id=50, given_at=WITHDRAWN + timedelta(days=1))
    execute(shop.settings, plan.plan_id)
    assert partner_of(shop, "lead", 50) == UNION
    assert shop.outcome(plan) == {CHANGED: 2}


def test_a_partner_that_turns_out_to_be_no_union_is_left_alone(shop: Shop) -> None:
    partners(shop)
    member(shop, 50)
    plan = decided_plan(shop)
    run(shop, "update shop.partner set is_union = false where id = %s", UNION)
    execute(shop.settings, plan.plan_id)
    assert partner_of(shop, "lead", 50) == UNION
    assert shop.outcome(plan) == {CHANGED: 2}


def test_a_column_that_cannot_become_null_is_a_finding_and_waits(shop: Shop) -> None:
    partners(shop)
    member(shop, 50)
    run(shop, "alter table shop.lead alter column partner_id set not null")
    plan = decided_plan(shop)
    assert plan.waiting == {"a column of it that is to be minimised cannot become null": 1}
    found = compare(shop.conn, shop.declarations).of_kind(FindingKind.COLUMN_NOT_NULLABLE)
    assert [(f.table, f.column) for f in found] == [("lead", "partner_id")]
    execute(shop.settings, plan.plan_id)
    assert partner_of(shop, "lead", 50) == UNION
    assert partner_of(shop, "handover", 50) is None


def test_a_person_whose_lead_stays_is_not_purged_with_the_erasure(shop: Shop) -> None:
    """The lead loses a column and stays for now: what it stands on, and what stands on it, stays too."""
    partners(shop)
    shop.overdue.add(member(shop, 50))
    withdraw(shop)
    assert partner_of(shop, "lead", 50) is None
    assert "50" in shop.keys("person")
    assert "50" in shop.keys("lead")


def test_an_erased_person_waits_for_the_lead_that_loses_a_column(shop: Shop) -> None:
    """Everything else of hers was decided to go; the lead keeps its row for now, and follows her."""
    partners(shop)
    member(shop, 50)
    shop.classify()
    request = request_of(shop, 50)
    for table in ("person", "contact", "cookie", "consent"):
        decide(shop, request, table, 50, "erase")
    plan = decided_plan(shop)
    assert "shop.person" not in {count.table for count in plan.counts}
    assert plan.waiting["other records stand on what it shows"] >= 1
    execute(shop.settings, shop.approve(plan).plan_id)
    assert shop.keys("person") == {"50"}


def test_an_ordinary_plan_leaves_it_to_the_decision(shop: Shop) -> None:
    """Also of a row that is overdue as a whole: first its column goes, then, with approval, the row."""
    partners(shop)
    shop.overdue.add(member(shop, 50))
    shop.classify()
    plan = shop.plan()
    assert "CONSENT" not in {count.rule_id for count in plan.counts}
    assert plan.waiting["it stands in the plan of what was decided"] == 2


def test_a_plan_whose_decision_ended_purges_nothing(shop: Shop) -> None:
    partners(shop)
    member(shop, 50)
    plan = decided_plan(shop)
    run(shop, "update ledger.erasure_decisions set record_key = null where source_table = 'lead'")
    execute(shop.settings, plan.plan_id)
    assert partner_of(shop, "lead", 50) == UNION
    assert shop.outcome(plan).keys() == {"minimised", OTHERWISE}


def test_a_column_that_became_null_by_itself_stops_no_other(shop: Shop) -> None:
    """Nothing was done to it, so nothing is claimed; the other table of the batch goes on."""
    partners(shop)
    member(shop, 50)
    member(shop, 51)
    plan = decided_plan(shop)
    run(shop, "update shop.lead set partner_id = null where id = 50")
    lead = shop.declarations.table("shop.lead")
    assert lead is not None
    # What the look at the live rows finds; here it slips through.
    run(
        shop,
        f"update staging.stg_shop__lead as staged set inputs_hash = live.inputs_hash"
        f" from ({live_sql(lead)}) as live where live.record_key = staged.record_key",
    )
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan) == {"minimised": 3, EMPTY: 1}
    assert partner_of(shop, "handover", 50) is None


def test_accounting_columns_are_not_erased_with_those_of_a_consent(shop: Shop) -> None:
    """One row, both kinds: a withdrawal empties what rests on the consent and nothing else."""
    shop.redeclare(
        "receipt_email: {kind: email, not_required_by: [accounting]},",
        "receipt_email: {kind: email, not_required_by: [accounting]}, buyer: name, mood: other,",
    )
    shop.redeclare("personal: {buyer: name, receipt", "personal: {receipt")
    shop.redeclare(
        "harmless: [amount],",
        "harmless: [amount], consented: {purpose: optional_cookies, columns: [mood]},",
    )
    write_manifest(shop.settings)
    run(shop, "alter table shop.charge add column mood text")
    charge = shop.buyer(1)
    shop.add(
        "consent",
        id=70,
        person_id=1,
        purpose="optional_cookies",
        given_at=GIVEN,
        withdrawn_at=WITHDRAWN,
    )
    run(shop, "update shop.charge set mood = 'glad'")
    plan = decided_plan(shop)
    assert ("shop.charge", "CONSENT") in {(c.table, c.rule_id) for c in plan.counts}
    execute(shop.settings, plan.plan_id)
    held = shop.one("select array[mood, note, buyer] from shop.charge where id = %s", charge)
    assert held == [None, "ring meg", "Navn 1"]
    shop.classify()
    execute(shop.settings, shop.approve(shop.plan()).plan_id)
    held = shop.one("select array[mood, note, buyer] from shop.charge where id = %s", charge)
    assert held == [None, None, "Navn 1"]


# --- the straight path -------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["retained", "active", "due_soon", "review", "overdue"])
def test_it_overrides_every_period_and_a_review(shop: Shop, status: str) -> None:
    partners(shop)
    member(shop, 50)
    shop.judge("lead", 50, status)
    plan = withdraw(shop)
    assert {(c.table, c.rule_id, c.disposition) for c in plan.counts} == {
        ("shop.lead", "CONSENT", "minimise"),
        ("shop.handover", "CONSENT", "minimise"),
    }
    assert partner_of(shop, "lead", 50) is None
    assert shop.keys("lead") == {"50"}


def test_evidence_tombstones_and_read_back(shop: Shop) -> None:
    partners(shop)
    member(shop, 50)
    plan = withdraw(shop)
    (batch,) = [e.content for e in entries.of_plan(shop.conn, plan.plan_id, "batch")]
    assert (batch["purged"], batch["minimised"]) == (0, 2)
    assert batch["rules_minimised"] == {"CONSENT": 2}
    rows = shop.conn.execute(
        "select source_table, column_group, columns, anchor_on from ledger.column_tombstones order by 1"
    ).fetchall()
    assert rows == [
        (table, "consent", ["partner_id"], WITHDRAWN.date()) for table in ("handover", "lead")
    ]
    result = verify.read_back(shop.settings, plan.plan_id)
    assert (result.findings, result.column_tombstones) == ((), 2)
    assert decisions(shop) == set()
    shop.conn.commit()
    assert create_decided(shop.settings).state == "empty"


def test_what_is_decided_is_evidence_without_a_key(shop: Shop) -> None:
    partners(shop)
    member(shop, 50)
    shop.classify()
    shop.classify()
    bodies = [
        row[0]
        for row in shop.conn.execute(
            "select body::jsonb from ledger.entries where kind = 'withdrawals'"
        ).fetchall()
    ]
    assert [(body["decided"], body["ended"]) for body in bodies] == [(2, 0)]


def test_the_lead_stays_under_its_rule_from_the_same_day(shop: Shop) -> None:
    """The partner sent her twice: both rows count from the first day, and no partner is left anywhere."""
    partners(shop)
    member(shop, 50)
    shop.add(
        "lead", id=61, person_id=50, partner_id=UNION, received_at=LONG_AGO - timedelta(days=90)
    )
    withdraw(shop)
    rows = shop.conn.execute(
        "select source_table, record_key, received_on, instruction_period"
        " from ledger.received_via_partner order by 1, 2"
    ).fetchall()
    first = (LONG_AGO - timedelta(days=90)).date()
    assert rows == [
        ("handover", "50", None, None),
        ("lead", "50", first, None),
        ("lead", "61", first, None),
    ]


def test_of_a_referral_the_period_of_the_instruction_is_kept(shop: Shop) -> None:
    partners(shop)
    member(shop, 50)
    run(shop, "update shop.handover set scope = 'outside'")
    withdraw(shop)
    kept = shop.one(
        "select instruction_period from ledger.received_via_partner where source_table = 'handover'"
    )
    assert kept is not None


def test_no_hash_of_the_partner_is_left_in_the_models(shop: Shop) -> None:
    """Neither the salted hash of its id, nor a hash that was made from it with all the rest known."""
    partners(shop)
    member(shop, 50)
    shop.classify()
    fingerprint = shop.one(
        "select fingerprint from intermediate.int_case_fingerprints where case_id = 'shop.person:50'"
    )
    inputs = shop.one("select inputs_hash from staging.stg_shop__lead")
    execute(shop.settings, create_decided(shop.settings).plan_id)
    partner = shop.one("select sletteplikt.link_hash('partner', %s)", str(UNION))
    for relation in relations(shop):
        if relation == "staging.stg_shop__partner":
            continue
        text = shop.one(
            f"select coalesce(string_agg(t::text, ' '), '') from {relation} as t"
            + (" where source_table <> 'partner'" if relation.endswith("records_unioned") else "")
        )
        for secret in (partner, inputs, fingerprint):
            assert secret not in text, relation
    staged = shop.one("select inputs_hash from staging.stg_shop__lead")
    assert staged == shop.one(
        "select inputs_hash from intermediate.int_record_cases where source_table = 'lead'"
    )


def relations(shop: Shop) -> list[str]:
    rows = shop.conn.execute(
        "select schemaname || '.' || tablename from pg_tables"
        " where schemaname in ('staging', 'intermediate', 'retention')"
    ).fetchall()
    shop.conn.commit()
    return [row[0] for row in rows]


def test_the_day_goes_on_after_it(shop: Shop) -> None:
    """A plan of the same case that was frozen before does not go on with other facts; a new one does."""
    partners(shop)
    member(shop, 50)
    shop.overdue.add(50)
    execute(shop.settings, decided_plan(shop).plan_id)
    again = shop.approve(shop.plan())
    execute(shop.settings, again.plan_id)
    assert shop.outcome(again).keys().isdisjoint({CHANGED, CASE_CHANGED})
    assert shop.keys("person") == set()
    assert shop.one("select count(*) from ledger.received_via_partner") == 0


def test_what_a_sync_restores_is_found_and_erased_again(shop: Shop) -> None:
    partners(shop)
    member(shop, 50)
    withdraw(shop)
    remembered = shop.one(
        "select received_on from ledger.received_via_partner where source_table = 'lead'"
    )
    run(shop, "update shop.lead set partner_id = %s", UNION)
    found = verify.read_back(shop.settings).findings
    assert [(f.where, f.what, f.count) for f in found] == [
        ("shop.lead", "minimised values are there again", 1)
    ]
    shop.classify()
    assert decisions(shop) == {("lead", "50")}
    execute(shop.settings, create_decided(shop.settings).plan_id)
    assert partner_of(shop, "lead", 50) is None
    assert verify.read_back(shop.settings).findings == ()
    assert remembered == shop.one(
        "select received_on from ledger.received_via_partner where source_table = 'lead'"
    )


def test_a_value_under_a_consent_given_again_is_no_finding(shop: Shop) -> None:
    partners(shop)
    member(shop, 50)
    withdraw(shop)
    run(shop, "update shop.lead set partner_id = %s", UNION)
    shop.add("consent", id=70, person_id=50, given_at=WITHDRAWN + timedelta(days=1))
    shop.classify()
    assert verify.read_back(shop.settings).findings == ()
    assert create_decided(shop.settings).state == "empty"


def test_copies_downstream_lose_the_column_and_nothing_else(shop: Shop) -> None:
    copy = Model(
        "leads_by_partner",
        "select id as lead_id, partner_id as partner, name from shop.lead",
        reads=("shop.lead",),
    )
    partners(shop)
    member(shop, 50)
    member(shop, 51, withdrawn=None)
    shop.classify()
    build(shop.conn, [copy])
    write_manifest(shop.settings, [copy])
    execute(shop.settings, create_decided(shop.settings).plan_id)
    rows = shop.conn.execute(
        "select lead_id, partner, name from analytics.leads_by_partner order by 1"
    ).fetchall()
    assert rows == [(50, None, "Navn 50"), (51, UNION, "Navn 51")]


def test_a_thousand_withdrawals_are_decided_and_carried_out_together(shop: Shop) -> None:
    partners(shop)
    for table, values in (
        ("person (id, created_at, name, email)", "n, now(), 'x', 'q' || n || '@shop.example'"),
        ("lead (id, person_id, partner_id, received_at)", f"n, n, {UNION}, '2020-05-04'"),
        (
            "consent (id, person_id, purpose, given_at, withdrawn_at)",
            "n, n, 'union_membership', '2020-05-04', '2021-05-04'",
        ),
    ):
        run(shop, f"insert into shop.{table} select {values} from generate_series(1, 1000) as n")
    plan = withdraw(shop)
    assert shop.outcome(plan) == {"minimised": 1000}
    assert shop.one("select count(*) from shop.lead where partner_id is not null") == 0
    assert shop.one("select count(*) from shop.person") == 1000
