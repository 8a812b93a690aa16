"""Several data subjects that are one human bear one token: what is held of one is held of all, and what
one of them leaves behind harms none of the others.

Belongs here: the ledger's part, plans and purges. Does not belong here: which persons are one human (the
model's unit tests), and whole builds (test_one_token_built.py).
"""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from retention.evidence import publish
from retention.evidence.delta import opened
from retention.keys import load_key
from retention.ledger import tree
from retention.plan import Plan
from retention.purge import execute
from retention.purge.guards import HELD
from tests.factories import Shop
from tests.integration.test_checkpoints import exported, names

pytestmark = pytest.mark.integration

Connection = psycopg.Connection[Any]


def assign(conn: Connection, *persons: tuple[str, str, bool, bool]) -> dict[str, UUID]:
    """Assign tokens to persons (subject, human, is_own, is_leader); the tokens of all there are."""
    conn.execute("drop table if exists public.humans")
    conn.execute(
        "create table public.humans (subject_id text, human text, is_own boolean, is_leader boolean)"
    )
    conn.cursor().executemany("insert into public.humans values (%s, %s, %s, %s)", persons)
    conn.execute("select ledger.assign_subject_tokens('public.humans')")
    return dict(
        conn.execute("select subject_id, subject_token from ledger.subject_tokens").fetchall()
    )


def test_one_human_gets_one_token_and_others_their_own(conn: Connection) -> None:
    tokens = assign(
        conn,
        ("p:1", "one", True, True),
        ("s:1", "one", True, False),
        ("g:1", "one", True, False),
        ("p:2", "two", True, True),
        # May be the first one, and is a human of its own.
        ("s:3", "three", True, True),
        ("s:3", "one", False, False),
    )
    assert tokens["p:1"] == tokens["s:1"] == tokens["g:1"]
    assert len({tokens["p:1"], tokens["p:2"], tokens["s:3"]}) == 3


def test_a_newcomer_takes_the_token_that_the_human_has(conn: Connection) -> None:
    before = assign(conn, ("s:1", "s:1", True, True))
    after = assign(conn, ("p:1", "one", True, True), ("s:1", "one", True, False))
    assert after["p:1"] == after["s:1"] == before["s:1"]


def test_a_token_once_given_stays_whatever_is_declared_later(conn: Connection) -> None:
    """Holds, plans and copies know a person by it."""
    before = assign(conn, ("p:1", "p:1", True, True), ("s:1", "s:1", True, True))
    together = assign(
        conn,
        ("p:1", "one", True, True),
        ("s:1", "one", True, False),
        ("g:1", "one", True, False),
    )
    assert {**together, **before} == together
    assert together["g:1"] == before["p:1"]
    apart = assign(conn, ("p:1", "p:1", True, True), ("g:1", "g:1", True, True))
    assert apart == together


def share(shop: Shop, *numbers: int) -> UUID:
    """Give persons of the shop the token of the first of them."""
    shop.classify()
    token: UUID = shop.one(
        "update ledger.subject_tokens set subject_token = (select subject_token from"
        " ledger.subject_tokens where subject_id = %s) where subject_id = any(%s)"
        " returning subject_token",
        f"shop.person:{numbers[0]}",
        [f"shop.person:{number}" for number in numbers],
    )
    return token


@pytest.fixture
def human(shop: Shop) -> Shop:
    """Persons 1 and 2 are one human, person 3 is another; all are overdue."""
    for number in (1, 2, 3):
        shop.person(number)
    share(shop, 1, 2)
    return shop


def purged(shop: Shop, plan: Plan) -> set[str]:
    execute(shop.settings, plan.plan_id)
    return {"1", "2", "3"} - shop.keys("person")


@pytest.mark.parametrize("kind", ["hold", "restriction", "lock"])
@pytest.mark.parametrize("person", [1, 2])
def test_what_is_placed_on_one_reaches_both(human: Shop, person: int, kind: Any) -> None:
    until = human.one("select ledger.today()") if kind == "lock" else None
    plan = human.approved_plan()
    human.hold("subject", f"shop.person:{person}", kind=kind, until_on=until)
    assert purged(human, plan) == {"3"}
    assert HELD in human.outcome(plan)


def test_a_hold_by_the_token_reaches_both(human: Shop) -> None:
    human.hold("subject", str(share(human, 1, 2)))
    assert purged(human, human.approved_plan()) == {"3"}


@pytest.mark.parametrize("person", [1, 2])
def test_a_request_by_one_that_lands_after_the_approval_keeps_both(
    human: Shop, person: int
) -> None:
    plan = human.approved_plan()
    human.add("request", person_id=person)
    assert purged(human, plan) == {"3"}


def test_one_that_is_forgotten_leaves_the_guard_of_the_other(human: Shop) -> None:
    """One case a batch: the second batch finds the guard that the first one might have taken away."""
    plan = human.approved_plan()
    execute(human.settings, plan.plan_id, batch_items=1)
    assert human.outcome(plan) == {"purged": plan.items}
    assert human.one("select count(*) from ledger.subject_tokens") == 0
    assert human.one("select count(*) from ledger.guards where guard_key like 'subject:%%'") == 0


def test_one_who_stays_keeps_token_and_hold(human: Shop) -> None:
    human.overdue.remove(2)
    token = share(human, 1, 2)
    assert purged(human, human.approved_plan()) == {"1", "3"}
    assert human.one("select subject_token from ledger.subject_tokens") == token
    human.hold("subject", str(token))
    human.overdue.add(2)
    human.classify()
    assert human.plan().items == 0


def test_a_hold_is_brought_back_for_all_who_bear_its_token(human: Shop) -> None:
    """A backup may know one of them alone, and by another token."""
    token = share(human, 1, 2)
    held = human.hold("subject", str(token))
    lost = human.one(
        "select to_jsonb(b) || jsonb_build_object('subject_ids',"
        " jsonb_build_array('shop.person:1', 'shop.person:2')) from ledger.blockers as b"
        " where blocker_id = %s",
        held,
    )
    human.conn.execute("delete from ledger.blockers")
    human.conn.execute("delete from ledger.subject_tokens where subject_id <> 'shop.person:1'")
    human.conn.execute("update ledger.subject_tokens set subject_token = gen_random_uuid()")
    human.conn.execute("select ledger.bring_back_blockers(%s)", (Jsonb([lost]),))
    human.conn.execute("select ledger.settle_what_came_back()")
    human.conn.commit()
    target = human.one("select target from ledger.blockers")
    assert human.one(
        "select array_agg(subject_id order by 1) from ledger.subject_tokens"
        " where subject_token::text = %s",
        target,
    ) == ["shop.person:1", "shop.person:2"]
    assert purged(human, human.approved_plan()) == {"3"}


def test_a_hold_from_a_delta_that_names_one_subject_is_brought_back(human: Shop) -> None:
    held = human.hold("subject", "shop.person:3")
    lost = human.one(
        "select to_jsonb(b) || jsonb_build_object('subject_id', 'shop.person:3')"
        " from ledger.blockers as b where blocker_id = %s",
        held,
    )
    human.conn.execute("delete from ledger.blockers")
    human.conn.execute("select ledger.bring_back_blockers(%s)", (Jsonb([lost]),))
    human.conn.execute("select ledger.settle_what_came_back()")
    human.conn.commit()
    assert purged(human, human.approved_plan()) == {"1", "2"}


def test_an_exported_hold_names_all_who_bear_its_token(human: Shop) -> None:
    human.hold("subject", str(share(human, 1, 2)))
    publish(human.settings)
    keys, origin = [load_key(human.settings, human.conn)], tree.origin(human.conn)
    blockers = [
        row
        for name in names(human, "deltas")
        for row in opened((exported(human) / "deltas" / name).read_bytes(), keys, origin).rows[
            "blockers"
        ]
    ]
    assert [row["subject_ids"] for row in blockers] == [["shop.person:1", "shop.person:2"]]
