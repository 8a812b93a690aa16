"""Freezing a plan: what may stand in it, what must wait, and that looking cannot write.

Belongs here: plans up to their approval. Does not belong here: approving (test_approval.py) and
carrying out (test_purge.py).
"""

import dataclasses
import hashlib
import hmac
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
import rfc8785

from retention.errors import Refused
from retention.keys import load_key
from retention.ledger import classifications
from retention.lineage import Lineage
from retention.plan import Plan, create, list_plans, preview, show
from retention.plan.tables import PlanTable, coverage_rules, plan_tables
from retention.warehouse.connection import connect
from tests.factories import Shop

pytestmark = pytest.mark.integration

ANCHORS = "other records stand on what it shows"
ASSIGNMENT_STAYS = "its assignment has records that stay"
LEAD_STAYS = "another lead of the same hand-over stays"


def planned(shop: Shop, plan: Plan) -> set[tuple[str, str]]:
    rows = shop.conn.execute(
        "select source_table, record_key from ledger.plan_items where plan_id = %s", (plan.plan_id,)
    ).fetchall()
    shop.conn.commit()
    return set(rows)


# --- the frozen set ----------------------------------------------------------------------------


def test_a_plan_holds_exactly_what_is_overdue(shop: Shop) -> None:
    shop.customer(1)
    shop.customer(2, overdue=False)
    shop.classify()
    seen = preview(shop.settings)
    plan = shop.plan()
    assert plan.state == "proposed"
    assert (
        plan.items
        == seen.items
        == shop.one("select count(*) from retention.records where status = 'overdue'")
    )
    assert plan.counts == seen.counts
    assert plan.waiting == seen.waiting == {}
    assert ("person", "1") in planned(shop, plan)
    assert ("person", "2") not in planned(shop, plan)


def test_only_purge_is_planned(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    shop.conn.execute("update retention.records set disposition = 'minimise'")
    shop.conn.commit()
    assert shop.plan().state == "empty"


def test_an_empty_plan_is_recorded_and_cannot_be_approved(shop: Shop) -> None:
    shop.person(1, overdue=False)
    shop.classify()
    plan = shop.plan()
    assert (plan.state, plan.items) == ("empty", 0)
    with pytest.raises(Refused, match="the plan is empty"):
        shop.approve(plan)


def test_the_digest_can_be_recomputed_from_the_contract(shop: Shop) -> None:
    """From keys and the HMAC key alone, with nothing of ours but the master key's derivation."""
    shop.customer(1)
    shop.add("objection", email="nei@shop.example")
    shop.classify()
    plan = shop.plan()
    key = load_key(shop.settings, shop.conn)
    lines = []
    for table, record_key in planned(shop, plan):
        purpose = f"sletteplikt/tombstone/v1/0/shop.{table}".encode()
        derived = hmac.digest(key.secret, purpose, "sha256")
        token = hmac.new(derived, record_key.encode(), "sha256").hexdigest()
        lines.append(f"shop.{table}|{token}|purge".encode())
    content: Any = {
        "as_of": plan.as_of.isoformat(),
        "policy_version": plan.policy_version,
        "policy_hash": plan.policy_hash,
        "code_hash": plan.code_hash,
        "scope": "ordinary",
        "tokens_root": hashlib.sha256(b"\n".join(sorted(lines))).hexdigest(),
    }
    assert plan.digest == hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def test_whole_cases_stand_side_by_side_children_before_parents(shop: Shop) -> None:
    for number in range(1, 6):
        shop.customer(number)
    shop.classify()
    plan = shop.plan()
    items = shop.conn.execute(
        "select item_no, case_id, source_table, subject_token is not null from ledger.plan_items"
        " where plan_id = %s order by item_no",
        (plan.plan_id,),
    ).fetchall()
    cases = [case for _, case, _, _ in items]
    runs = [case for n, case in enumerate(cases) if n == 0 or cases[n - 1] != case]
    assert len(runs) == len(set(cases)), "a case is interrupted by another"
    assert [number for number, _, _, _ in items] == list(range(1, len(items) + 1))
    known = [is_known for _, _, _, is_known in items]
    assert known == sorted(known), "records of nobody known come first"
    one = [table for _, case, table, _ in items if case == "shop.person:1"]
    assert one.index("document") < one.index("assignment") < one.index("person")
    assert one[-1] == "person"


def test_a_newer_plan_supersedes_one_that_nobody_approved(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    first, second = shop.plan(), shop.plan()
    assert first.digest == second.digest, "the same rows give the same digest"
    assert show(shop.settings, first.plan_id).state == "superseded"
    assert show(shop.settings, second.plan_id).state == "proposed"
    assert (
        shop.one("select count(*) from ledger.plan_items where state = 'withdrawn'") == first.items
    )
    approved = shop.approve(second)
    shop.plan()
    assert show(shop.settings, approved.plan_id).state == "approved"
    assert [plan.state for plan in list_plans(shop.settings)] == [
        "proposed",
        "approved",
        "superseded",
    ]


def test_a_plan_that_ran_out_is_ended_by_the_next(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    shop.conn.execute("update ledger.plans set expires_on = ledger.today() - 1")
    shop.conn.commit()
    shop.plan()
    assert show(shop.settings, plan.plan_id).state == "expired"


# --- facts outlive their evidence --------------------------------------------------------------


@pytest.mark.parametrize("status", ["retained", "held", "review", "locked", "due_soon"])
def test_a_record_that_stays_keeps_what_shows_why(shop: Shop, status: str) -> None:
    """A person's row, contacts and mails wait; supporting records and leads under R1 may go."""
    shop.person(1)
    shop.judge("recording", 1, status)
    shop.classify()
    plan = shop.plan()
    assert {table for table, _ in planned(shop, plan)} == {"lead", "visit"}
    assert plan.waiting == {ANCHORS: 3}
    assert preview(shop.settings).waiting == plan.waiting


def test_a_lead_that_follows_its_person_waits_too(shop: Shop) -> None:
    shop.person(1)
    shop.judge("recording", 1, "retained")
    shop.classify()
    shop.conn.execute("update retention.records set rule_id = 'R3' where source_table = 'lead'")
    shop.conn.commit()
    plan = shop.plan()
    assert {table for table, _ in planned(shop, plan)} == {"visit"}


def test_an_older_assignment_goes_while_an_open_one_keeps_the_person(shop: Shop) -> None:
    shop.customer(1)
    shop.add("assignment", id=2, person_id=1, state="open")
    shop.add("document", id=2, assignment_id=2)
    for table in ("person", "contact", "mail", "recording", "lead"):
        shop.judge(table, 1, "active")
    shop.classify()
    shop.conn.execute(
        "update retention.records set status = 'active' where source_table = 'visit'"
        " or record_key like '[\"2\"%' or (source_table = 'document' and record_key = '2')"
    )
    shop.conn.commit()
    plan = shop.plan()
    assert {(t, k if t != "assignment" else "") for t, k in planned(shop, plan)} == {
        ("assignment", ""),
        ("document", "1"),
        ("party", "party-1"),
    }
    assert all(
        key.startswith('["1"') for table, key in planned(shop, plan) if table == "assignment"
    )


def test_an_assignments_rows_wait_for_the_records_that_follow_it(shop: Shop) -> None:
    """Also for a third person's, which stands in a case of its own."""
    shop.customer(1)
    shop.judge("party", "party-1", "review")
    shop.classify()
    plan = shop.plan()
    assert plan.waiting == {ASSIGNMENT_STAYS: 2, ANCHORS: 3}
    assert ("document", "1") in planned(shop, plan)
    assert not {"assignment", "person", "contact", "mail"} & {t for t, _ in planned(shop, plan)}


def test_leads_of_one_hand_over_go_together(shop: Shop) -> None:
    """The second row's date is the first one's: without it, its clock would start anew."""
    shop.person(1)
    shop.add("lead", id=11, person_id=1)
    shop.judge("lead", 11, "held")
    shop.classify()
    shop.conn.execute(
        "update retention.records set anchor_on = ledger.today() - 400 where source_table = 'lead'"
    )
    shop.conn.commit()
    plan = shop.plan()
    assert plan.waiting[LEAD_STAYS] == 1
    assert "lead" not in {table for table, _ in planned(shop, plan)}


def test_an_accounting_duty_keeps_nothing_else(shop: Shop) -> None:
    shop.person(1)
    shop.add("account", id="acc_1", email="person1@shop.example")
    shop.add("charge", id="ch_1", account_id="acc_1")
    shop.classify()
    plan = shop.plan()
    assert plan.waiting == {}
    assert {table for table, _ in planned(shop, plan)} == {
        "person",
        "lead",
        "contact",
        "mail",
        "recording",
        "visit",
        "account",
    }


def test_what_is_held_since_the_classification_is_not_planned(shop: Shop) -> None:
    shop.customer(1)
    shop.customer(2)
    shop.classify()
    shop.hold("subject", "shop.person:1")
    shop.hold("record", "shop.recording:2")
    plan = shop.plan()
    assert plan.waiting["held, restricted or locked since the classification"] == 10
    assert not {"1"} & {key for table, key in planned(shop, plan) if table != "party"}
    assert ("recording", "2") not in planned(shop, plan)
    assert ("person", "2") not in planned(shop, plan)
    assert preview(shop.settings).waiting == plan.waiting


def test_a_lock_that_has_ended_guards_no_longer(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    lock = shop.hold("subject", "shop.person:1", kind="lock", until_on=_today(shop))
    shop.conn.execute(
        "update ledger.blockers set from_on = ledger.today() - 9, until_on = ledger.today() - 1"
    )
    shop.conn.commit()
    plan = shop.plan()
    assert plan.items == 6
    assert shop.one(
        "select guard_lifted_at is not null from ledger.blockers where blocker_id = %s", lock
    )
    assert shop.one("select sum(blockers) from ledger.guards") == 0


def _today(shop: Shop) -> Any:
    return shop.one("select ledger.today()")


# --- what is set aside -------------------------------------------------------------------------


def test_without_a_table_of_facts_nothing_of_the_same_persons_is_planned(shop: Shop) -> None:
    shop.customer(1)
    shop.add("objection", email="nei@shop.example")
    shop.classify()
    key = shop.one("select record_key from retention.records where source_table = 'objection'")
    shop.judge("objection", key, "overdue")
    shop.conn.execute("alter table shop.contact drop column kind")
    shop.classify_without("contact")
    plan = shop.plan()
    assert planned(shop, plan) == {("objection", key)}
    assert plan.waiting.keys() == {"it depends on shop.contact, which is set aside"}


def test_without_a_table_that_links_only_what_it_links_waits(shop: Shop) -> None:
    shop.person(1)
    shop.add("account", id="acc_1", email="person1@shop.example")
    shop.add("charge", id="ch_1", account_id="acc_1")
    shop.judge("charge", "ch_1", "overdue")
    shop.conn.execute("alter table shop.account drop column email")
    shop.classify_without("account")
    plan = shop.plan()
    assert plan.waiting == {"it depends on shop.account, which is set aside": 1}
    assert ("person", "1") in planned(shop, plan)


def test_a_table_of_which_the_classification_read_nothing_counts_as_set_aside(shop: Shop) -> None:
    """It was set aside when the models were built, and is whole again now: they know none of it."""
    shop.person(1)
    shop.classify()
    shop.conn.execute("delete from staging.stg_shop__contact")
    shop.conn.commit()
    plan = shop.plan()
    assert plan.items == 0
    assert sum(plan.waiting.values()) == 6


def test_a_partner_table_set_aside_leaves_every_instruction_unknown(shop: Shop) -> None:
    shop.add("partner", id=1)
    shop.person(1)
    shop.classify()
    shop.conn.execute("alter table shop.partner drop column instruction_id")
    shop.conn.commit()
    assert shop.plan().items == 0


# --- refusals ----------------------------------------------------------------------------------


def test_nothing_is_planned_before_a_classification_of_today(shop: Shop) -> None:
    shop.person(1)
    for act in (create, preview):
        with pytest.raises(Refused, match="nothing was classified yet"):
            act(shop.settings)
    shop.classify()
    plan = shop.plan()
    number = classifications.begin(shop.conn, plan.as_of - timedelta(days=1), plan.code_hash)
    for act in (create, preview):
        with pytest.raises(Refused, match="a classification is going on"):
            act(shop.settings)
    classifications.finish(shop.conn, number)
    for act in (create, preview):
        with pytest.raises(Refused, match="not today"):
            act(shop.settings)


def test_nothing_is_planned_on_records_of_other_code(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    (shop.settings.dbt_dir / "models" / "more.sql").write_text("select 1")
    for act in (create, preview):
        with pytest.raises(Refused, match="declarations or models changed"):
            act(shop.settings)


def test_a_key_is_made_for_the_embedded_warehouse_alone(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    nowhere = dataclasses.replace(shop.settings, state=shop.settings.state / "other")
    with pytest.raises(Refused, match="there is no HMAC key"):
        create(nowhere)
    assert shop.one("select count(*) from ledger.plans") == 0


def test_a_plan_is_frozen_at_one_moment_or_not_at_all(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    with (
        connect(shop.settings) as conn,
        pytest.raises(psycopg.Error, match="one repeatable-read transaction"),
    ):
        conn.execute(
            "select ledger.freeze_plan('[]', '{}', '{}', '{}', 'k', 0, %s, 'ordinary')",
            (shop.one("select code_hash from ledger.classifications"),),
        )


# --- a dry run cannot write --------------------------------------------------------------------


def test_a_dry_run_leaves_no_trace(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    entries = shop.one("select count(*) from ledger.entries")
    seen = preview(shop.settings)
    assert seen.items == 6
    assert shop.one("select count(*) from ledger.plans") == 0
    assert shop.one("select count(*) from ledger.entries") == entries


WRITES = (
    "create table public.trace (id int)",
    "insert into ledger.entries (kind, body, leaf_hash) values ('x', '{}', sha256('\\x007b7d'))",
    "delete from shop.person",
    "update retention.records set status = 'overdue'",
    "select ledger.append_entry('refusal', '{}')",
    "select ledger.freeze_plan('[]', '{}', '{}', '{}', 'k', 0, 'c', 'ordinary')",
    "select ledger.place_blocker('hold', 'table', 'shop.person', 'r', 'a')",
    "select nextval('ledger.entries_entry_id_seq')",
)


def test_what_a_dry_run_runs_as_cannot_write(shop: Shop) -> None:
    """Twice over: the transaction forbids it, and where that is switched back, the role does."""
    shop.person(1)
    shop.classify()
    before = shop.rows()
    entries = shop.one("select count(*) from ledger.entries")
    for statement in WRITES:
        with connect(shop.settings, role="retention_reader", read_only=True) as conn:
            with pytest.raises(psycopg.Error) as caught:
                conn.execute(statement)
            assert caught.value.sqlstate in ("25006", "42501"), statement
            conn.rollback()
            conn.execute("set transaction read write")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)
    assert shop.rows() == before
    assert shop.one("select count(*) from ledger.entries") == entries


def test_a_dry_run_runs_as_that(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What preview opens is a read-only session of the reading role, and nothing else."""
    shop.person(1)
    shop.classify()
    opened: list[dict[str, Any]] = []

    def watched(settings: Any, **options: Any) -> Any:
        opened.append(options)
        return connect(settings, **options)

    monkeypatch.setattr("retention.plan.freeze.connect", watched)
    preview(shop.settings)
    assert opened == [{"role": "retention_reader", "read_only": True}]


# --- order -------------------------------------------------------------------------------------


def ordered_tables(shop: Shop) -> list[PlanTable]:
    return plan_tables(
        shop.conn,
        shop.declarations,
        planning=True,
        lineage=Lineage((), (), (), ""),
        coverage=coverage_rules(shop.settings, shop.conn),
    )


def test_the_databases_own_foreign_keys_count_for_the_order(shop: Shop) -> None:
    shop.conn.execute("alter table shop.lead add foreign key (person_id) references shop.person")
    shop.conn.execute("alter table shop.person add column visit_id bigint")
    shop.conn.execute("alter table shop.recording add unique (id)")
    shop.conn.execute(
        "alter table shop.objection add column rec bigint references shop.recording (id)"
    )
    order = [t.qualified for t in ordered_tables(shop)]
    assert order.index("shop.lead") < order.index("shop.person")
    assert order.index("shop.objection") < order.index("shop.recording")
    assert order.index("shop.charge") < order.index("shop.account") < order.index("shop.person")


@pytest.mark.parametrize("action", ["cascade", "set null", "set default"])
@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "unindexed"])
def test_what_a_foreign_key_would_carry_on_is_not_even_planned(
    shop: Shop, action: str, indexed: bool
) -> None:
    """Also into a table that nobody declared; without an index it would be slow as well as wrong."""
    shop.person(1)
    shop.conn.execute("create schema elsewhere")
    shop.conn.execute(
        "create table elsewhere.note (person_id bigint references shop.person on delete"
        f" {action})".encode()
    )
    if indexed:
        shop.conn.execute("create index on elsewhere.note (person_id)")
    shop.conn.execute("insert into elsewhere.note values (1)")
    shop.conn.commit()
    shop.classify()
    made = create(shop.settings)
    assert made.waiting["a foreign key would carry the deletion on to other tables"] == 1
    assert "shop.person" not in {count.table for count in made.counts}


def test_a_foreign_key_that_carries_nothing_on_is_no_hindrance(shop: Shop) -> None:
    shop.person(1)
    shop.conn.execute("alter table shop.lead add foreign key (person_id) references shop.person")
    shop.conn.commit()
    shop.classify()
    assert "shop.person" in {count.table for count in create(shop.settings).counts}


def test_foreign_keys_in_a_ring_give_an_order_all_the_same(shop: Shop) -> None:
    shop.conn.execute(
        "alter table shop.contact add column rec bigint references shop.recording (id)"
    )
    shop.conn.execute(
        "alter table shop.recording add column con bigint references shop.contact (id)"
    )
    order = [t.qualified for t in ordered_tables(shop)]
    assert (
        order.index("shop.document") < order.index("shop.assignment") < order.index("shop.person")
    )


def test_show_of_an_unknown_plan(shop: Shop) -> None:
    with pytest.raises(Exception, match="no such plan"):
        show(shop.settings, UUID(int=0))
