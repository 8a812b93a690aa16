"""What a purge must not delete, and that it deletes what it should.

Belongs here: everything that happened before a batch took its locks. Does not belong here: what races
against a batch (test_purge_races.py), killed processes (tests/crash) and who may do what.
"""

from datetime import timedelta
from typing import Any

import pytest

from retention import holds, verify
from retention.ledger import entries
from retention.plan import Plan
from retention.purge import execute
from retention.purge.guards import DECIDED, HELD
from retention.purge.live import CHANGED
from retention.purge.reclassified import (
    CASE_CHANGED,
    JUDGED_ANEW,
    OVERDUE_NO_MORE,
    STANDS_FOR_OTHERS,
)
from tests.factories import LONG_AGO, Shop

pytestmark = pytest.mark.integration

#: Rows of one overdue person of Shop.person, and of one of Shop.customer.
PERSON_ROWS = 6
CUSTOMER_ROWS = PERSON_ROWS + 4


def purge(shop: Shop, plan: Plan, **options: Any) -> None:
    execute(shop.settings, plan.plan_id, **options)


# --- the straight path -------------------------------------------------------------------------


def test_an_approved_plan_is_purged_and_nothing_else_changes(shop: Shop) -> None:
    shop.customer(1)
    shop.customer(2, overdue=False)
    shop.add("objection")
    plan = shop.approved_plan()
    before = shop.rows()
    result = execute(shop.settings, plan.plan_id)
    after = shop.rows()
    assert after < before
    assert result.purged == plan.items == len(before - after) == CUSTOMER_ROWS
    assert shop.outcome(plan) == {"purged": plan.items}
    for table in (
        "person",
        "lead",
        "contact",
        "mail",
        "recording",
        "visit",
        "assignment",
        "document",
    ):
        assert shop.keys(table) == {"2"}, table
    assert verify.read_back(shop.settings, plan.plan_id).findings == ()


def test_soft_deleted_rows_and_old_versions_are_purged_by_their_own_items(shop: Shop) -> None:
    shop.customer(1)
    shop.conn.execute("update shop.person set _fivetran_deleted = true")
    plan = shop.approved_plan()
    counts = {count.table: count.records for count in plan.counts}
    assert counts["shop.assignment"] == 2
    assert counts["shop.person"] == 1
    purge(shop, plan)
    assert shop.keys("assignment") == shop.keys("person") == set()


def test_composite_and_text_keys_find_exactly_their_row(shop: Shop) -> None:
    """Keys with quotes, brackets, and a time with microseconds come back from text as they were."""
    shop.person(1)
    odd = LONG_AGO + timedelta(microseconds=123456)
    shop.add("visit", person_id=1, visited_at=odd, page='["a", \\ ø]')
    shop.add("visit", person_id=2, visited_at=odd, page='["a", \\ ø]')
    plan = shop.approved_plan()
    purge(shop, plan)
    assert shop.keys("visit") == {"2"}


def test_a_personal_key_is_matched_by_its_hash(shop: Shop) -> None:
    shop.add("objection", email="Nei@Shop.example")
    shop.add("objection", email="ja@shop.example")
    shop.classify()
    key = shop.one(
        "select sletteplikt.link_hash('key', 'Nei@Shop.example')",
    )
    shop.judge("objection", key, "overdue")
    plan = shop.approved_plan()
    assert plan.items == 1
    purge(shop, plan)
    assert shop.keys("objection") == {"ja@shop.example"}


def test_batches_hold_whole_cases(shop: Shop) -> None:
    for number in range(1, 6):
        shop.person(number)
    plan = shop.approved_plan()
    result = execute(shop.settings, plan.plan_id, batch_items=PERSON_ROWS + 1)
    sizes = [entry.content["purged"] for entry in entries.of_plan(shop.conn, plan.plan_id, "batch")]
    assert sizes == [2 * PERSON_ROWS, 2 * PERSON_ROWS, PERSON_ROWS]
    assert result.batches == 3


def test_the_models_hold_nothing_of_what_was_purged(shop: Shop) -> None:
    shop.customer(1)
    shop.customer(2, overdue=False)
    plan = shop.approved_plan()
    purge(shop, plan)
    for relation in (
        "staging.stg_shop__person",
        "intermediate.int_records_unioned",
        "intermediate.int_record_cases",
        "retention.records",
        "retention.grounds",
    ):
        found = shop.one(f"select count(*) from {relation} where record_key = '1'")
        assert found == 0, relation
    for relation in ("int_subjects", "int_person_winners", "int_case_fingerprints"):
        column = "case_id" if relation == "int_case_fingerprints" else "subject_id"
        left = shop.conn.execute(
            f"select {column} from intermediate.{relation} where {column} like 'shop.person%'"
        ).fetchall()
        assert left == [("shop.person:2",)], relation
    assert shop.one("select count(*) from intermediate.int_leads_decided") == 1
    assert shop.one("select sum(records) from retention.summary") == shop.one(
        "select count(*) from retention.records"
    )


def test_afterwards_the_ledger_names_no_purged_record(shop: Shop) -> None:
    shop.customer(1)
    shop.classify()
    holds.release(shop.settings, shop.hold("record", "shop.person:1"))
    plan = shop.approved_plan()
    purge(shop, plan)
    assert shop.one("select count(*) from ledger.plan_items where record_key is not null") == 0
    assert shop.one("select count(*) from ledger.plan_items where case_id is not null") == 0
    assert shop.one("select count(*) from ledger.subject_tokens") == 0
    assert shop.one("select count(*) from ledger.blockers where target is not null") == 0
    guards = {row[0] for row in shop.conn.execute("select guard_key from ledger.guards").fetchall()}
    assert all(guard.startswith("table:") for guard in guards), guards


# --- evidence ----------------------------------------------------------------------------------


def test_every_purged_row_has_a_tombstone_and_stands_in_a_batch(shop: Shop) -> None:
    for number in range(1, 4):
        shop.customer(number)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id, batch_items=1)
    written = entries.of_plan(shop.conn, plan.plan_id)
    assert [entry.kind for entry in written] == [
        "plan",
        "approval",
        "execution_started",
        *["batch"] * 6,
        "executed",
        "notices_opened",
    ]
    batches = [entry.content for entry in written if entry.kind == "batch"]
    assert sum(batch["purged"] for batch in batches) == plan.items
    assert shop.one("select count(*) from ledger.tombstones") == plan.items
    assert all(
        table["rows_before"] - table["purged"] == table["rows_after"]
        for batch in batches
        for table in batch["tables"]
    )


def test_evidence_holds_no_key_and_no_value(shop: Shop) -> None:
    """The id is a long number here, so that finding it in a body cannot be chance."""
    canary = 7_345_892_220_011
    shop.customer(canary)
    shop.add("contact", person_id=canary, notes="kanarifugl")
    plan = shop.approved_plan()
    purge(shop, plan)
    verify.read_back(shop.settings, plan.plan_id)
    for table in (
        "entries",
        "plans",
        "plan_items",
        "tombstones",
        "guards",
        "subject_tokens",
        "returned_records",
    ):
        held = shop.one(
            f"select coalesce(string_agg(held::text, ' '), '') from ledger.{table} as held"
        )
        for secret in (str(canary), "kanarifugl", "Navn", "@shop.example"):
            assert secret not in held, (table, secret)


# --- what must stay ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["hold", "restriction"])
def test_a_blocked_person_is_skipped_and_the_next_one_purged(shop: Shop, kind: Any) -> None:
    shop.customer(1)
    shop.customer(2)
    plan = shop.approved_plan()
    before = shop.tables_with(1)
    shop.hold("subject", "shop.person:1", kind=kind)
    purge(shop, plan)
    # The third person in the document is nobody's record but the assignment's.
    assert shop.outcome(plan) == {"purged": CUSTOMER_ROWS + 1, HELD: CUSTOMER_ROWS - 1}
    assert shop.tables_with(1) == before - {"party"}
    assert shop.tables_with(2) == set()


def test_a_locked_assignment_keeps_its_file_and_the_person_it_stands_for(shop: Shop) -> None:
    shop.customer(1)
    shop.add("document", id=77, assignment_id=1)
    plan = shop.approved_plan()
    shop.hold("assignment", "shop.assignment:1", kind="lock", until_on=plan.as_of)
    purge(shop, plan)
    assert shop.keys("document") == {"1", "77"}
    assert shop.keys("assignment") == {"1"}
    assert shop.keys("party") == {"party-1"}
    # Its person and what shows the relationship stay too; supporting records do not.
    assert shop.keys("person") == shop.keys("contact") == shop.keys("mail") == {"1"}
    assert shop.keys("recording") == shop.keys("visit") == set()


def test_a_hold_on_one_document_keeps_its_assignment_but_not_the_other(shop: Shop) -> None:
    shop.customer(1)
    shop.add("assignment", id=9, person_id=1)
    shop.add("document", id=9, assignment_id=9)
    plan = shop.approved_plan()
    shop.hold("record", "shop.document:9")
    purge(shop, plan)
    assert shop.keys("document") == {"9"}
    assert shop.keys("assignment") == {"9"}
    outcome = shop.outcome(plan)
    assert outcome[HELD] == 1
    # The assignment, the person, the contact and the mail; the lead under R1 has its own date.
    assert outcome[STANDS_FOR_OTHERS] == 4
    assert shop.keys("lead") == set()


def test_a_hold_on_a_table_keeps_all_of_it(shop: Shop) -> None:
    shop.person(1)
    shop.person(2)
    plan = shop.approved_plan()
    shop.hold("table", "shop.recording")
    purge(shop, plan)
    assert shop.keys("recording") == {"1", "2"}
    assert shop.outcome(plan)[HELD] == 2


def test_a_hold_that_was_released_before_the_purge_keeps_nothing(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    for _ in range(2):
        placed = shop.hold("record", "shop.person:1")
    holds.release(shop.settings, placed)
    purge(shop, plan)
    assert shop.keys("person") == {"1"}, "one of the two holds still stands"


def add_contact(shop: Shop, n: int) -> None:
    shop.add("contact", person_id=n)


def add_mail(shop: Shop, n: int) -> None:
    shop.add("mail", from_address=f" PERSON{n}@shop.example")


def move_contact(shop: Shop, n: int) -> None:
    shop.conn.execute("update shop.contact set person_id = %s where id = %s", (n, BYSTANDER))


def redate_contact(shop: Shop, n: int) -> None:
    shop.conn.execute("update shop.contact set occurred_at = now() where id = %s", (n,))


def uncount_contact(shop: Shop, n: int) -> None:
    shop.conn.execute("update shop.contact set kind = 'sms' where id = %s", (n,))


def drop_contact(shop: Shop, n: int) -> None:
    shop.conn.execute("delete from shop.contact where id = %s", (n,))


def ask_for_a_right(shop: Shop, n: int) -> None:
    shop.add("request", person_id=n)


def open_assignment(shop: Shop, n: int) -> None:
    shop.add("assignment", person_id=n, state="open")


def reopen_assignment(shop: Shop, n: int) -> None:
    later = LONG_AGO + timedelta(days=99)
    shop.add("assignment", id=n, person_id=n, state="open", _fivetran_start=later)


def end_version(shop: Shop, n: int) -> None:
    shop.conn.execute("update shop.assignment set _fivetran_active = false where id = %s", (n,))


def add_document(shop: Shop, n: int) -> None:
    shop.add("document", assignment_id=n)


def refer_to_partner(shop: Shop, n: int) -> None:
    shop.add("handover", person_id=n, scope="outside")


def add_person_of_same_mail(shop: Shop, n: int) -> None:
    shop.add("person", email=f"person{n}@shop.example")


def change_mail_of_another(shop: Shop, n: int) -> None:
    shop.conn.execute(
        "update shop.person set email = %s where id = %s", (f"person{n}@shop.example", BYSTANDER)
    )


def add_account(shop: Shop, n: int) -> None:
    shop.add("account", email=f"person{n}@shop.example")


def add_recording(shop: Shop, n: int) -> None:
    shop.add("recording", person_id=n)


CHANGES = [
    add_contact,
    add_mail,
    move_contact,
    redate_contact,
    uncount_contact,
    drop_contact,
    ask_for_a_right,
    open_assignment,
    reopen_assignment,
    end_version,
    add_document,
    refer_to_partner,
    add_person_of_same_mail,
    change_mail_of_another,
    add_account,
    add_recording,
]
BYSTANDER = 4_000_000


@pytest.mark.parametrize("batch_items", [1, 5_000])
def test_a_case_whose_facts_changed_since_the_classification_is_left_alone(
    shop: Shop, batch_items: int
) -> None:
    """One person for each kind of change, between persons about whom nothing changed."""
    shop.numbers = 1_000_000
    changed = {1_000 + 2 * number: change for number, change in enumerate(CHANGES)}
    for person in changed:
        shop.customer(person)
        shop.customer(person + 1)
    shop.customer(BYSTANDER, overdue=False)
    plan = shop.approved_plan()
    for person, change in changed.items():
        change(shop, person)
    shop.conn.commit()
    before = {person: shop.tables_with(person) for person in changed}
    purge(shop, plan, batch_items=batch_items)
    for person, change in changed.items():
        # The third person in the document is no record of the customer's; she waits for the file only.
        assert shop.tables_with(person) >= before[person] - {"party"}, change.__name__
        assert shop.tables_with(person + 1) == set(), f"beside {change.__name__}"
    skipped = shop.outcome(plan)
    assert skipped.keys() == {"purged", CHANGED}


def test_a_third_person_in_a_document_that_changed_hands_waits(shop: Shop) -> None:
    """The third person's record has no subject: its case is the assignment."""
    shop.customer(1)
    plan = shop.approved_plan()
    shop.add("party", id="party-new", document_id=1)
    purge(shop, plan)
    assert shop.keys("party") == {"party-1", "party-new"}


def test_a_partners_instruction_is_a_fact_of_who_was_referred(shop: Shop) -> None:
    shop.add("partner", id=5)
    shop.person(1)
    shop.add("handover", id=1, person_id=1, partner_id=5, scope="outside")
    shop.person(2)
    plan = shop.approved_plan()
    shop.conn.execute("update shop.partner set instruction_period = 'P10Y' where id = 5")
    shop.conn.commit()
    purge(shop, plan)
    assert shop.keys("person") == {"1"}


def test_a_mail_of_nobody_known_waits_when_its_sender_becomes_known(shop: Shop) -> None:
    """Its case is the mail alone; a new person with that address makes it a contact of hers."""
    shop.add("mail", id=1, from_address="ukjent@shop.example")
    shop.add("mail", id=2, from_address="annen@shop.example")
    shop.judge("mail", 1, "overdue")
    shop.judge("mail", 2, "overdue")
    plan = shop.approved_plan()
    assert plan.items == 2
    shop.add("person", id=1, email="Ukjent@shop.example")
    purge(shop, plan)
    assert shop.keys("mail") == {"1"}


def test_a_charge_of_nobody_known_waits_when_its_payer_becomes_known(shop: Shop) -> None:
    """Two links away: the charge names an account, and the account's address is a new person's."""
    shop.add("account", id="acc_x", email="ukjent@shop.example")
    shop.add("charge", id="ch_x", account_id="acc_x")
    shop.add("charge", id="ch_y", account_id="acc_y")
    shop.judge("charge", "ch_x", "overdue")
    shop.judge("charge", "ch_y", "overdue")
    plan = shop.approved_plan()
    assert plan.items == 2
    shop.add("person", id=1, email="ukjent@shop.example")
    purge(shop, plan)
    assert shop.keys("charge") == {"ch_x"}


def test_a_re_sync_that_rewrites_system_columns_changes_no_fact(shop: Shop) -> None:
    shop.customer(1)
    plan = shop.approved_plan()
    shop.conn.execute("update shop.person set _fivetran_synced = now()")
    shop.conn.execute("update shop.contact set notes = 'omskrevet', _fivetran_synced = now()")
    shop.conn.commit()
    purge(shop, plan)
    assert shop.outcome(plan) == {"purged": plan.items}


def test_what_is_not_overdue_any_more_is_skipped(shop: Shop) -> None:
    shop.person(1)
    shop.person(2)
    plan = shop.approved_plan()
    shop.judge("recording", 1, "retained")
    shop.judge("person", 2, "review")
    shop.classify()
    purge(shop, plan)
    outcome = shop.outcome(plan)
    assert outcome[OVERDUE_NO_MORE] == 2
    # Both persons now keep something that stands on their contacts.
    assert shop.keys("person") == shop.keys("contact") == {"1", "2"}
    assert shop.keys("recording") == {"1"}


def test_what_is_judged_otherwise_is_skipped(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    shop.classify()
    shop.conn.execute(
        "update retention.records set due_on = due_on - 1 where source_table = 'visit'"
    )
    shop.conn.commit()
    purge(shop, plan)
    assert shop.outcome(plan)[JUDGED_ANEW] == 1


def test_a_case_that_was_classified_from_other_facts_is_skipped(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    shop.add("contact", id=900, person_id=1)
    shop.classify()
    purge(shop, plan)
    assert shop.outcome(plan) == {CASE_CHANGED: PERSON_ROWS}


def test_what_a_person_decided_since_is_skipped(shop: Shop) -> None:
    shop.person(1)
    shop.judge("recording", 1, "review")
    shop.classify()
    shop.conn.execute(
        "select ledger.decide_review('shop', 'recording', '1', 'purge', 'no use for it')"
    )
    shop.conn.commit()
    shop.judged.clear()
    plan = shop.approved_plan()
    shop.conn.execute(
        "select ledger.decide_review("
        "'shop', 'recording', '1', 'keep', 'needed after all', keep_until => ledger.today())"
    )
    shop.conn.commit()
    purge(shop, plan)
    assert shop.outcome(plan)[DECIDED] == 1
    assert shop.keys("recording") == {"1"}


def test_rows_beside_the_plan_hash_the_same(shop: Shop) -> None:
    for number in range(1, 9):
        shop.customer(number, overdue=number % 2 == 0)
    for _ in range(4):
        shop.add("objection")
        shop.add("charge")
        shop.add("mail", from_address="ukjent@shop.example")
    plan = shop.approved_plan()
    before = shop.rows()
    purge(shop, plan)
    after = shop.rows()
    assert after < before
    assert len(before - after) == plan.items == 4 * CUSTOMER_ROWS
    for number in range(1, 9):
        assert bool(shop.tables_with(number)) == (number % 2 == 1), number
