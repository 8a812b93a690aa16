"""The life of the HMAC key: what was written under each key is recognised, until one is lost or destroyed.

Belongs here: rotation, a key that is missing, destroying one, and what the ledger says of it. Does not
belong here: where keys are found (tests/unit/test_key_material.py), the signing key (test_signing_keys.py)
and the commands (test_keys_command.py).
"""

import dataclasses
import hashlib
import shlex
import shutil
import sys
from pathlib import Path

import psycopg
import pytest

from retention import returns, suppressions, verify
from retention.errors import Refused, UsageError
from retention.evidence import publish
from retention.keys import VARIABLE, key_path, load_key, load_keys, take_into_use
from retention.keys.rotation import destroy, rotate
from retention.ledger import entries
from retention.ledger.failures import safe_errors
from retention.plan import Plan, create
from retention.purge import execute
from retention.settings import Settings
from retention.verify.story import contradictions
from retention.warehouse.connection import connect
from retention.warehouse.migrate import MIGRATIONS, migrate
from tests.conftest import Server
from tests.factories import Shop
from tests.logins import Logins
from verifier import verify_evidence as form

pytestmark = [pytest.mark.integration, pytest.mark.slow]

COMMAND = f"{VARIABLE}_COMMAND"
OLD = "RETENTION_HMAC_KEYS_OLD"
OTHER = "ab" * 32


def run(shop: Shop, statement: str, *values: object) -> None:
    shop.conn.execute(statement, values)
    shop.conn.commit()


def current_id(shop: Shop) -> str:
    return load_key(shop.settings, shop.conn).key_id


def old_file(shop: Shop, key_id: str) -> Path:
    return key_path(shop.settings).with_name(f"hmac-{key_id}.key")


def purge(shop: Shop) -> Plan:
    """Purge what is overdue; landing was looked at before, as each classification does."""
    returns.recognise(shop.settings, shop.declarations)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    return plan


def rotated(shop: Shop) -> str:
    """Rotate and return the id of the key before."""
    return rotate(shop.settings, "hmac").before


def purged_under_two_keys(shop: Shop) -> tuple[str, str]:
    """Person 1 is purged under one key, person 2 under the next; returns the ids of both."""
    shop.person(1)
    shop.person(3, overdue=False)
    purge(shop)
    first = rotated(shop)
    shop.person(2)
    purge(shop)
    return first, current_id(shop)


def key_events(shop: Shop) -> list[dict[str, object]]:
    rows = shop.conn.execute(
        "select body::jsonb from ledger.entries where kind = 'key' and body::jsonb ->> 'key' = 'hmac'"
        " order by entry_id"
    ).fetchall()
    shop.conn.commit()
    return [row[0] for row in rows]


def expect_refused_purge(shop: Shop, plan: Plan, words: str) -> None:
    """The purge is refused with these words before its first delete, and the refusal is evidence."""
    rows, tombstones = shop.rows(), shop.one("select count(*) from ledger.tombstones")
    with pytest.raises(Refused, match=words):
        execute(shop.settings, plan.plan_id)
    assert shop.rows() == rows
    assert shop.one("select count(*) from ledger.tombstones") == tombstones
    assert entries.of_plan(shop.conn, plan.plan_id, "refusal")


# --- a key that is lost or wrong ---------------------------------------------------------------


def test_a_key_that_tombstones_need_is_missed_before_the_first_delete(shop: Shop) -> None:
    first, second = purged_under_two_keys(shop)
    shop.person(4)
    plan = shop.approved_plan()
    assert plan.key_id == second
    kept = old_file(shop, first)
    kept.rename(kept.with_suffix(".away"))
    expect_refused_purge(shop, plan, f"HMAC key {first}, which is not at hand")
    with pytest.raises(Refused, match=first):
        returns.recognise(shop.settings, shop.declarations)
    with pytest.raises(Refused, match=first):
        verify.read_back(shop.settings)
    with pytest.raises(Refused, match=first):
        create(shop.settings)
    kept.with_suffix(".away").rename(kept)
    assert execute(shop.settings, plan.plan_id).purged == plan.items


def test_a_key_that_suppressions_need_is_missed_before_an_answer(shop: Shop) -> None:
    shop.add("objection", email="nei@shop.example")
    returns.recognise(shop.settings, shop.declarations)
    first = rotated(shop)
    old_file(shop, first).unlink()
    with pytest.raises(Refused, match=first):
        suppressions.is_suppressed(shop.settings, email="nei@shop.example")


@pytest.mark.parametrize("source", ["file", "environment", "command"])
def test_a_wrong_key_purges_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    if source == "file":
        key_path(shop.settings).write_text(OTHER)
    elif source == "environment":
        monkeypatch.setenv(VARIABLE, OTHER)
    else:
        monkeypatch.setenv(COMMAND, f"echo {OTHER}")
    expect_refused_purge(shop, plan, f"not the one the plan was frozen with.*{plan.key_id}")


@pytest.mark.parametrize("source", ["file", "environment", "command"])
def test_a_lost_key_purges_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """Found there when the plan was frozen, and there no more."""
    if source == "environment":
        monkeypatch.setenv(VARIABLE, OTHER)
    elif source == "command":
        monkeypatch.setenv(COMMAND, f"echo {OTHER}")
    shop.person(1)
    plan = shop.approved_plan()
    key_path(shop.settings).unlink()
    words = f"HMAC key {plan.key_id} is lost"
    if source == "environment":
        monkeypatch.delenv(VARIABLE)
    elif source == "command":
        monkeypatch.setenv(COMMAND, "false")
        words = r"failed \(exit 1\)"
    expect_refused_purge(shop, plan, words)


def test_a_plan_whose_old_key_is_missing_is_refused_by_name(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    old_file(shop, rotated(shop)).unlink()
    expect_refused_purge(shop, plan, f"give the key {plan.key_id}")


# --- rotation ----------------------------------------------------------------------------------


def test_what_was_purged_under_either_key_is_recognised(shop: Shop) -> None:
    first, second = purged_under_two_keys(shop)
    buried = shop.conn.execute(
        "select key_id, count(*) from ledger.tombstones group by key_id"
    ).fetchall()
    assert {key_id for key_id, _ in buried} == {first, second}
    assert verify.read_back(shop.settings).findings == ()

    for number in (1, 2):
        shop.add("contact", id=number, person_id=number)
    assert returns.recognise(shop.settings, shop.declarations) == 2
    returned = shop.conn.execute("select record_key from ledger.returned_records").fetchall()
    assert {key for (key,) in returned} == {"1", "2"}
    found = {one.where: one.count for one in verify.read_back(shop.settings).findings}
    assert found["shop.contact"] == 2


def test_what_was_never_purged_is_recognised_under_no_key(shop: Shop) -> None:
    purged_under_two_keys(shop)
    shop.person(7)
    run(shop, "update shop.contact set _fivetran_synced = now()")
    assert returns.recognise(shop.settings, shop.declarations) == 0
    assert verify.read_back(shop.settings).findings == ()


def test_a_row_that_was_purged_under_both_keys_counts_once(shop: Shop) -> None:
    purged_under_two_keys(shop)
    shop.person(1)
    purge(shop)
    shop.add("contact", id=1, person_id=1)
    returns.recognise(shop.settings, shop.declarations)
    found = {one.where: one.count for one in verify.read_back(shop.settings).findings}
    assert found["shop.contact"] == 1
    assert shop.one("select count(*) from ledger.returned_records") == 1


def test_the_suppression_list_is_asked_under_both_keys(shop: Shop) -> None:
    shop.add("objection", email="en@shop.example")
    returns.recognise(shop.settings, shop.declarations)
    rotated(shop)
    shop.add("objection", email="to@shop.example")
    returns.recognise(shop.settings, shop.declarations)
    assert shop.one("select count(distinct key_id) from ledger.suppressions") == 2
    assert suppressions.is_suppressed(shop.settings, email="en@shop.example")
    assert suppressions.is_suppressed(shop.settings, email="to@shop.example")
    assert not suppressions.is_suppressed(shop.settings, email="tre@shop.example")


def test_minimised_values_are_read_back_under_both_keys(shop: Shop) -> None:
    charges = [shop.buyer(1)]
    purge(shop)
    rotated(shop)
    charges.append(shop.buyer(2))
    purge(shop)
    assert shop.one("select count(distinct key_id) from ledger.column_tombstones") == 2
    assert verify.read_back(shop.settings).findings == ()
    run(shop, "update shop.charge set note = 'ring meg' where id = any(%s)", charges)
    found = {one.where: one.count for one in verify.read_back(shop.settings).findings}
    assert found["shop.charge"] == 2


def test_a_plan_is_carried_out_under_the_key_it_was_frozen_with(shop: Shop) -> None:
    shop.person(1)
    shop.add("objection", email="nei@shop.example")
    shop.classify()
    of_objection = "select record_key from retention.records where source_table = 'objection'"
    shop.judge("objection", shop.one(of_objection), "overdue")
    plan = shop.approved_plan()
    first = rotated(shop)
    assert plan.key_id == first
    assert execute(shop.settings, plan.plan_id).purged == plan.items
    assert shop.one("select array_agg(distinct key_id) from ledger.tombstones") == [first]
    # The list outlives the plan: what is added to it now is under the new key.
    assert shop.one("select array_agg(key_id) from ledger.suppressions") == [current_id(shop)]
    assert verify.read_back(shop.settings, plan.plan_id).findings == ()


def test_both_files_are_private_and_the_old_one_is_as_it_was(shop: Shop) -> None:
    path = key_path(shop.settings)
    text = path.read_text()
    done = rotate(shop.settings, "hmac")
    assert done.kept_in == old_file(shop, done.before)
    assert done.kept_in.read_text() == text
    assert path.read_text() != text
    assert {one.stat().st_mode & 0o777 for one in (path, done.kept_in)} == {0o600}
    assert {one.name for one in path.parent.iterdir()} == {
        "hmac.key",
        done.kept_in.name,
        "rotation.lock",
        "signing.key",
    }


def test_a_rotation_that_was_cut_short_is_taken_up_again(shop: Shop) -> None:
    path, first = key_path(shop.settings), current_id(shop)
    old_file(shop, first).hardlink_to(path)
    assert load_keys(shop.settings, shop.conn).current.key_id == first
    assert rotated(shop) == first
    assert load_keys(shop.settings, shop.conn).get(first) is not None


def test_a_rotation_overwrites_no_other_key(shop: Shop) -> None:
    kept = old_file(shop, current_id(shop))
    kept.write_text(OTHER)
    kept.chmod(0o600)
    before = key_path(shop.settings).read_text()
    with pytest.raises(Refused, match="another key than its name says"):
        rotate(shop.settings, "hmac")
    assert key_path(shop.settings).read_text() == before
    assert kept.read_text() == OTHER


def test_each_key_leaves_evidence_that_holds_its_id_alone(shop: Shop) -> None:
    shop.person(1)
    purge(shop)
    first = rotated(shop)
    shop.person(2)
    purge(shop)
    second = rotated(shop)
    events = key_events(shop)
    assert [(one["event"], one["key_id"], one.get("before")) for one in events] == [
        ("taken_into_use", first, None),
        ("rotated", second, first),
        ("rotated", current_id(shop), second),
    ]
    written = shop.one("select string_agg(body, ' ') from ledger.entries")
    for path in key_path(shop.settings).parent.glob("*.key"):
        assert path.read_text() not in written


@pytest.mark.parametrize("source", [VARIABLE, COMMAND])
def test_where_no_file_holds_the_key_a_rotation_is_recorded_once_it_was_made(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    def give(current: str) -> None:
        shown = shlex.join([sys.executable, "-c", f"print('{current}')"])
        monkeypatch.setenv(source, current if source == VARIABLE else shown)

    give(OTHER)
    before = current_id(shop)
    with pytest.raises(UsageError, match=f"comes from {source}") as caught:
        rotate(shop.settings, "hmac")
    assert OTHER not in str(caught.value)
    give("cd" * 32)
    monkeypatch.setenv(OLD, OTHER)
    done = rotate(shop.settings, "hmac")
    assert (done.before, done.key_id, done.kept_in) == (before, current_id(shop), None)
    assert [one["event"] for one in key_events(shop)] == ["taken_into_use", "rotated"]
    with pytest.raises(UsageError, match=f"comes from {source}"):
        rotate(shop.settings, "hmac")


# --- destroying --------------------------------------------------------------------------------


def holds(shop: Shop, size: int, root: bytes) -> bool:
    """The evidence hashes to its leaves, its first `size` entries have this root, and every batch's root
    is that of its tokens: none of it takes a key."""
    rows = shop.conn.execute(
        "select body, leaf_hash from ledger.leaves join ledger.entries using (entry_id)"
        " order by leaf_index"
    ).fetchall()
    leaves = [hashlib.sha256(b"\0" + body.encode()).digest() for body, _ in rows]
    whole = not contradictions(shop.conn, None)
    shop.conn.commit()
    return (
        whole and leaves == [bytes(leaf) for _, leaf in rows] and form.root(leaves[:size]) == root
    )


def test_without_its_key_the_evidence_is_whole_and_the_work_goes_on(shop: Shop) -> None:
    first, _ = purged_under_two_keys(shop)
    before = publish(shop.settings)
    assert before is not None
    buried = shop.one("select count(*) from ledger.tombstones where key_id = %s", first)
    destroy(shop.approver, "hmac", first, reason="Kari left with it", although_needed=True)
    assert not old_file(shop, first).exists()
    after = publish(shop.settings)
    assert after is not None
    assert after.size > before.size
    for checkpoint in (before, after):
        assert holds(shop, checkpoint.size, checkpoint.root)

    for number in (1, 2):
        shop.add("contact", id=number, person_id=number)
    assert returns.recognise(shop.settings, shop.declarations) == 1, (
        "only under the key that is left"
    )
    result = verify.read_back(shop.settings)
    assert result.unmatched == buried
    assert {one.where: one.count for one in result.findings}["shop.contact"] == 1
    shop.person(4)
    purge(shop)
    last = key_events(shop)[-1]
    assert (last["event"], last["key_id"], last["tombstones"]) == ("destroyed", first, buried)
    assert "Kari" not in shop.one("select string_agg(body, ' ') from ledger.entries")


def test_a_key_that_is_needed_is_not_destroyed_unless_somebody_says_so(shop: Shop) -> None:
    first, second = purged_under_two_keys(shop)
    ours = shop.approver
    with pytest.raises(Refused, match="tombstones and 0 suppressions match nothing"):
        destroy(ours, "hmac", first, reason="tidy up")
    with pytest.raises(UsageError, match="needs a reason"):
        destroy(ours, "hmac", first, reason=" ", although_needed=True)
    with pytest.raises(Refused, match="is in use"):
        destroy(ours, "hmac", second, reason="tidy up", although_needed=True)
    with pytest.raises(UsageError, match="no such key"):
        destroy(ours, "hmac", "0123456789abcdef", reason="tidy up", although_needed=True)
    assert old_file(shop, first).exists()
    assert key_path(shop.settings).exists()
    assert "destroyed" not in {one["event"] for one in key_events(shop)}


def test_a_key_that_an_open_plan_was_frozen_with_is_not_destroyed(shop: Shop) -> None:
    shop.person(1)
    plan = shop.approved_plan()
    first = rotated(shop)
    with pytest.raises(Refused, match="an open plan"):
        destroy(shop.approver, "hmac", first, reason="x", although_needed=True)
    execute(shop.settings, plan.plan_id)


def test_a_key_that_nothing_needs_goes_without_more(shop: Shop) -> None:
    first = rotated(shop)
    destroy(shop.approver, "hmac", first, reason="never used")
    assert not old_file(shop, first).exists()
    with pytest.raises(Refused, match="was destroyed"):
        destroy(shop.approver, "hmac", first, reason="again")


def test_a_key_that_a_variable_gives_is_taken_out_there_first(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = rotated(shop)
    monkeypatch.setenv(OLD, old_file(shop, first).read_text())
    with pytest.raises(Refused, match=f"out of {OLD} first"):
        destroy(shop.approver, "hmac", first, reason="x")
    assert old_file(shop, first).exists()


def test_only_an_approver_destroys_and_the_file_stays_otherwise(shop: Shop, logins: Logins) -> None:
    first = rotated(shop)
    for role in ("planner", "purger", "reader"):
        with pytest.raises(Refused):
            destroy(logins.of(role), "hmac", first, reason="x")
    assert old_file(shop, first).exists()
    destroy(logins.of("approver"), "hmac", first, reason="x")
    assert not old_file(shop, first).exists()


def test_a_destroyed_key_is_not_taken_into_use_again(shop: Shop) -> None:
    shop.person(1)
    first = rotated(shop)
    secret = old_file(shop, first).read_text()
    destroy(shop.approver, "hmac", first, reason="it leaked")
    key_path(shop.settings).write_text(secret)
    shop.classify()
    with pytest.raises(Refused, match="was destroyed"):
        create(shop.settings)


def test_a_planner_rotates_and_a_reader_does_not(shop: Shop, logins: Logins) -> None:
    assert rotate(logins.of("planner"), "hmac").before
    text = key_path(shop.settings).read_text()
    with pytest.raises(Refused):
        rotate(logins.of("reader"), "hmac")
    assert key_path(shop.settings).read_text() == text


# --- the embedded warehouse --------------------------------------------------------------------


def test_a_first_key_is_made_in_the_embedded_warehouse_alone(embedded_settings: Settings) -> None:
    path = key_path(embedded_settings)
    try:
        with connect(embedded_settings) as conn:
            first = load_key(embedded_settings, conn)
            take_into_use(conn, first)
            conn.commit()
            path.unlink()
            with pytest.raises(Refused, match=f"HMAC key {first.key_id} is lost"):
                load_key(embedded_settings, conn)
            assert not path.exists()
            conn.commit()
            destroy(embedded_settings, "hmac", first.key_id, reason="lost with its disk")
            second = load_key(embedded_settings, conn)
            assert second.key_id != first.key_id
            with pytest.raises(Refused, match="was destroyed"), safe_errors("using a key"):
                take_into_use(conn, first)
    finally:
        path.unlink(missing_ok=True)


def test_on_an_outside_database_no_key_is_made(
    settings: Settings, conn: psycopg.Connection[tuple[object, ...]]
) -> None:
    with pytest.raises(Refused, match="there is no HMAC key: put 32 random bytes"):
        load_key(settings, conn)
    assert not key_path(settings).exists()
    with pytest.raises(UsageError, match="there is no hmac key yet"):
        rotate(settings, "hmac")


def test_a_warehouse_from_before_waits_for_the_keys_of_its_plans(
    server: Server, settings: Settings, tmp_path: Path
) -> None:
    older, functions = tmp_path / "migrations", tmp_path / "functions"
    older.mkdir()
    functions.mkdir()
    for path in MIGRATIONS.glob("*.sql"):
        if path.name < "0013":
            shutil.copy(path, older)
    name = server.create(template=None)
    settings = dataclasses.replace(settings, database_url=server.url(name))
    try:
        with connect(settings) as conn:
            migrate(conn, folder=older, functions=functions)
            conn.execute(
                "insert into ledger.classifications (as_of, code_hash) values (now(), 'c')"
            )
            conn.execute(
                "insert into ledger.plans (as_of, classification_id, policy_version, policy_hash,"
                " code_hash, key_id, key_epoch, state, expires_on)"
                " select as_of, classification_id, 'v', 'h', 'c', '0123456789abcdef', 0, 'empty', as_of"
                " from ledger.classifications"
            )
            conn.commit()
            migrate(conn)
            with pytest.raises(Refused, match="HMAC key 0123456789abcdef is lost"):
                load_key(settings, conn)
    finally:
        server.drop(name)
