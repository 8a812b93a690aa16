"""What minimising must leave as it is, and that it makes null what nothing requires any more.

Belongs here: records that accounting keeps and of which columns are due. Does not belong here: purging
whole rows (test_purge.py) and how the models find out what is due (the models' own tests).
"""

from datetime import timedelta
from typing import Any

import pytest
from psycopg import sql

from retention import verify
from retention.coverage import FindingKind, compare
from retention.declarations import load_declarations
from retention.errors import UsageError, WarehouseError
from retention.ledger import entries
from retention.plan import Plan, preview, show
from retention.purge import execute
from retention.purge.guards import HELD
from retention.purge.live import CHANGED
from retention.purge.minimise import EMPTY
from retention.purge.reclassified import JUDGED_ANEW, OVERDUE_NO_MORE
from retention.report import deletion
from tests.factories import Shop

pytestmark = pytest.mark.integration

#: Rows of one overdue Shop.buyer that are purged: the person's, and the account.
PURGED = 7
AGAIN = "minimised values are there again"


def charge(shop: Shop, key: str) -> dict[str, Any]:
    row = shop.one("select to_jsonb(c) from shop.charge as c where id = %s", key)
    assert isinstance(row, dict)
    return row


def rows_without(shop: Shop, *columns: str) -> set[str]:
    """Every landing row, the charges without some columns."""
    rows = shop.conn.execute(
        "select (to_jsonb(c) - %s::text[])::text from shop.charge as c", (list(columns),)
    ).fetchall()
    shop.conn.commit()
    return {row[0] for row in rows} | {row for row in shop.rows() if not row.startswith("charge")}


def found(shop: Shop, plan: Plan | None = None) -> set[tuple[str, str, int]]:
    result = verify.read_back(shop.settings, plan.plan_id if plan else None)
    return {(one.where, one.what, one.count) for one in result.findings}


# --- what must not be touched ------------------------------------------------------------------


def test_other_columns_and_other_rows_stay_bit_for_bit(shop: Shop) -> None:
    """Only the two columns of the one charge change; everything else is the same row."""
    shop.buyer(1)
    shop.buyer(2, overdue=False)
    shop.add("charge", id="ch_nobody", receipt_email="x@shop.example", note="hei")
    plan = shop.approved_plan()
    others, all_but = charge(shop, "ch_2"), rows_without(shop, "receipt_email", "note")
    whole = shop.rows()
    result = execute(shop.settings, plan.plan_id)
    assert (result.purged, result.minimised, result.skipped) == (PURGED, 1, {})
    emptied = charge(shop, "ch_1")
    assert (emptied["receipt_email"], emptied["note"], emptied["buyer"]) == (None, None, "Navn 1")
    assert charge(shop, "ch_2") == others
    assert charge(shop, "ch_nobody")["note"] == "hei"
    assert rows_without(shop, "receipt_email", "note") < all_but
    assert len(all_but - rows_without(shop, "receipt_email", "note")) == PURGED
    # Of the rows that stay exactly one reads otherwise than before.
    assert len(shop.rows() - whole) == 1


@pytest.mark.parametrize("kind", ["hold", "restriction"])
@pytest.mark.parametrize(
    ("scope", "target"),
    [("subject", "shop.person:1"), ("record", "shop.charge:ch_1"), ("table", "shop.charge")],
)
def test_what_is_blocked_after_the_approval_is_not_minimised(
    shop: Shop, kind: Any, scope: Any, target: str
) -> None:
    shop.buyer(1)
    plan = shop.approved_plan()
    before = charge(shop, "ch_1")
    shop.hold(scope, target, kind=kind)
    result = execute(shop.settings, plan.plan_id)
    assert charge(shop, "ch_1") == before
    assert result.minimised == 0
    assert shop.outcome(plan)[HELD] >= 1


def test_a_hold_in_doubt_covers_the_columns_of_a_record_of_nobody(shop: Shop) -> None:
    """The person is gone and a sync restored the values; either of two persons may be whose they are."""
    shop.buyer(1)
    execute(shop.settings, shop.approved_plan().plan_id)
    restore(shop)
    shop.add("account", id="acc_1", email="felles@shop.example")
    for number in (5, 6):
        shop.add("person", id=number, email="felles@shop.example")
    plan = shop.approved_plan()
    assert ("shop.charge", "minimise") in {(c.table, c.disposition) for c in plan.counts}
    shop.hold("subject", "shop.person:6")
    execute(shop.settings, plan.plan_id)
    assert charge(shop, "ch_1")["note"] == "igjen"
    assert shop.outcome(plan) == {HELD: 1}
    shop.classify()
    plan = shop.plan()
    assert plan.waiting == {"held, restricted or locked since the classification": 1}


def test_what_is_blocked_before_the_plan_is_not_planned(shop: Shop) -> None:
    shop.buyer(1)
    shop.classify()
    shop.hold("record", "shop.charge:ch_1")
    plan = shop.plan()
    assert "shop.charge" not in {count.table for count in plan.counts}
    assert plan.waiting == {"held, restricted or locked since the classification": 1}


@pytest.mark.parametrize("status", ["held", "restricted", "locked", "review"])
def test_a_record_of_another_status_is_not_minimised(shop: Shop, status: str) -> None:
    shop.buyer(1)
    shop.judge("charge", "ch_1", status)
    shop.classify()
    assert "shop.charge" not in {count.table for count in shop.plan().counts}


def test_a_row_whose_own_ground_has_expired_is_purged_and_not_minimised(shop: Shop) -> None:
    shop.buyer(1)
    shop.judge("charge", "ch_1", "overdue")
    plan = shop.approved_plan()
    assert {c.disposition for c in plan.counts} == {"purge"}
    result = execute(shop.settings, plan.plan_id)
    assert (result.minimised, shop.keys("charge")) == (0, set())


@pytest.mark.parametrize("status", ["review", "held", "overdue"])
def test_a_row_that_is_judged_otherwise_since_the_plan_is_left_alone(
    shop: Shop, status: str
) -> None:
    shop.buyer(1)
    plan = shop.approved_plan()
    before = charge(shop, "ch_1")
    shop.judge("charge", "ch_1", status)
    shop.classify()
    execute(shop.settings, plan.plan_id)
    assert charge(shop, "ch_1") == before
    assert shop.outcome(plan) == {"purged": PURGED, OVERDUE_NO_MORE: 1}


def test_a_ground_of_the_columns_that_changed_since_the_plan_is_planned_anew(shop: Shop) -> None:
    shop.buyer(1)
    plan = shop.approved_plan()
    before = charge(shop, "ch_1")
    shop.conn.execute(
        "update retention.grounds set due_on = due_on - 1 where column_group = 'person'"
    )
    shop.conn.commit()
    execute(shop.settings, plan.plan_id)
    assert charge(shop, "ch_1") == before
    assert shop.outcome(plan)[JUDGED_ANEW] == 1


def test_a_row_whose_facts_changed_since_the_classification_is_left_alone(shop: Shop) -> None:
    shop.buyer(1)
    shop.buyer(2)
    plan = shop.approved_plan()
    before = charge(shop, "ch_1")
    shop.add("contact", person_id=1)
    execute(shop.settings, plan.plan_id)
    assert charge(shop, "ch_1") == before
    assert charge(shop, "ch_2")["note"] is None
    assert shop.outcome(plan)[CHANGED] == PURGED + 1


def test_what_became_null_by_itself_is_skipped(shop: Shop) -> None:
    """Nothing was done, so nothing is claimed."""
    shop.buyer(1)
    plan = shop.approved_plan()
    shop.conn.execute("update shop.charge set note = null, receipt_email = null")
    shop.conn.commit()
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan) == {"purged": PURGED, EMPTY: 1}
    assert shop.one("select count(*) from ledger.column_tombstones") == 0
    assert found(shop, plan) == set()


def test_a_key_that_stands_for_two_rows_undoes_the_batch(shop: Shop) -> None:
    shop.buyer(1)
    plan = shop.approved_plan()
    shop.conn.execute("alter table shop.charge drop constraint charge_pkey")
    shop.conn.execute("insert into shop.charge select * from shop.charge")
    # What the look at the live rows finds; here it slips through.
    shop.conn.execute("insert into staging.stg_shop__charge select * from staging.stg_shop__charge")
    shop.conn.commit()
    before = shop.rows()
    with pytest.raises(WarehouseError, match="stands for more than one row"):
        execute(shop.settings, plan.plan_id)
    assert shop.rows() == before


# --- the straight path -------------------------------------------------------------------------


def test_a_plan_offers_it_beside_what_is_purged(shop: Shop) -> None:
    shop.buyer(1)
    shop.classify()
    plan = shop.plan()
    assert plan.counts == preview(shop.settings).counts
    (line,) = [count for count in plan.counts if count.disposition == "minimise"]
    assert (line.table, line.rule_id, line.records, line.restored) == ("shop.charge", "R3", 1, 0)
    assert line.oldest_due_on == plan.as_of - timedelta(days=30)


def test_evidence_counts_it_apart_and_the_story_is_whole(shop: Shop) -> None:
    shop.buyer(1)
    shop.buyer(2)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    (batch,) = [e.content for e in entries.of_plan(shop.conn, plan.plan_id, "batch")]
    assert (batch["purged"], batch["minimised"]) == (2 * PURGED, 2)
    assert batch["rules_minimised"] == {"R3": 2}
    charges = next(t for t in batch["tables"] if t["table"] == "shop.charge")
    assert charges == {
        "table": "shop.charge",
        "rows_before": 2,
        "purged": 0,
        "minimised": 2,
        "rows_after": 2,
    }
    result = verify.read_back(shop.settings, plan.plan_id)
    assert (result.findings, result.column_tombstones) == ((), 2)
    assert show(shop.settings, plan.plan_id).outcome == {"minimised": 2, "purged": 2 * PURGED}
    report = deletion.build(shop.settings, plan.plan_id)
    assert report["execution"]["minimised"] == 2
    assert report["counts"]["minimised_by_table"] == [
        {
            "table": "shop.charge",
            "rule_id": "R3",
            "columns": ["receipt_email", "note"],
            "minimised": 2,
        }
    ]
    (end,) = entries.of_plan(shop.conn, plan.plan_id, "executed")
    assert (end.content["purged"], end.content["minimised"]) == (2 * PURGED, 2)


def test_what_a_plan_leaves_holds_tokens_and_no_key(shop: Shop) -> None:
    shop.buyer(7_345_892_220_011)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    for table in ("entries", "plans", "plan_items", "tombstones", "column_tombstones", "guards"):
        held = shop.one(
            f"select coalesce(string_agg(held::text, ' '), '') from ledger.{table} as held"
        )
        for secret in ("7345892220011", "ring meg", "Navn", "@shop.example"):
            assert secret not in held, (table, secret)


def test_minimising_waits_for_no_other_record(shop: Shop) -> None:
    """Null columns take no fact away, so a record that keeps the person's evidence keeps no column."""
    shop.buyer(1)
    shop.judge("recording", 1, "retained")
    plan = shop.approved_plan()
    result = execute(shop.settings, plan.plan_id)
    assert result.minimised == 1
    assert "person" in shop.tables_with(1)


def test_the_same_records_are_not_offered_again_the_same_day(shop: Shop) -> None:
    shop.buyer(1)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    assert shop.plan().state == "empty"
    assert shop.one("select has_minimisable from staging.stg_shop__charge") is False
    disposition = shop.one("select disposition from retention.records")
    assert disposition == "purge"


def test_columns_that_have_not_landed_are_passed_over(shop: Shop) -> None:
    """A connector makes a column when it first has a value for it."""
    shop.conn.execute("alter table shop.charge drop column note")
    shop.numbers = 10
    shop.person(1)
    shop.add("account", id="acc_1", email="person1@shop.example")
    # As staging does: only what has landed is looked at.
    shop.conn.execute("alter table shop.charge add column note text")
    shop.add("charge", id="ch_1", account_id="acc_1", receipt_email="a@shop.example")
    plan = shop.approved_plan()
    shop.conn.execute("alter table shop.charge drop column note")
    shop.conn.commit()
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan)["minimised"] == 1
    assert shop.one("select columns from ledger.column_tombstones") == ["receipt_email"]
    assert found(shop, plan) == set()


# --- a later sync restores the values ----------------------------------------------------------


def restore(shop: Shop, *columns: str) -> None:
    for column in columns or ("note",):
        shop.conn.execute(
            sql.SQL("update shop.charge set {} = 'igjen'").format(sql.Identifier(column))
        )
    shop.conn.commit()


def test_restored_values_are_found_minimised_again_and_shown_as_restored(shop: Shop) -> None:
    """The person was purged in the same plan: only what was kept of the ground still says it is due."""
    shop.buyer(1)
    first = shop.approved_plan()
    execute(shop.settings, first.plan_id)
    assert found(shop) == set()
    restore(shop)
    assert found(shop) == {("shop.charge", AGAIN, 1)}
    assert found(shop, first) == {("shop.charge", AGAIN, 1)}
    shop.classify()
    seen = preview(shop.settings)
    second = shop.approve(shop.plan())
    assert [(c.table, c.disposition, c.restored) for c in second.counts] == [
        ("shop.charge", "minimise", 1)
    ]
    assert seen.counts == second.counts
    execute(shop.settings, second.plan_id)
    assert charge(shop, "ch_1")["note"] is None
    assert found(shop) == set()
    assert show(shop.settings, second.plan_id).counts[0].restored == 1
    assert show(shop.settings, first.plan_id).counts[-1].restored == 0


def test_a_restored_value_of_a_person_who_came_back_is_no_finding(shop: Shop) -> None:
    shop.buyer(1)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    restore(shop)
    shop.add("person", id=1, email="person1@shop.example")
    shop.add("account", id="acc_1", email="person1@shop.example")
    shop.overdue.clear()
    shop.classify()
    shop.conn.execute(
        "update retention.grounds set anchor_on = ledger.today() where column_group = 'person'"
    )
    shop.conn.commit()
    assert AGAIN not in {what for _, what, _ in found(shop, plan)}
    assert shop.plan().state == "empty"


def test_a_held_row_is_minimised_when_it_is_released_although_its_person_is_gone(
    shop: Shop,
) -> None:
    shop.buyer(1)
    plan = shop.approved_plan()
    hold = shop.hold("record", "shop.charge:ch_1")
    execute(shop.settings, plan.plan_id)
    assert (shop.keys("person"), charge(shop, "ch_1")["note"]) == (set(), "ring meg")
    shop.conn.execute("select ledger.release_blocker(%s)", (hold,))
    shop.conn.commit()
    second = shop.approved_plan()
    assert [count.restored for count in second.counts] == [0]
    execute(shop.settings, second.plan_id)
    assert charge(shop, "ch_1")["note"] is None


def test_the_kept_ground_is_forgotten_with_its_record(shop: Shop) -> None:
    shop.buyer(1)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    assert shop.one("select count(*) from ledger.column_grounds") == 1
    shop.judge("charge", "ch_1", "overdue")
    second = shop.approved_plan()
    execute(shop.settings, second.plan_id)
    assert shop.keys("charge") == set()
    assert shop.one("select count(*) from ledger.column_grounds") == 0
    assert found(shop) == set()


# --- what cannot become null -------------------------------------------------------------------

FIXED = {
    "not null": "alter table shop.charge alter column note set not null",
    "unique": "create unique index on shop.charge (note)",
    "part of a key": "alter table shop.charge add unique (note, id)",
    "checked": "alter table shop.charge add check (note <> '')",
    "foreign key": "create table shop.notes (note text primary key);"
    "insert into shop.notes values ('ring meg');"
    "alter table shop.charge add foreign key (note) references shop.notes",
    "a type": "create domain shop.told as text not null;"
    "alter table shop.charge alter column note type shop.told",
    "generated": "alter table shop.charge drop column note;"
    "alter table shop.charge add column note text generated always as (id || 'x') stored",
    "read by a generated one": "alter table shop.charge add column noted text"
    " generated always as (note || 'x') stored",
}


@pytest.mark.parametrize("kind", FIXED)
def test_a_column_that_cannot_become_null_sets_aside_the_minimisation_alone(
    shop: Shop, kind: str
) -> None:
    shop.buyer(1)
    shop.conn.execute(FIXED[kind])
    shop.conn.commit()
    plan = shop.approved_plan()
    compared = compare(shop.conn, shop.declarations)
    finding = compared.of_kind(FindingKind.COLUMN_NOT_NULLABLE)
    assert [(one.table, one.column) for one in finding] == [("charge", "note")]
    assert "shop.charge" not in compared.set_aside
    assert plan.waiting == {"a column of it that is to be minimised cannot become null": 1}
    before = shop.one("select to_jsonb(c) from shop.charge as c")
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan) == {"purged": PURGED}
    assert shop.one("select to_jsonb(c) from shop.charge as c") == before


def test_a_constraint_that_came_after_the_approval_skips_the_table(shop: Shop) -> None:
    shop.buyer(1)
    plan = shop.approved_plan()
    shop.conn.execute(FIXED["not null"])
    shop.conn.commit()
    before = charge(shop, "ch_1")
    execute(shop.settings, plan.plan_id)
    assert charge(shop, "ch_1") == before
    assert shop.outcome(plan)["a column of it that is to be minimised cannot become null"] == 1


def test_a_trigger_that_would_answer_the_update_keeps_the_table_out(shop: Shop) -> None:
    shop.buyer(1)
    shop.conn.execute(
        "create function shop.meddle() returns trigger language plpgsql as"
        " 'begin new.amount := 0; return new; end'"
    )
    shop.conn.execute(
        "create trigger meddle before update on shop.charge for each row execute function shop.meddle()"
    )
    shop.conn.commit()
    shop.classify()
    assert shop.plan().waiting == {"its table has a trigger or a rule on update": 1}


def test_the_batch_itself_sees_that_another_column_changed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last guard, with the one before it taken out: nothing of the batch stays."""
    monkeypatch.setattr("retention.plan.tables._minimise_refusal", lambda *_: None)
    shop.buyer(1)
    shop.conn.execute(
        "alter table shop.charge add column _fivetran_x text generated always as (note || 'x') stored"
    )
    shop.conn.commit()
    plan = shop.approved_plan()
    before = shop.rows()
    with pytest.raises(WarehouseError, match="changed with those that were minimised"):
        execute(shop.settings, plan.plan_id)
    assert shop.rows() == before
    assert shop.one("select count(*) from ledger.column_tombstones") == 0


NULLABLE = "{kind: other, not_required_by: [accounting]}"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{buyer: name, ", f"{{buyer: name, account_id: {NULLABLE}, ", "cannot be minimised"),
        ("{buyer: name, ", f"{{buyer: name, id: {NULLABLE}, ", "cannot be minimised"),
        ("{buyer: name, ", f"{{buyer: name, charged_at: {NULLABLE}, ", "cannot be minimised"),
        (
            "accounting: {document_date: charged_at, class: primary}",
            "follows: person",
            "accounting documents with a `subject`",
        ),
    ],
)
def test_a_declaration_that_would_take_a_link_or_a_date_away_does_not_hold(
    shop: Shop, old: str, new: str, words: str
) -> None:
    path = shop.settings.declarations_dir / "_shop__sources.yml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    with pytest.raises(UsageError, match=words):
        load_declarations(shop.settings.declarations_dir)
