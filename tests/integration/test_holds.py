"""Placing, releasing and listing what keeps records from being purged.

Belongs here: the blockers themselves and their guards. Does not belong here: what a purge does about
them (test_purge.py, test_purge_races.py).
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from retention import holds
from retention.errors import Refused, UsageError
from tests.factories import Shop

pytestmark = pytest.mark.integration


def guards(shop: Shop) -> dict[str, Any]:
    rows = shop.conn.execute(
        "select guard_key, blockers, records from ledger.guards where blockers > 0 or records <> '{}'"
    ).fetchall()
    shop.conn.commit()
    return {key: records or blockers for key, blockers, records in rows}


@pytest.fixture
def classified(shop: Shop) -> Shop:
    shop.customer(1)
    shop.classify()
    return shop


def test_each_scope_weighs_on_its_guard_until_it_is_released(classified: Shop) -> None:
    token = classified.one(
        "select subject_token::text from ledger.subject_tokens where subject_id = 'shop.person:1'"
    )
    placed = [
        classified.hold("subject", "shop.person:1"),
        classified.hold("subject", token, kind="restriction"),
        classified.hold("assignment", "shop.assignment:1"),
        classified.hold("record", "shop.party:party-1"),
        classified.hold("record", "shop.party:party-1"),
        classified.hold("table", "shop.mail"),
    ]
    assert guards(classified) == {
        f"subject:{token}": 2,
        "assignment:shop.assignment:1": 1,
        "table:shop.party": ["party-1", "party-1"],
        "table:shop.mail": 1,
    }
    for blocker_id in placed[:1] + placed[4:]:
        holds.release(classified.settings, blocker_id)
    assert guards(classified) == {
        f"subject:{token}": 1,
        "assignment:shop.assignment:1": 1,
        "table:shop.party": ["party-1"],
    }
    assert {one.blocker_id for one in holds.list_(classified.settings)} == set(placed[1:4])
    assert len(holds.list_(classified.settings, released=True)) == 6


def test_who_placed_and_released_is_the_login(classified: Shop) -> None:
    placed = holds.place(
        classified.approver,
        kind="hold",
        scope="table",
        target="shop.mail",
        reason="a complaint",
        authority="Datatilsynet",
    )
    holds.release(classified.settings, placed)
    (one,) = holds.list_(classified.settings, released=True)
    assert one.placed_by == "approver"
    assert one.released_by not in (None, "approver")
    bodies = classified.one("select string_agg(body, '') from ledger.entries")
    assert '"placed_by":"approver"' in bodies
    assert "complaint" not in bodies, "a reason may name somebody; it stays out of the evidence"


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        ("subject", "shop.person:2"),
        ("subject", "1"),
        ("subject", "00000000-0000-0000-0000-000000000000"),
        ("assignment", "shop.assignment:9"),
        ("record", "shop.person:9"),
        ("record", "shop.person"),
        ("record", "person:1"),
        ("table", "shop.persons"),
        ("table", "shop"),
        ("table", ""),
    ],
)
def test_a_misspelt_target_is_refused(classified: Shop, scope: holds.Scope, target: str) -> None:
    """A hold that protects nothing would look as if it did."""
    with pytest.raises(UsageError, match="there is no such"):
        classified.hold(scope, target)
    assert guards(classified) == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reason": " "}, "a reason and an authority"),
        ({"authority": ""}, "a reason and an authority"),
        ({"kind": "lock"}, "a lock needs the last day"),
        ({"kind": "freeze"}, "hold, restriction or lock"),
        ({"until_on": "yesterday"}, "end before it begins"),
    ],
)
def test_what_lacks_something_is_refused(
    classified: Shop, options: dict[str, Any], words: str
) -> None:
    if "until_on" in options:
        options = {"until_on": classified.one("select ledger.today()") - timedelta(days=1)}
    with pytest.raises(UsageError, match=words):
        classified.hold("table", "shop.mail", **options)


def test_releasing_twice_or_nothing(classified: Shop) -> None:
    placed = classified.hold("table", "shop.mail")
    holds.release(classified.settings, placed)
    with pytest.raises(Refused, match="released before"):
        holds.release(classified.settings, placed)
    with pytest.raises(UsageError, match="no such blocker"):
        holds.release(classified.settings, UUID(int=1))
    assert guards(classified) == {}


def test_a_lock_released_after_its_end_is_not_counted_twice(classified: Shop) -> None:
    lock = classified.hold(
        "table", "shop.mail", kind="lock", until_on=classified.one("select ledger.today()")
    )
    other = classified.hold("table", "shop.mail")
    classified.conn.execute(
        "update ledger.blockers set from_on = ledger.today() - 9, until_on = ledger.today() - 1"
        " where blocker_id = %s",
        (lock,),
    )
    classified.conn.commit()
    classified.plan()
    assert guards(classified) == {"table:shop.mail": 1}
    holds.release(classified.settings, lock)
    assert guards(classified) == {"table:shop.mail": 1}
    holds.release(classified.settings, other)
    assert guards(classified) == {}


def test_a_hold_does_not_end_by_itself(classified: Shop) -> None:
    classified.hold("table", "shop.mail", until_on=classified.one("select ledger.today()"))
    classified.conn.execute(
        "update ledger.blockers set from_on = ledger.today() - 9, until_on = ledger.today() - 1"
    )
    classified.conn.commit()
    classified.plan()
    assert guards(classified) == {"table:shop.mail": 1}


def test_guards_never_go_below_nothing(classified: Shop) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        classified.conn.execute("insert into ledger.guards (guard_key, blockers) values ('x', -1)")
