"""Rows of locked and restricted records leave the copies downstream, and a look finds those that did not.

Belongs here: withdrawal, the check that shares no code with it, what the status says. Does not belong
here: who may read what (test_out_of_use_roles.py), the macro in a build (test_out_of_use_built.py).
"""

import json
from datetime import timedelta
from typing import Any

import pytest

from retention.errors import Refused
from retention.rights.out_of_use import standing
from retention.rights.out_of_use.in_use import check
from retention.rights.out_of_use.withdraw import withdraw
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER
from tests.dbt_manifest import Model, build, write_manifest
from tests.factories import Shop, today

pytestmark = pytest.mark.integration

PEOPLE = Model("people", "select id, name, email from shop.person", reads=("shop.person",))
SEVERAL = Model(
    "versions",
    "select id, _fivetran_start, title from shop.assignment",
    reads=("shop.assignment",),
)
VISITS = Model(
    "visits", "select person_id, visited_at, page from shop.visit", reads=("shop.visit",)
)
OBJECTORS = Model("objectors", "select email from shop.objection", reads=("shop.objection",))
PER_PERSON = Model(
    "per_person",
    "select subject_id, count(*) as records from intermediate.int_record_cases group by subject_id",
)
KEYLESS = Model("names", "select name from shop.person", reads=("shop.person",))


def made(shop: Shop, *models: Model, persons: int = 3) -> None:
    """Persons with an assignment in two versions, classified, and what the data team made of them."""
    for number in range(1, persons + 1):
        shop.customer(number, overdue=False)
    shop.classify()
    build(shop.conn, models)
    write_manifest(shop.settings, models)


def values(shop: Shop, relation: str, column: str) -> set[str]:
    found = shop.conn.execute(f"select {column}::text from {relation}".encode()).fetchall()
    shop.conn.commit()
    return {row[0] for row in found}


def lock(shop: Shop, scope: Any, target: str) -> None:
    until = today(shop.conn) + timedelta(days=30)
    shop.hold(scope, target, kind="lock", until_on=until)


def told(shop: Shop, *kinds: str) -> list[tuple[str, str]]:
    with connect(shop.settings, role=READER, read_only=True) as conn:
        found = standing.findings(conn, shop.settings, shop.declarations)
        return [(one.kind, one.message) for one in found if one.kind in kinds]


# --- what must stay ------------------------------------------------------------------------------


def test_rows_of_everybody_else_stay(shop: Shop) -> None:
    made(shop, PEOPLE, SEVERAL, VISITS, PER_PERSON)
    before = shop.rows()
    lock(shop, "subject", "shop.person:2")
    withdraw(shop.settings)
    assert values(shop, "analytics.people", "id") == {"1", "3"}
    assert values(shop, "analytics.versions", "id") == {"1", "3"}
    assert values(shop, "analytics.visits", "person_id") == {"1", "3"}
    assert values(shop, "analytics.per_person", "subject_id") >= {"shop.person:1", "shop.person:3"}
    assert shop.rows() == before, "landing is stored as it was"


def test_a_held_record_and_one_whose_lock_has_ended_stay_in_use(shop: Shop) -> None:
    made(shop, PEOPLE)
    shop.hold("subject", "shop.person:1")
    lock(shop, "subject", "shop.person:3")
    shop.conn.execute(
        "update ledger.blockers set from_on = from_on - 60, until_on = ledger.today() - 1"
        " where kind = 'lock'"
    )
    shop.conn.commit()
    assert withdraw(shop.settings).records == 0
    assert values(shop, "analytics.people", "id") == {"1", "2", "3"}


def test_one_record_leaves_what_is_said_of_its_person(shop: Shop) -> None:
    """The others of the person are in use, and a row about the person speaks of them."""
    made(shop, PEOPLE, PER_PERSON)
    lock(shop, "record", "shop.person:2")
    withdraw(shop.settings)
    assert values(shop, "analytics.people", "id") == {"1", "3"}
    assert "shop.person:2" in values(shop, "analytics.per_person", "subject_id")


def test_our_own_relations_keep_their_rows(shop: Shop) -> None:
    made(shop, PEOPLE)
    counted = "select count(*) from retention.records"
    before = shop.one(counted)
    lock(shop, "subject", "shop.person:2")
    withdraw(shop.settings)
    assert shop.one(counted) == before


def test_nothing_is_removed_where_a_copy_was_altered_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retention.rights.out_of_use import withdraw as module

    made(shop, PEOPLE, PER_PERSON)
    lock(shop, "subject", "shop.person:2")
    collect = module._collect

    def altered(*arguments: Any) -> Any:
        shop.conn.execute("set local lock_timeout = '5s'")
        shop.conn.execute("alter table analytics.per_person add column more text")
        shop.conn.commit()
        return collect(*arguments)

    monkeypatch.setattr(module, "_collect", altered)
    with pytest.raises(Refused, match="altered"):
        withdraw(shop.settings)
    assert values(shop, "analytics.people", "id") == {"1", "2", "3"}


# --- what goes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lock", "restriction"])
def test_every_copy_of_a_person_goes_with_evidence(shop: Shop, kind: str) -> None:
    made(shop, PEOPLE, SEVERAL, VISITS, PER_PERSON)
    until = today(shop.conn) + timedelta(days=30) if kind == "lock" else None
    shop.hold("subject", "shop.person:2", kind=kind, until_on=until)
    done = withdraw(shop.settings)
    assert done.copies == {
        "analytics.people": 1,
        "analytics.per_person": 1,
        "analytics.versions": 2,
        "analytics.visits": 1,
    }
    assert done.untraceable == ()
    assert "shop.person:2" not in values(shop, "analytics.per_person", "subject_id")
    body = json.loads(
        shop.one(
            "select body from ledger.entries where kind = 'out_of_use_withdrawn'"
            " order by entry_id desc limit 1"
        )
    )
    assert body["records"] == done.records
    assert {one["relation"]: one["deleted"] for one in body["copies"]} == done.copies


def test_every_scope_reaches_its_records(shop: Shop) -> None:
    made(shop, PEOPLE, SEVERAL, OBJECTORS)
    shop.add("objection", email="nei@shop.example")
    shop.classify()
    build(shop.conn, [Model("objecting", "select email from shop.objection")])
    models = [PEOPLE, SEVERAL, OBJECTORS, Model("objecting", "select email from shop.objection")]
    write_manifest(shop.settings, models)
    lock(shop, "assignment", "shop.assignment:1")
    lock(shop, "table", "shop.objection")
    withdraw(shop.settings)
    assert values(shop, "analytics.versions", "id") == {"2", "3"}
    assert values(shop, "analytics.people", "id") == {"1", "2", "3"}
    assert values(shop, "analytics.objecting", "email") == set()


def test_a_record_that_may_be_the_persons_goes_with_hers(shop: Shop) -> None:
    shop.add("person", id=1, email="felles@shop.example")
    shop.add("person", id=2, email="felles@shop.example")
    shop.add("mail", id=7, from_address="felles@shop.example")
    shop.classify()
    mails = Model("mails", "select id, from_address from shop.mail", reads=("shop.mail",))
    build(shop.conn, [mails])
    write_manifest(shop.settings, [mails])
    lock(shop, "subject", "shop.person:2")
    withdraw(shop.settings)
    assert values(shop, "analytics.mails", "id") == set()


def test_what_is_built_before_the_next_classification_leaves_it_out_too(shop: Shop) -> None:
    made(shop, PEOPLE)
    lock(shop, "subject", "shop.person:2")
    known = "select count(*) from intermediate.int_out_of_use where entity_key = '2'"
    assert shop.one(known) == 0
    withdraw(shop.settings)
    once = shop.one(known)
    assert once > 0
    withdraw(shop.settings)
    assert shop.one(known) == once


def test_a_copy_that_no_key_leads_to_is_named(shop: Shop) -> None:
    made(shop, PEOPLE, KEYLESS)
    assert withdraw(shop.settings).untraceable == ()
    lock(shop, "subject", "shop.person:2")
    assert withdraw(shop.settings).untraceable == ("analytics.names",)


# --- the check -----------------------------------------------------------------------------------


def test_the_check_finds_what_was_not_withdrawn_wherever_it_lies(shop: Shop) -> None:
    made(shop, PEOPLE, SEVERAL)
    shop.conn.execute(
        "create schema notes; create table notes.taken as select id as who, name from shop.person;"
        " create table retention.ours as select id, email from shop.person"
    )
    shop.conn.commit()
    assert check(shop.settings).shown == ()
    lock(shop, "subject", "shop.person:2")
    shown = {(one.where, one.table): one.rows for one in check(shop.settings).shown}
    assert shown == {
        ("analytics.people", "shop.person"): 1,
        ("notes.taken", "shop.person"): 1,
        ("retention.ours", "shop.person"): 1,
        ("analytics.versions", "shop.assignment"): 2,
    }
    withdraw(shop.settings)
    left = {one.where for one in check(shop.settings).shown}
    assert left == {"notes.taken", "retention.ours"}
    assert {message for _, message in told(shop, "locked_in_use")} == {
        one.message for one in check(shop.settings).shown
    }


def test_a_lock_that_only_the_classification_knows_counts_too(shop: Shop) -> None:
    made(shop, PEOPLE)
    shop.judge("person", 2, "restricted")
    shop.classify()
    assert [one.where for one in check(shop.settings).shown] == ["analytics.people"]


def test_a_view_that_leaves_nothing_out_is_named(shop: Shop) -> None:
    raw = Model("raw", PEOPLE.sql, materialized="view", reads=("shop.person",))
    made(shop, raw)
    assert check(shop.settings).shown == ()
    lock(shop, "subject", "shop.person:2")
    (shown,) = check(shop.settings).shown
    assert (shown.where, shown.rows) == ("analytics.raw", None)
    assert "in_use" in shown.message


# --- the status ----------------------------------------------------------------------------------


def test_a_lock_waits_until_its_rows_were_withdrawn(shop: Shop) -> None:
    made(shop, PEOPLE)
    assert told(shop, "withdrawal_waiting") == []
    lock(shop, "subject", "shop.person:2")
    ((_, message),) = told(shop, "withdrawal_waiting")
    assert "1 locks and restrictions" in message
    withdraw(shop.settings)
    assert told(shop, "withdrawal_waiting") == []


def test_without_models_downstream_nothing_waits(shop: Shop) -> None:
    made(shop)
    lock(shop, "subject", "shop.person:2")
    assert told(shop, "withdrawal_waiting") == []
