"""A database lost and its backup restored: what the ledger knew comes back before anything is deleted.

Belongs here: bringing the ledger back, and what is refused on the way. Does not belong here: which restored
row is a resurrection (the models; test_restored_warehouse.py tells a whole story).
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from retention import halts, holds, suppressions
from retention.errors import Refused, UsageError
from retention.evidence import publish
from retention.evidence.checkpoint import LATEST
from retention.keys import load_signing_key
from retention.keys.rotation import destroy, rotate
from retention.ledger import tree
from retention.plan import create_decided
from retention.purge import execute
from retention.replay import bring_back
from retention.returns import recognise
from retention.rights import erasure, register
from retention.rights.model import Closing, Right, Verified
from retention.warehouse.connection import connect
from tests.backups import dump, restore
from tests.conftest import Server
from tests.factories import Shop, today
from tests.rights import token_of
from verifier import verify_evidence as form

Restore = Callable[[Shop], Shop]
Lose = Callable[[], Restore]


@pytest.fixture
def backup(server: Server, shop: Shop, tmp_path: Path) -> Iterator[Lose]:
    """Call it to take a backup; call what it returns to lose the warehouse and restore that."""
    made: list[tuple[str, Shop]] = []

    def take() -> Restore:
        path = dump(server, shop.conn.info.dbname, tmp_path / "backup")

        def back(lost: Shop) -> Shop:
            name = restore(server, path)
            url, approver = server.url(name), server.approver_url(name)
            settings = dataclasses.replace(lost.settings, database_url=url)
            again = dataclasses.replace(
                lost,
                settings=settings,
                approver=dataclasses.replace(settings, database_url=approver),
                conn=connect(settings),
            )
            made.append((name, again))
            return again

        return back

    yield take
    for name, again in made:
        again.conn.close()
        server.drop(name)


def ledger_of(shop: Shop) -> list[tuple[str, ...]]:
    rows = shop.conn.execute(
        "select leaf_index, kind, body from ledger.leaves join ledger.entries using (entry_id)"
        " order by leaf_index"
    ).fetchall()
    shop.conn.commit()
    return rows


def test_what_was_purged_since_is_purged_again_and_what_was_held_stays(
    shop: Shop, backup: Lose
) -> None:
    for number in (1, 2, 3):
        shop.person(number)
    charge = shop.buyer(4)
    shop.person(5, overdue=False)
    shop.classify()
    released = shop.hold("subject", "shop.person:3")
    shop.approved_plan()
    publish(shop.settings)
    back = backup()

    # What the backup knows nothing of: a hold, the end of another one, an objection, and a purge.
    shop.hold("subject", "shop.person:2")
    holds.release(shop.approver, released)
    shop.add("objection", email="nei@shop.example")
    recognise(shop.settings, shop.declarations)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    suppressed = {"email": "nei@shop.example"}
    assert shop.keys("person") == {"2", "5"}
    before = ledger_of(shop)
    tombstones = shop.one("select count(*) from ledger.tombstones")
    minimised = shop.one("select count(*) from ledger.column_tombstones")
    assert tombstones > 0
    assert minimised > 0

    restored = back(shop)
    assert restored.keys("person") == {"1", "2", "3", "4", "5"}
    with pytest.raises(Refused, match="behind its latest checkpoint"):
        execute(restored.settings, plan.plan_id)
    found = bring_back(restored.settings)
    assert ledger_of(restored)[: len(before)] == before
    assert found.entries_after == len(before)
    assert (
        found.rows["tombstones"]
        == tombstones
        == restored.one("select count(*) from ledger.tombstones")
    )
    assert minimised == restored.one("select count(*) from ledger.column_tombstones")

    again = restored.approved_plan()
    execute(restored.settings, again.plan_id)
    assert restored.keys("person") == {"2", "5"}
    assert restored.tables_with(2) >= {"person", "lead", "contact", "mail", "recording", "visit"}
    for number in (1, 3):
        assert restored.tables_with(number) == set()
    assert restored.keys("charge") == {charge}
    assert restored.one("select num_nonnulls(receipt_email, note) from shop.charge") == 0
    assert suppressions.is_suppressed(restored.settings, **suppressed)
    # One ledger: the new entries continue it under the same key and name.
    note = (restored.settings.state / "checkpoints" / LATEST).read_text()
    key = load_signing_key(restored.settings, restored.conn)
    head = form.open_checkpoint(note, [form.Key(tree.origin(restored.conn), key.public)])
    assert head.size > len(before)


def test_a_hold_on_a_person_who_has_another_token_now(shop: Shop, backup: Lose) -> None:
    """The backup knows no token of the person: the restored warehouse gave another one."""
    shop.person(1)
    shop.classify()
    publish(shop.settings)
    back = backup()
    shop.person(2)
    shop.classify()
    shop.hold("subject", "shop.person:2")
    publish(shop.settings)

    restored = back(shop)
    restored.person(2)
    restored.classify()
    bring_back(restored.settings)
    plan = restored.approved_plan()
    execute(restored.settings, plan.plan_id)
    assert restored.keys("person") == {"2"}


def test_requests_come_back_as_far_as_they_were(shop: Shop, backup: Lose) -> None:
    """One that was pending at the backup was decided since, one came since: the first erases and holds
    nothing, the second holds its person, whom the restored warehouse calls by another token."""
    shop.person(1)
    shop.person(2)
    shop.person(3)
    shop.classify()
    day = today(shop.conn)

    def ask(number: int) -> UUID:
        return register.open_request(
            shop.approver, Right.ERASURE, day, person=f"shop.person:{number}", purpose=None
        )

    decided = ask(1)
    register.verify(shop.approver, decided, Verified.IN_PERSON)
    publish(shop.settings)
    back = backup()
    erasure.decide(shop.approver, [decided])
    shop.person(4)
    shop.classify()
    pending = ask(4)
    before = {one.request_id: one for one in register.list_(shop.settings)}
    decisions = shop.one("select count(*) from ledger.erasure_decisions")
    assert decisions
    publish(shop.settings)

    restored = back(shop)
    restored.person(4)
    restored.classify()
    bring_back(restored.settings)
    after = {one.request_id: one for one in register.list_(restored.settings)}
    assert set(after) == {decided, pending}
    assert after[decided] == before[decided]
    assert after[pending].subject_token == token_of(restored, 4)
    assert restored.one("select count(*) from ledger.erasure_decisions") == decisions
    plan = restored.approved_plan()
    execute(restored.settings, plan.plan_id)
    execute(restored.settings, create_decided(restored.settings).plan_id)
    assert restored.keys("person") == {"4"}
    register.close(restored.approver, pending, Closing.TAKEN_BACK)
    assert restored.one("select coalesce(sum(blockers), 0) from ledger.guards") == 0


def test_what_a_refusal_locked_is_locked_after_a_restore(shop: Shop, backup: Lose) -> None:
    """One entry tells of all locks of a request; they come back one by one, with what each lets go of."""
    shop.customer(1, overdue=False)
    shop.add("account", id="acc_1", email="person1@shop.example")
    shop.add("charge", id="ch_1", account_id="acc_1", note="ring meg")
    shop.classify()
    request = register.open_request(
        shop.approver, Right.ERASURE, today(shop.conn), person="shop.person:1", purpose=None
    )
    register.verify(shop.approver, request, Verified.IN_PERSON)
    publish(shop.settings)
    back = backup()
    erasure.decide(shop.approver, [request])
    guards = (
        "select jsonb_object_agg(guard_key, jsonb_build_array("
        "array(select unnest(records) order by 1), array(select unnest(row_only) order by 1)))"
        " from ledger.guards where records <> '{}' or row_only <> '{}'"
    )
    before = shop.one(guards)
    assert before["table:shop.charge"] == [[], ["ch_1"]]
    publish(shop.settings)
    restored = back(shop)
    bring_back(restored.settings)
    assert restored.one(guards) == before
    restored.overdue.add(1)
    restored.classify()
    assert restored.plan().state == "empty"
    execute(restored.settings, create_decided(restored.settings).plan_id)
    assert restored.keys("document") == {"1"}
    assert restored.keys("person") == set()


def test_a_hold_released_before_the_loss_holds_nothing(shop: Shop, backup: Lose) -> None:
    shop.person(1)
    shop.classify()
    held = shop.hold("subject", "shop.person:1")
    record = shop.hold("record", "shop.lead:1")
    publish(shop.settings)
    back = backup()
    holds.release(shop.approver, held)
    holds.release(shop.approver, record)
    publish(shop.settings)
    restored = back(shop)
    bring_back(restored.settings)
    plan = restored.approved_plan()
    execute(restored.settings, plan.plan_id)
    assert restored.keys("person") == set()


def test_evidence_written_but_not_numbered_at_the_backup_is_not_doubled(
    shop: Shop, backup: Lose
) -> None:
    shop.person(1)
    shop.classify()
    publish(shop.settings)
    shop.hold("subject", "shop.person:1")
    back = backup()
    publish(shop.settings)
    before = ledger_of(shop)
    restored = back(shop)
    bring_back(restored.settings)
    assert ledger_of(restored)[: len(before)] == before
    assert [kind for _, kind, _ in ledger_of(restored)].count("blocker_placed") == 1


def test_a_plan_carried_out_since_holds_no_key(shop: Shop, backup: Lose) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    publish(shop.settings)
    back = backup()
    execute(shop.settings, plan.plan_id)
    outcome = shop.outcome(plan)
    restored = back(shop)
    bring_back(restored.settings)
    assert restored.outcome(plan) == outcome
    assert restored.one("select count(*) from ledger.plan_items where record_key is not null") == 0
    with pytest.raises(Refused, match="carried out"):
        execute(restored.settings, plan.plan_id)
    assert restored.keys("person") == {"1"}


def test_a_halt_comes_back(shop: Shop, backup: Lose) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    publish(shop.settings)
    back = backup()
    halts.halt(shop.settings, "something is wrong")
    publish(shop.settings)
    restored = back(shop)
    bring_back(restored.settings)
    with pytest.raises(Refused, match="halted"):
        execute(restored.settings, plan.plan_id)


def test_keys_that_were_rotated_and_destroyed_since(shop: Shop, backup: Lose) -> None:
    """Deltas under the old HMAC key and the new, checkpoints of a signing key that is gone."""
    for number in (1, 2):
        shop.person(number)
    shop.classify()
    publish(shop.settings)
    back = backup()
    shop.hold("subject", "shop.person:2")
    publish(shop.settings)
    rotate(shop.settings, "hmac")
    before = rotate(shop.settings, "signing").before
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    destroy(shop.approver, "signing", before, reason="rotated")
    publish(shop.settings)
    known = shop.conn.execute("select * from ledger.keys order by in_use_since").fetchall()
    shop.conn.commit()
    assert len(known) == 4

    restored = back(shop)
    bring_back(restored.settings)
    again = restored.conn.execute("select * from ledger.keys order by in_use_since").fetchall()
    restored.conn.commit()
    assert again == known
    assert recognise(restored.settings, restored.declarations) == plan.items
    execute(restored.settings, restored.approved_plan().plan_id)
    assert restored.keys("person") == {"2"}


def test_a_ledger_that_is_not_behind_is_left_as_it_is(shop: Shop) -> None:
    shop.classify()
    publish(shop.settings)
    before = ledger_of(shop)
    found = bring_back(shop.settings)
    assert found.entries_before == found.entries_after == len(before)
    assert ledger_of(shop) == before


# What is refused: nothing is brought back then.


@pytest.fixture
def restored(shop: Shop, backup: Lose) -> Shop:
    shop.person(1)
    shop.classify()
    publish(shop.settings)
    back = backup()
    shop.hold("subject", "shop.person:1")
    publish(shop.settings)
    shop.hold("subject", "shop.person:1")
    publish(shop.settings)
    return back(shop)


def refused(restored: Shop, match: str) -> None:
    with pytest.raises(Refused, match=match):
        bring_back(restored.settings)
    assert restored.one("select count(*) from ledger.blockers") == 0


def test_a_delta_that_is_missing(restored: Shop) -> None:
    deltas = sorted((restored.settings.state / "checkpoints" / "deltas").iterdir())
    deltas[-2].unlink()
    refused(restored, "expired or was lost")


def test_a_delta_that_was_changed(restored: Shop) -> None:
    delta = max((restored.settings.state / "checkpoints" / "deltas").iterdir())
    content = bytearray(delta.read_bytes())
    content[-20] ^= 1
    delta.write_bytes(bytes(content))
    refused(restored, "was changed")


def test_a_backup_whose_past_is_another_one(restored: Shop) -> None:
    restored.conn.execute("alter table ledger.tree_nodes disable trigger user")
    restored.conn.execute("update ledger.tree_nodes set hash = sha256(hash) where position = 0")
    restored.conn.commit()
    refused(restored, "not the one that was signed")


def test_nothing_was_exported(shop: Shop) -> None:
    shop.classify()
    with pytest.raises(UsageError, match="no checkpoint was exported"):
        bring_back(shop.settings)


def test_only_an_administrator_brings_anything_back(shop: Shop) -> None:
    for role in (
        "retention_purger",
        "retention_planner",
        "retention_approver",
        "retention_auditor",
    ):
        with (
            connect(shop.settings, role=role) as conn,
            pytest.raises(Exception, match="permission"),
        ):
            conn.execute("select ledger.bring_back('tombstones', '[]')")
