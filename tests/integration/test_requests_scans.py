"""The scan of an identity document goes once it has served, and nothing else with it.

Belongs here: orders to the store and the pointer in the landed row. Does not belong here: the objects of
rows that are purged (test_orders.py).
"""

from typing import Any
from uuid import UUID

import pytest

from retention import halts, orders
from retention.rights import intake, register, scans
from retention.rights.model import Closing, Verified
from tests.factories import Shop

pytestmark = pytest.mark.integration

POINTER = "s3://id/70.png"


@pytest.fixture
def asked(shop: Shop) -> Shop:
    """Two landed requests with a scan each; of the first the register has only received it."""
    shop.person(1, overdue=False)
    shop.person(2, overdue=False)
    shop.add("request", id=70, person_id=1, id_scan_url=POINTER)
    shop.add("request", id=71, person_id=2, id_scan_url="s3://id/71.png")
    shop.classify()
    intake.take_in(shop.settings)
    return shop


def request_of(shop: Shop, key: int) -> UUID:
    (found,) = [
        one.request_id
        for one in register.list_(shop.settings, with_closed=True)
        if one.source == f"shop.request:{key}"
    ]
    return found


def pointers(shop: Shop) -> dict[int, str | None]:
    rows = shop.conn.execute("select id, id_scan_url from shop.request").fetchall()
    shop.conn.commit()
    return dict(rows)


def verify(shop: Shop, key: int) -> None:
    register.verify(shop.approver, request_of(shop, key), Verified.IDENTITY_DOCUMENT)


def acknowledge(shop: Shop) -> None:
    answers = {one.order_id: "deleted" for one in orders.list_(shop.settings, open_only=True)}
    orders.acknowledge(shop.settings, answers)


def gone(shop: Shop, key: int) -> Any:
    return shop.one(
        "select scan_gone_at is not null from ledger.requests where request_id = %s",
        request_of(shop, key),
    )


def test_a_scan_goes_after_verification_and_not_before(asked: Shop) -> None:
    before = asked.rows()
    assert scans.delete(asked.settings) == scans.Scans()
    verify(asked, 70)
    assert scans.delete(asked.settings).ordered == 1
    assert asked.rows() == before

    (handed,) = orders.hand_over(asked.settings)
    assert (handed.store, handed.object_pointer) == ("ID scans", POINTER)
    assert scans.delete(asked.settings) == scans.Scans()
    assert pointers(asked)[70] == POINTER

    acknowledge(asked)
    assert scans.delete(asked.settings).emptied == 1
    assert pointers(asked) == {70: None, 71: "s3://id/71.png"}
    # No other row changed, and of this one nothing else.
    assert len(asked.rows() ^ before) == 2
    assert (gone(asked, 70), gone(asked, 71)) == (True, False)
    texts = asked.one("select string_agg(body, '') from ledger.entries")
    assert POINTER not in texts
    assert '"scans_deleted"' in texts
    assert (
        asked.one("select count(*) from ledger.deletion_orders where object_pointer is not null")
        == 0
    )


def test_a_request_that_ended_needs_its_scan_no_more(asked: Shop) -> None:
    register.close(asked.approver, request_of(asked, 71), Closing.TAKEN_BACK)
    assert scans.delete(asked.settings).ordered == 1


def test_a_pointer_that_lands_again_is_ordered_again(asked: Shop) -> None:
    verify(asked, 70)
    scans.delete(asked.settings)
    acknowledge(asked)
    scans.delete(asked.settings)
    asked.conn.execute("update shop.request set id_scan_url = %s where id = 70", (POINTER,))
    asked.conn.commit()
    assert scans.delete(asked.settings).ordered == 1
    assert gone(asked, 70) is False


def test_a_pointer_that_was_not_confirmed_stays(asked: Shop) -> None:
    """The source replaced the scan after the order: the store has not said that this one is gone."""
    verify(asked, 70)
    scans.delete(asked.settings)
    asked.conn.execute("update shop.request set id_scan_url = 's3://id/new.png' where id = 70")
    asked.conn.commit()
    acknowledge(asked)
    found = scans.delete(asked.settings)
    assert (found.emptied, found.ordered) == (0, 1)
    assert pointers(asked)[70] == "s3://id/new.png"


@pytest.mark.parametrize(
    ("scope", "target"),
    [("subject", "shop.person:1"), ("record", "shop.request:70"), ("table", "shop.request")],
)
def test_what_a_court_holds_stays(asked: Shop, scope: Any, target: str) -> None:
    verify(asked, 70)
    held = asked.hold(scope, target)
    assert scans.delete(asked.settings) == scans.Scans()
    assert orders.hand_over(asked.settings) == []
    asked.conn.execute("select ledger.release_blocker(%s)", (held,))
    asked.conn.commit()
    assert scans.delete(asked.settings).ordered == 1
    asked.hold(scope, target)
    assert orders.hand_over(asked.settings) == []


def test_a_halt_stops_it(asked: Shop) -> None:
    verify(asked, 70)
    halts.halt(asked.settings, "a try")
    assert "halt" in scans.delete(asked.settings).refused["shop.request"]


def test_a_table_that_drifted_is_said_so(asked: Shop) -> None:
    verify(asked, 70)
    asked.conn.execute("alter table shop.request rename column id_scan_url to scan")
    asked.conn.commit()
    assert "id_scan_url" in scans.delete(asked.settings).refused["shop.request"]
    assert gone(asked, 70) is False


def test_a_trigger_that_would_answer_is_refused(asked: Shop) -> None:
    verify(asked, 70)
    asked.conn.execute(
        "create function shop.answer() returns trigger language plpgsql as"
        " $$ begin return new; end $$;"
        " create trigger answer before update on shop.request"
        " for each row execute function shop.answer()"
    )
    asked.conn.commit()
    assert "trigger" in scans.delete(asked.settings).refused["shop.request"]
