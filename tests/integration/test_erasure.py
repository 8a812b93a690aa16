"""Level physical: which tables wait for it, what a compaction leaves as evidence, which level is reached.

Belongs here: compactions of the small warehouse that nothing is in the way of. Does not belong here: what
stands in the files themselves (test_erasure_files.py), and what stops one (test_erasure_guards.py).
"""

import json
import os
import shutil
from typing import Any

import psycopg
import pytest

from retention.erasure import standing
from retention.erasure.compaction import compact
from retention.erasure.level import level_reached
from retention.erasure.pending import waiting
from retention.ledger import entries
from retention.plan import Plan
from retention.policy import Policy, in_force, load_versions
from retention.purge import execute
from retention.warehouse import embedded
from tests.conftest import Server
from tests.dbt_manifest import Model, build, write_manifest
from tests.factories import Shop, today

pytestmark = pytest.mark.integration

#: What names a record, a person, a case or an object in a column of the ledger.
NAMES = (
    "record_key", "subject_id", "case_id", "assignment_id", "target", "guard_key", "guard_keys",
    "object_pointer",
)  # fmt: skip


def policy_of(shop: Shop) -> Policy:
    return in_force(load_versions(shop.settings.policy_dir), today(shop.conn))


def waits(shop: Shop, *parts: str) -> set[str]:
    """The tables that wait now, of these parts or all."""
    found = waiting(shop.conn, policy_of(shop))
    shop.conn.commit()
    return {one.table.qualified for one in found if not parts or one.table.part in parts}


def purged(shop: Shop) -> Plan:
    """Classify, plan, approve, purge."""
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    return plan


def file_of(shop: Shop, relation: str) -> int:
    found: int = shop.one("select pg_relation_filenode(%s::regclass)", relation)
    return found


def level(shop: Shop, plan: Plan) -> str:
    found = level_reached(shop.conn, plan.plan_id)
    shop.conn.commit()
    return found.level


# --- what must stay as it is -------------------------------------------------------------------


def test_nothing_waits_and_nothing_is_rewritten_before_a_purge(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    before = file_of(shop, "shop.person")
    assert waits(shop) == set()
    done = compact(shop.settings)
    assert (done.compaction_id, done.rewritten, done.left) == (None, (), ())
    assert file_of(shop, "shop.person") == before
    assert shop.one("select count(*) from ledger.entries where kind = 'compaction'") == 0
    assert level_reached(shop.conn, plan.plan_id).not_covered == ()


def test_a_table_that_lost_nothing_is_left_alone(shop: Shop) -> None:
    shop.person(1)
    shop.customer(2, overdue=False)
    purged(shop)
    before = {name: file_of(shop, f"shop.{name}") for name in ("document", "person")}
    assert "shop.person" in waits(shop)
    assert "shop.document" not in waits(shop)
    assert compact(shop.settings).left == ()
    assert file_of(shop, "shop.document") == before["document"]
    assert file_of(shop, "shop.person") != before["person"]


def test_what_the_policy_erases_logically_is_not_rewritten(shop: Shop) -> None:
    """A charge is accounting; its row, and what the ledger kept of it, stay in their files."""
    shop.buyer(1, overdue=False)
    shop.judge("charge", "ch_1", "overdue")
    plan = purged(shop)
    assert shop.outcome(plan) == {"purged": 1}
    assert waits(shop) == set()
    assert compact(shop.settings).compaction_id is None
    reached = level_reached(shop.conn, plan.plan_id)
    assert (reached.level, reached.waiting) == ("logical", ("shop.charge",))
    assert any("pages, indexes and statistics" in line for line in reached.not_covered)


def test_every_row_is_the_same_afterwards(shop: Shop) -> None:
    for number in range(1, 5):
        shop.customer(number, overdue=number % 2 == 1)
        shop.buyer(number + 10, overdue=number % 2 == 1)
    purged(shop)
    before = shop.rows()
    keys = shop.one("select count(*) from retention.records")
    assert compact(shop.settings).left == ()
    assert shop.rows() == before
    assert shop.one("select count(*) from retention.records") == keys


# --- what waits --------------------------------------------------------------------------------


def test_columns_made_null_count_for_the_person_they_were_of(shop: Shop) -> None:
    """The row is accounting and stays; what became null in it goes like the rest of its person."""
    shop.buyer(1)
    purged(shop)
    assert shop.keys("charge") == {"ch_1"}
    assert "shop.charge" in waits(shop, "landing")


def test_copies_go_with_their_landing_table(shop: Shop) -> None:
    said = Model("said", "select id, notes from shop.contact")
    leads = Model("leads", "select id, name from shop.lead where false", schema="another")
    shop.person(1)
    shop.classify()
    build(shop.conn, [said, leads])
    write_manifest(shop.settings, [said, leads])
    plan = shop.approve(shop.plan())
    execute(shop.settings, plan.plan_id)
    copies = waits(shop, "copy")
    assert {"analytics.said", "retention.records", "intermediate.int_record_cases"} <= copies
    # Nothing was deleted from it, and its name says nothing of records.
    assert "another.leads" not in copies
    assert compact(shop.settings).left == ()
    assert waits(shop) == set()


def test_every_table_of_the_ledger_that_names_records_is_rewritten(shop: Shop) -> None:
    named = shop.one(
        "select array_agg(distinct table_name::text order by table_name::text)"
        " from information_schema.columns as c where table_schema = 'ledger'"
        " and column_name = any(%s) and exists (select from pg_tables"
        " where schemaname = 'ledger' and tablename = c.table_name)",
        list(NAMES),
    )
    assert sorted(shop.one("select ledger.tables_with_keys()")) == named


def test_partitions_are_rewritten_each(shop: Shop) -> None:
    shop.conn.execute(
        "drop table shop.visit; create table shop.visit (person_id bigint, visited_at timestamptz,"
        " page text, browser text, _fivetran_synced timestamptz,"
        " primary key (person_id, visited_at, page)) partition by range (person_id);"
        "create table shop.visit_1 partition of shop.visit for values from (0) to (2);"
        "create table shop.visit_2 partition of shop.visit for values from (2) to (9)"
    )
    shop.conn.commit()
    shop.person(1)
    shop.person(2, overdue=False)
    plan = purged(shop)
    before = {name: file_of(shop, name) for name in ("shop.visit_1", "shop.visit_2")}
    assert compact(shop.settings).left == ()
    assert all(file_of(shop, name) != file for name, file in before.items())
    assert level(shop, plan) == "physical"


# --- evidence and levels -----------------------------------------------------------------------


def test_the_evidence_says_what_was_rewritten_and_how_far_the_log_reaches(shop: Shop) -> None:
    shop.person(1)
    plan = purged(shop)
    before = shop.one("select pg_total_relation_size('shop.person')")
    done = compact(shop.settings)
    body, kind = shop.conn.execute(
        "select body, kind from ledger.entries where entry_id = %s", (done.entry_id,)
    ).fetchone() or ("", "")
    said = json.loads(body)
    assert kind == "compaction"
    assert said["plans"] == [str(plan.plan_id)]
    assert said["left"] == []
    by_table = {one["table"]: one for one in said["tables"]}
    assert set(by_table) == set(done.rewritten)
    assert by_table["shop.person"]["part"] == "landing"
    assert by_table["shop.person"]["bytes_before"] == before
    assert by_table["shop.person"]["bytes_after"] == shop.one(
        "select pg_total_relation_size('shop.person')"
    )
    assert by_table["pg_catalog.pg_statistic"]["part"] == "statistics"
    assert said["checkpointed"] is done.checkpointed is True
    assert said["run_by"] == shop.one("select session_user")
    assert (said["archive_mode"], said["unowned_files"]) == ("off", 0)
    assert all(said[name] for name in ("wal_position", "oldest_wal_at", "at"))


def test_a_plan_reaches_the_level_when_all_of_it_was_rewritten_after_it(shop: Shop) -> None:
    shop.person(1)
    first = purged(shop)
    assert level(shop, first) == "logical"
    done = compact(shop.settings)
    reached = level_reached(shop.conn, first.plan_id)
    shop.conn.commit()
    assert (reached.level, reached.waiting, reached.entries) == ("physical", (), (done.entry_id,))
    text = " ".join(reached.not_covered)
    day = shop.one("select (ledger.today() + interval '3 months')::date")
    assert "Write-ahead log before" in text
    assert f"hold them until {day}" in text
    assert "pages, indexes" not in text

    shop.person(2)
    second = purged(shop)
    assert (level(shop, first), level(shop, second)) == ("physical", "logical")
    assert compact(shop.settings).left == ()
    assert (level(shop, first), level(shop, second)) == ("physical", "physical")


def test_a_file_that_a_crash_left_behind_is_counted_and_said(shop: Shop, server: Server) -> None:
    """What is left of a table that was being rewritten when the server crashed: PostgreSQL forgets it."""
    home = embedded.files(server.settings)
    path = home and home / "data" / shop.one("select pg_relation_filepath('shop.person')")
    assert path
    shop.person(1)
    plan = purged(shop)
    shop.conn.execute("checkpoint")
    left = path.with_name("999999")
    shutil.copy(path, left)
    # One that is being made just now is not counted: its transaction is as old as the file.
    shop.conn.execute("create table shop.being_made as select 1 as id")
    try:
        assert compact(shop.settings, wait_seconds=0).unowned_files == 0
        shop.conn.rollback()
        os.utime(left, (0, 0))
        done = compact(shop.settings)
    finally:
        left.unlink()
    assert (done.left, done.unowned_files, done.is_whole) == ((), 1, False)
    reached = level_reached(shop.conn, plan.plan_id)
    assert "Files that a crash of the server left behind may hold them: 1." in reached.not_covered


def test_a_model_that_comes_later_takes_no_level_back(shop: Shop) -> None:
    shop.person(1)
    plan = purged(shop)
    compact(shop.settings)
    shop.conn.execute("create table retention.later as select 1 as row_id")
    shop.conn.commit()
    assert level(shop, plan) == "physical"


def test_what_waits_for_longer_than_the_policys_patience_is_a_finding(shop: Shop) -> None:
    def found() -> list[Any]:
        listed = list(standing.findings(shop.conn, policy_of(shop)))
        shop.conn.commit()
        return [one.kind for one in listed]

    def age(days: int) -> None:
        shop.conn.execute("alter table ledger.entries disable trigger entries_are_append_only")
        shop.conn.execute("update ledger.entries set at = at - make_interval(days => %s)", (days,))
        shop.conn.execute("alter table ledger.entries enable trigger entries_are_append_only")
        shop.conn.commit()

    shop.person(1)
    purged(shop)
    patience = policy_of(shop).operations.compaction_patience_days.value
    age(patience)
    assert found() == []
    age(1)
    assert found() == ["compaction_waiting"]
    compact(shop.settings)
    assert found() == []


# --- what the database does not believe --------------------------------------------------------


def test_a_table_counts_only_if_its_files_are_others(shop: Shop) -> None:
    shop.person(1)
    plan = purged(shop)
    with psycopg.connect(str(shop.settings.database_url), autocommit=True) as conn:
        begin = "select ledger.begin_compaction(%s::text[], '{}', '{}')"
        with pytest.raises(psycopg.Error, match="behind the purge's lock only"):
            conn.execute(begin, (["customer_no_advice"],))
        conn.execute("select pg_advisory_lock(ledger.purge_lock())")
        (number,) = conn.execute(begin, (["customer_no_advice", "lead_partner"],)).fetchone() or (
            0,
        )
        person = (number, "shop", "person")
        with pytest.raises(psycopg.Error, match="was not entered"):
            conn.execute("select ledger.leave_table(%s, %s, %s)", person)
        conn.execute("select ledger.enter_table(%s, %s, %s)", person)
        conn.execute("vacuum shop.person")
        (why,) = conn.execute("select ledger.leave_table(%s, %s, %s)", person).fetchone() or ("",)
        assert "it was not rewritten" in why
        conn.execute("select ledger.finish_compaction(%s, '{}', false, null, null)", (number,))
    assert level(shop, plan) == "logical"
    (entry,) = [e for e in _entries(shop) if e["covers_entry"]]
    assert entry["tables"] == []
    assert "shop.person" in waits(shop)


def _entries(shop: Shop) -> list[dict[str, Any]]:
    rows = shop.conn.execute(
        "select body from ledger.entries where kind = 'compaction' order by entry_id"
    ).fetchall()
    shop.conn.commit()
    return [json.loads(row[0]) for row in rows]


def test_a_compaction_is_no_evidence_of_a_plan(shop: Shop) -> None:
    shop.person(1)
    plan = purged(shop)
    before = [entry.kind for entry in entries.of_plan(shop.conn, plan.plan_id)]
    shop.conn.commit()
    compact(shop.settings)
    assert [entry.kind for entry in entries.of_plan(shop.conn, plan.plan_id)] == before
