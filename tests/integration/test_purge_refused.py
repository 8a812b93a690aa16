"""What a purge refuses before its first delete: nothing goes, and the refusal is evidence.

Belongs here: plans, keys, tables and servers as they must not be. Does not belong here: what a purge that
goes on leaves alone (test_purge.py).
"""

import dataclasses
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from retention.errors import Refused, WarehouseError
from retention.keys import key_path
from retention.ledger import classifications, entries
from retention.plan import Plan, create, show
from retention.purge import execute
from tests.factories import Shop
from tests.policies import edited_text, write_policy

pytestmark = pytest.mark.integration


def purge(shop: Shop, plan: Plan, **options: Any) -> None:
    execute(shop.settings, plan.plan_id, **options)


def expect_refusal(shop: Shop, plan: Plan, words: str) -> None:
    """The purge is refused with these words, deletes nothing, and the refusal is evidence."""
    before = shop.rows()
    with pytest.raises(Refused, match=words):
        purge(shop, plan)
    assert shop.rows() == before
    assert shop.one("select count(*) from ledger.tombstones") == 0
    last = entries.of_plan(shop.conn, plan.plan_id, "refusal")[-1].content
    assert last["of"] == "purge"


def test_a_plan_nobody_approved(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    expect_refusal(shop, create(shop.settings), "only an approved one")


def test_a_plan_that_was_approved_behind_the_ledgers_back(shop: Shop) -> None:
    shop.person(1)
    shop.classify()
    plan = create(shop.settings)
    shop.conn.execute("update ledger.plans set state = 'approved', approved_by = 'somebody'")
    shop.conn.commit()
    expect_refusal(shop, plan, "no evidence of its approval")


def test_a_plan_that_expired(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    shop.conn.execute("update ledger.plans set expires_on = ledger.today() - 1")
    shop.conn.commit()
    expect_refusal(shop, plan, "expired")
    ended = show(shop.settings, plan.plan_id)
    assert ended.state == "expired"
    assert shop.one("select count(*) from ledger.plan_items where record_key is not null") == 0


def test_a_plan_that_does_not_exist(shop: Shop) -> None:
    with pytest.raises(Refused, match="no such plan"):
        execute(shop.settings, uuid4())


def test_declarations_that_changed(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    path = shop.settings.declarations_dir / "_shop__sources.yml"
    path.write_text(
        path.read_text().replace("counts_when: [{kind: [call]}]", "counts_when: [{kind: [x]}]")
    )
    expect_refusal(shop, plan, "declarations or models changed")


def test_models_that_changed(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    (shop.settings.dbt_dir / "models" / "records.sql").write_text("select 2")
    expect_refusal(shop, plan, "declarations or models changed")


def test_a_policy_file_that_changed(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    folder = shop.settings.state / "policy"
    write_policy(folder, edited_text(("effective_from: 2023-01-12", "effective_from: 2023-01-13")))
    shop.settings = dataclasses.replace(shop.settings, policy_dir=folder)
    expect_refusal(shop, plan, "the policy file changed")


def test_a_policy_in_force_that_changed(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    shop.conn.execute("update policy.policy_settings set policy_hash = 'another'")
    shop.conn.commit()
    expect_refusal(shop, plan, "the policy changed")


def test_a_classification_that_did_not_finish(shop: Shop) -> None:
    """Half-built models would show old deadlines beside new facts."""
    shop.person(1)
    plan = shop.approved_plan()
    classifications.begin(shop.conn, plan.as_of, plan.code_hash)
    expect_refusal(shop, plan, "a classification is going on")


def test_a_classification_of_yesterday(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    number = classifications.begin(shop.conn, plan.as_of - timedelta(days=1), plan.code_hash)
    classifications.finish(shop.conn, number)
    expect_refusal(shop, plan, "not today")


def test_the_samples_marker_taken_away(shop: Shop) -> None:
    """Approvals given as examples count only under the marker."""
    shop.conn.execute("""comment on schema shop is 'sletteplikt-sample {"seed": 1}'""")
    shop.person(1)
    plan = shop.approved_plan()
    shop.conn.execute("comment on schema shop is null")
    shop.conn.commit()
    expect_refusal(shop, plan, "marker")


def test_a_lost_key(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    key_path(shop.settings).unlink()
    expect_refusal(shop, plan, "is lost")


def test_another_key(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    monkeypatch.setenv("RETENTION_HMAC_KEY", "ab" * 32)
    expect_refusal(shop, plan, "not the one the plan was frozen with")


def test_a_key_file_that_others_can_read(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    key_path(shop.settings).chmod(0o644)
    expect_refusal(shop, plan, "can be read by others")


def test_a_server_that_would_log_the_key(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    name = shop.conn.info.dbname
    shop.conn.execute(f"alter database {name} set log_statement = 'mod'")
    shop.conn.execute(f"alter database {name} set log_parameter_max_length = -1")
    shop.conn.commit()
    expect_refusal(shop, plan, "would write the key to its log")


def test_items_that_were_exchanged_for_others(shop: Shop) -> None:
    """The digest covers tokens; a key that was changed under its token is found out before a delete."""
    shop.person(1)
    shop.person(2, overdue=False)
    plan = shop.approved_plan()
    shop.conn.execute(
        "update ledger.plan_items set record_key = '2' where source_table = 'recording'"
    )
    shop.conn.execute(
        "update retention.records set status = 'overdue', due_on = ledger.today() - 30"
        " where source_table = 'recording'"
    )
    shop.conn.execute(
        "update intermediate.int_record_cases set case_id = 'shop.person:1'"
        " where source_table = 'recording'"
    )
    shop.conn.commit()
    before = shop.rows()
    with pytest.raises(WarehouseError, match="do not match their tokens"):
        purge(shop, plan)
    assert shop.rows() == before


def test_a_token_that_was_exchanged(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    shop.conn.execute("update ledger.plan_items set token = sha256('x') where item_no = 1")
    shop.conn.commit()
    expect_refusal(shop, plan, "rows were changed after it was frozen")


def test_a_foreign_key_that_would_carry_the_deletion_on(shop: Shop) -> None:
    """One that came after the approval; the referencing column has no index."""
    shop.person(1)
    plan = shop.approved_plan()
    shop.conn.execute("create schema elsewhere")
    shop.conn.execute(
        "create table elsewhere.note (person_id bigint references shop.person on delete cascade)"
    )
    shop.conn.execute("insert into elsewhere.note values (1)")
    shop.conn.commit()
    expect_refusal(shop, plan, "carry the deletion on")
    assert shop.one("select count(*) from elsewhere.note") == 1


def test_a_trigger_that_would_answer_the_deletion(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    shop.conn.execute(
        "create function shop.hush() returns trigger language plpgsql as 'begin return null; end'"
    )
    shop.conn.execute(
        "create trigger hush before delete on shop.contact for each row execute function shop.hush()"
    )
    shop.conn.commit()
    expect_refusal(shop, plan, "a trigger or a rule on delete")


def test_a_copy_that_cannot_be_deleted_from(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    shop.conn.execute("create materialized view retention.kept as select * from retention.records")
    shop.conn.commit()
    expect_refusal(shop, plan, "is no table")


def test_rows_that_others_refer_to_stay_and_are_named(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    shop.conn.execute("create schema elsewhere")
    shop.conn.execute("create table elsewhere.note (person_id bigint references shop.person)")
    shop.conn.execute("insert into elsewhere.note values (1)")
    shop.conn.commit()
    expect_refusal(shop, plan, "rows that stay refer to rows of the plan")


def test_a_key_that_stands_for_two_rows_undoes_the_batch(shop: Shop) -> None:
    shop.conn.execute("alter table shop.recording drop constraint recording_pkey")
    shop.person(1)
    shop.add("recording", id=1, person_id=1)
    shop.classify()
    # What the models find, and put under review; here it slips through.
    shop.conn.execute(
        "delete from intermediate.int_record_cases as c using intermediate.int_record_cases as d"
        " where c.source_table = 'recording' and d.source_table = 'recording' and c.row_id > d.row_id"
    )
    shop.conn.execute(
        "delete from retention.records as c where ctid <> (select min(ctid) from retention.records"
        " as d where d.source_table = 'recording') and source_table = 'recording'"
    )
    shop.conn.commit()
    plan = shop.approve(shop.plan())
    before = shop.rows()
    with pytest.raises(WarehouseError, match="stands for more than one row"):
        purge(shop, plan)
    assert shop.rows() == before
    assert shop.one("select count(*) from ledger.tombstones") == 0


def test_a_plan_is_carried_out_once(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    purge(shop, plan)
    with pytest.raises(Refused, match="was carried out"):
        purge(shop, plan)
    kinds = [entry.kind for entry in entries.of_plan(shop.conn, plan.plan_id)]
    assert kinds.count("executed") == 1


def test_an_error_of_the_database_repeats_no_value(shop: Shop) -> None:
    """PostgreSQL's DETAIL quotes the row; nothing of it may reach a message or a traceback."""
    shop.person(1)
    plan = shop.approved_plan()
    shop.conn.execute(
        "alter table ledger.tombstones add constraint provoked check (source_table <> 'contact')"
    )
    shop.conn.commit()
    with pytest.raises(WarehouseError) as caught:
        purge(shop, plan)
    assert "SQLSTATE 23514" in str(caught.value)
    assert "Failing row" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    shop.conn.execute("alter table ledger.tombstones drop constraint provoked")
    shop.conn.commit()
    purge(shop, plan)
    assert json.loads(json.dumps(shop.outcome(plan))) == {"purged": plan.items}
