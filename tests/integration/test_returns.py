"""Rows that were purged and land again are recognised, cheaply, and leave no key behind.

Belongs here: finding them in landing, and the suppression list. Does not belong here: what the
classification makes of them (test_what_came_back.py and dbt's unit tests).
"""

from datetime import timedelta
from typing import Any

import pytest

from retention import returns, suppressions
from retention.errors import Refused, UsageError
from retention.keys import VARIABLE, key_path
from retention.plan import Plan
from retention.purge import execute
from tests.factories import LONG_AGO, Shop

pytestmark = pytest.mark.integration


def recognise(shop: Shop) -> int:
    return returns.recognise(shop.settings, shop.declarations)


def known(shop: Shop) -> set[tuple[str, str]]:
    """Table and key of everything that the ledger knows to have come back."""
    rows = shop.conn.execute(
        "select source_table, record_key from ledger.returned_records"
    ).fetchall()
    shop.conn.commit()
    return {(table, key) for table, key in rows}


def run(shop: Shop, statement: str, *values: Any) -> None:
    shop.conn.execute(statement, values)
    shop.conn.commit()


def purge_person(shop: Shop, number: int = 1) -> Plan:
    """Look at landing, as each classification does, then purge what is overdue."""
    shop.customer(number)
    shop.customer(number + 1, overdue=False)
    for table in shop.declarations.governed:
        run(shop, f"create temporary table source_{table.name} as table shop.{table.name}")
    recognise(shop)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    return plan


def re_sync(shop: Shop) -> None:
    """Land again what the source still has of every table and landing has not."""
    for table in shop.declarations.governed:
        keys = ", ".join(table.key)
        run(
            shop,
            f"insert into shop.{table.name} select * from source_{table.name} where ({keys})"
            f" not in (select {keys} from shop.{table.name})",
        )


# --- what must not happen ----------------------------------------------------------------------


def test_what_was_never_purged_has_not_come_back(shop: Shop) -> None:
    """Neither the neighbour, nor new rows, nor a re-sync that writes every row anew."""
    purge_person(shop)
    shop.person(7)
    run(shop, "update shop.person set _fivetran_synced = now(), _fivetran_deleted = true")
    run(shop, "update shop.person set _fivetran_deleted = false")
    run(shop, "update shop.contact set _fivetran_synced = now()")
    assert recognise(shop) == 0
    assert known(shop) == set()


def test_no_key_is_left_after_it_is_purged_again(shop: Shop) -> None:
    purge_person(shop)
    re_sync(shop)
    assert recognise(shop) > 0
    again = shop.approved_plan()
    execute(shop.settings, again.plan_id)
    assert shop.tables_with(1) == set()
    assert known(shop) == set()
    assert shop.one("select count(*) from ledger.tombstones") == 2 * again.items
    re_sync(shop)
    assert recognise(shop) == again.items, "and once more it would be recognised"


def test_no_key_is_left_of_what_the_source_removed_again(shop: Shop) -> None:
    purge_person(shop)
    re_sync(shop)
    recognise(shop)
    run(shop, "delete from shop.contact where person_id = 1")
    run(shop, "drop table shop.recording")
    recognise(shop)
    assert not {"contact", "recording"} & {table for table, _ in known(shop)}
    assert ("person", "1") in known(shop)


def test_no_key_is_left_of_a_table_that_is_declared_no_more(shop: Shop) -> None:
    purge_person(shop)
    re_sync(shop)
    recognise(shop)
    rest = tuple(t for t in shop.declarations.tables if t.name != "visit")
    returns.recognise(shop.settings, shop.declarations.model_copy(update={"tables": rest}))
    assert "visit" not in {table for table, _ in known(shop)}
    assert recognise(shop) == 1, "declared again, it is looked at as a whole"


def test_without_the_key_nothing_is_taken_for_new(shop: Shop, monkeypatch: Any) -> None:
    purge_person(shop)
    monkeypatch.setenv(VARIABLE, "ab" * 32)
    with pytest.raises(Refused, match="put that key back"):
        recognise(shop)
    monkeypatch.delenv(VARIABLE)
    key_path(shop.settings).unlink()
    with pytest.raises(Refused, match="is lost"):
        recognise(shop)


def test_before_the_first_purge_no_key_is_needed(shop: Shop) -> None:
    key_path(shop.settings).unlink()
    shop.customer(1)
    shop.add("objection")
    assert recognise(shop) == 0


# --- what is recognised ------------------------------------------------------------------------


def test_every_row_of_a_re_sync_is_recognised_with_what_its_tombstone_says(shop: Shop) -> None:
    plan = purge_person(shop)
    re_sync(shop)
    assert recognise(shop) == plan.items
    assert ("assignment", '["1","2020-05-04T10:00:00.000000Z"]') in known(shop)
    row = shop.conn.execute(
        "select anchor_on = ledger.today() - 400, own_on, rule_id, plan_id, purged_at is not null"
        " from ledger.returned_records where source_table = 'contact'"
    ).fetchone()
    assert row == (True, LONG_AGO.date(), "SUPPORTING", plan.plan_id, True)
    assert recognise(shop) == 0, "they are known already"


def test_a_personal_key_is_recognised_by_its_hash(shop: Shop) -> None:
    shop.add("objection", email="Nei@Shop.example")
    shop.classify()
    key = shop.one("select record_key from retention.records")
    shop.judge("objection", key, "overdue")
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    shop.add("objection", email="Nei@Shop.example")
    recognise(shop)
    assert known(shop) == {("objection", key)}


def test_a_row_that_says_it_was_synced_long_ago_is_recognised(shop: Shop) -> None:
    """A table restored from a backup bears the times of its first load; some tables bear none."""
    purge_person(shop)
    shop.add("contact", id=1, person_id=1, _fivetran_synced=LONG_AGO - timedelta(days=900))
    run(shop, "alter table shop.recording drop column _fivetran_synced")
    run(shop, "insert into shop.recording (id, person_id) values (1, 1)")
    assert recognise(shop) == 2


def test_a_load_that_commits_after_the_look_is_found_by_the_next(shop: Shop) -> None:
    purge_person(shop)
    with shop.conn.transaction():
        shop.add("contact", conn=shop.conn, id=1, person_id=1)
        assert recognise(shop) == 0
    shop.add("lead", id=1, person_id=1)
    assert recognise(shop) == 2


def test_a_table_made_anew_is_looked_at_as_a_whole(shop: Shop) -> None:
    purge_person(shop)
    shop.add("contact", id=1, person_id=1)
    run(shop, "create table shop.copy as table shop.contact")
    run(shop, "delete from shop.contact where id = 1")
    recognise(shop)
    run(shop, "drop table shop.contact; alter table shop.copy rename to contact")
    assert recognise(shop) == 1


def test_only_rows_written_since_the_last_look_are_met_with_tombstones(shop: Shop) -> None:
    purge_person(shop)
    shop.add("contact", id=1, person_id=1)
    before = shop.one("select min(written_since::text::bigint) from ledger.returns_looked_for")
    run(shop, "update ledger.returns_looked_for set written_since = pg_current_xact_id()")
    assert recognise(shop) == 0, "as if the look had come after the row"
    run(shop, "update ledger.returns_looked_for set written_since = %s::text::xid8", before)
    assert recognise(shop) == 1


def test_a_table_that_is_set_aside_is_looked_at_when_it_is_whole_again(shop: Shop) -> None:
    purge_person(shop)
    shop.add("contact", id=1, person_id=1)
    run(shop, "alter table shop.contact rename column occurred_at to happened_at")
    assert recognise(shop) == 0
    run(shop, "alter table shop.contact rename column happened_at to occurred_at")
    assert recognise(shop) == 1


# --- objections to marketing -------------------------------------------------------------------


def test_an_objection_outlives_its_row(shop: Shop) -> None:
    shop.add("objection", email="Nei@Shop.example")
    recognise(shop)
    shop.classify()
    shop.judge("objection", shop.one("select record_key from retention.records"), "overdue")
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    assert shop.keys("objection") == set()
    assert suppressions.is_suppressed(shop.settings, email=" NEI@shop.example")
    assert not suppressions.is_suppressed(shop.settings, email="ja@shop.example")


def test_an_objection_that_no_classification_saw_is_kept_by_the_purge_itself(shop: Shop) -> None:
    shop.add("objection", email="nei@shop.example")
    shop.classify()
    shop.judge("objection", shop.one("select record_key from retention.records"), "overdue")
    plan = shop.approved_plan()
    assert shop.one("select count(*) from ledger.suppressions") == 0
    execute(shop.settings, plan.plan_id)
    assert suppressions.is_suppressed(shop.settings, email="nei@shop.example")


def test_the_list_holds_no_contact_point_and_no_token_of_a_row(shop: Shop) -> None:
    shop.add("objection", email="nei@shop.example")
    recognise(shop)
    recognise(shop)
    assert shop.one("select count(*) from ledger.suppressions") == 1
    held = shop.one("select string_agg(held::text, ' ') from ledger.suppressions as held")
    assert "shop.example" not in held
    assert (
        shop.one(
            "select count(*) from ledger.suppressions where token in"
            " (select token from ledger.tombstones)"
        )
        == 0
    )


def test_asking_about_nobody_is_wrong_usage(shop: Shop) -> None:
    with pytest.raises(UsageError, match="give an e-mail"):
        suppressions.is_suppressed(shop.settings)
