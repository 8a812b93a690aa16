"""Deletion orders to stores outside: what must stay until a store has answered, and what may go then.

Belongs here: orders, acknowledgements and what a purge makes of them. Does not belong here: the commands'
output (test_orders_commands.py).
"""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from retention import findings, orders, verify
from retention.declarations import load_declarations
from retention.errors import Refused, UsageError, WarehouseError
from retention.ledger import entries
from retention.plan import reject
from retention.purge import execute, order_objects
from retention.purge.batch import Job, order_deletions
from retention.purge.external import UNCONFIRMED
from retention.purge.reclassified import STANDS_FOR_OTHERS
from retention.report import deletion
from retention.warehouse.connection import connect
from tests.factories import Shop

pytestmark = pytest.mark.integration

STORE = "Shop"
OBJECT = "s3://lyd/samtale-7345892220011.ogg"


def with_recording(shop: Shop, number: int, pointer: str | None = OBJECT) -> None:
    """An overdue person whose recording lies in a store outside."""
    shop.person(number)
    point(shop, number, pointer)


def point(shop: Shop, number: int, pointer: str | None) -> None:
    shop.conn.execute("update shop.recording set object_url = %s where id = %s", (pointer, number))
    shop.conn.commit()


def states(shop: Shop) -> list[str]:
    return [order.state for order in orders.list_(shop.settings)]


def open_orders(shop: Shop) -> list[UUID]:
    return [order.order_id for order in orders.list_(shop.settings, open_only=True)]


def acknowledge_all(shop: Shop) -> int:
    return orders.acknowledge(shop.settings, dict.fromkeys(open_orders(shop), "receipt 1"))


def pointers_kept(shop: Shop) -> int:
    found: int = shop.one(
        "select count(*) from ledger.deletion_orders where object_pointer is not null"
        " or record_key is not null or guard_keys <> '{}'"
    )
    return found


def evidence(shop: Shop, kind: str) -> list[dict[str, Any]]:
    rows = shop.conn.execute(
        "select body::jsonb from ledger.entries where kind = %s order by entry_id", (kind,)
    ).fetchall()
    shop.conn.commit()
    return [row[0] for row in rows]


# --- what must stay ----------------------------------------------------------------------------


def test_a_row_stays_until_its_store_has_answered_and_so_do_the_facts_it_stands_on(
    shop: Shop,
) -> None:
    with_recording(shop, 1)
    with_recording(shop, 2, None)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    # The person, the contact and the mail show why the recording is still here.
    assert shop.tables_with(1) == {"recording", "person", "contact", "mail"}
    assert shop.tables_with(2) == set()
    outcome = shop.outcome(plan)
    assert outcome[UNCONFIRMED] == 1
    assert outcome["purged"] + outcome[UNCONFIRMED] + outcome[STANDS_FOR_OTHERS] == plan.items
    assert states(shop) == ["open"]


def test_an_acknowledgement_of_another_object_does_not_count(shop: Shop) -> None:
    with_recording(shop, 1)
    plan = shop.approved_plan()
    order_objects(shop.settings, plan.plan_id)
    acknowledge_all(shop)
    point(shop, 1, f"{OBJECT}.new")
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan)[UNCONFIRMED] == 1
    assert shop.keys("recording") == {"1"}
    # The object that the row points to now was ordered by the purge itself.
    assert sorted(states(shop)) == ["acknowledged", "open"]
    acknowledge_all(shop)
    execute(shop.settings, shop.approved_plan().plan_id)
    assert shop.keys("recording") == set()
    assert states(shop) == ["done", "done"]
    assert pointers_kept(shop) == 0


def test_an_object_that_is_loaded_between_the_orders_and_the_batch_does_not_go(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_recording(shop, 1)
    plan = shop.approved_plan()
    order_objects(shop.settings, plan.plan_id)
    acknowledge_all(shop)

    def and_then_it_lands(conn: Any, job: Job) -> int:
        issued = order_deletions(conn, job)
        point(shop, 1, f"{OBJECT}.new")
        return issued

    monkeypatch.setattr("retention.purge.run.order_deletions", and_then_it_lands)
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan)[UNCONFIRMED] == 1
    assert shop.keys("recording") == {"1"}


def test_an_object_that_a_row_no_longer_points_to_is_waited_for_too(shop: Shop) -> None:
    """Else it would live on in its store, and nobody would know where."""
    with_recording(shop, 1)
    plan = shop.approved_plan()
    order_objects(shop.settings, plan.plan_id)
    point(shop, 1, None)
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan)[UNCONFIRMED] == 1
    assert shop.keys("recording") == {"1"}


def test_an_acknowledgement_of_another_persons_object_does_not_count(shop: Shop) -> None:
    with_recording(shop, 1, "s3://lyd/1")
    with_recording(shop, 2, "s3://lyd/2")
    plan = shop.approved_plan()
    order_objects(shop.settings, plan.plan_id)
    first = next(o for o in orders.hand_over(shop.settings) if o.object_pointer == "s3://lyd/1")
    orders.acknowledge(shop.settings, {first.order_id: "receipt 1"})
    execute(shop.settings, plan.plan_id)
    assert shop.keys("recording") == {"2"}


def test_two_rows_that_share_an_object_are_each_answered_for(shop: Shop) -> None:
    with_recording(shop, 1)
    with_recording(shop, 2)
    plan = shop.approved_plan()
    assert order_objects(shop.settings, plan.plan_id) == 2


def test_acknowledged_by_nobody_is_not_acknowledged(shop: Shop) -> None:
    with_recording(shop, 1)
    plan = shop.approved_plan()
    order_objects(shop.settings, plan.plan_id)
    (order,) = open_orders(shop)
    for blank in ("", "  "):
        with pytest.raises(UsageError, match="reference"):
            orders.acknowledge(shop.settings, {order: blank})
    for change in (
        "acknowledged_at = now()",
        "acknowledged_at = now(), acknowledgement = 'x'",
        "acknowledged_at = now(), acknowledged_by = 'somebody'",
        "acknowledged_at = now(), acknowledged_by = 'somebody', acknowledgement = ' '",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            shop.conn.execute(f"update ledger.deletion_orders set {change}")
        shop.conn.rollback()
    with connect(shop.settings, role="retention_purger") as conn:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("update ledger.deletion_orders set acknowledged_by = 'somebody'")
        conn.rollback()
    execute(shop.settings, plan.plan_id)
    assert shop.keys("recording") == {"1"}


def test_nothing_is_ordered_for_a_plan_nobody_approved(shop: Shop) -> None:
    with_recording(shop, 1)
    shop.classify()
    plan = shop.plan()
    with pytest.raises(Refused, match="only an approved one"):
        order_objects(shop.settings, plan.plan_id)
    assert states(shop) == []


def test_nothing_is_ordered_for_rows_that_were_exchanged_after_the_approval(shop: Shop) -> None:
    with_recording(shop, 1)
    shop.add("recording", id=2, person_id=1, object_url="s3://lyd/2")
    plan = shop.approved_plan()
    shop.conn.execute("update ledger.plan_items set record_key = '3' where record_key = '2'")
    shop.add("recording", id=3, object_url="s3://lyd/3")
    with pytest.raises(WarehouseError, match="do not match their tokens"):
        order_objects(shop.settings, plan.plan_id)
    assert states(shop) == []


def test_an_order_that_nobody_approved_is_not_handed_over(shop: Shop) -> None:
    """Not even one that was written past the gate."""
    with_recording(shop, 1)
    shop.classify()
    plan = shop.plan()
    shop.conn.execute(
        "insert into ledger.deletion_orders (plan_id, source_schema, source_table, token, record_key,"
        " guard_keys, store, object_pointer) select plan_id, source_schema, source_table, token,"
        " record_key, guard_keys, 'Shop', %s from ledger.plan_items"
        " where plan_id = %s and source_table = 'recording'",
        (OBJECT, plan.plan_id),
    )
    shop.conn.commit()
    assert orders.hand_over(shop.settings) == []


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        ("subject", "shop.person:1"),
        ("record", "shop.recording:1"),
        ("table", "shop.recording"),
    ],
)
def test_what_is_held_is_neither_ordered_nor_handed_over(
    shop: Shop, scope: Any, target: str
) -> None:
    with_recording(shop, 1)
    plan = shop.approved_plan()
    hold = shop.hold(scope, target)
    assert order_objects(shop.settings, plan.plan_id) == 0
    release(shop, hold)
    assert order_objects(shop.settings, plan.plan_id) == 1
    hold = shop.hold(scope, target)
    assert orders.hand_over(shop.settings) == []
    release(shop, hold)
    (handed,) = orders.hand_over(shop.settings)
    assert handed.object_pointer == OBJECT


def release(shop: Shop, blocker: UUID) -> None:
    shop.conn.execute("select ledger.release_blocker(%s)", (blocker,))
    shop.conn.commit()


def test_what_has_changed_since_the_classification_is_not_ordered(shop: Shop) -> None:
    with_recording(shop, 1)
    with_recording(shop, 2)
    plan = shop.approved_plan()
    shop.add("contact", person_id=1)
    assert order_objects(shop.settings, plan.plan_id) == 1
    (handed,) = orders.hand_over(shop.settings)
    key = shop.one("select record_key from ledger.deletion_orders")
    assert (handed.store, key) == (STORE, "2")


def test_what_is_not_overdue_any_more_is_not_handed_over_and_then_withdrawn(shop: Shop) -> None:
    with_recording(shop, 1)
    with_recording(shop, 2)
    execute(shop.settings, shop.approved_plan().plan_id)
    shop.overdue.discard(1)
    plan = shop.approved_plan()
    assert len(orders.hand_over(shop.settings)) == 1
    execute(shop.settings, plan.plan_id)
    assert sorted(states(shop)) == ["open", "withdrawn"]
    assert evidence(shop, "orders_withdrawn")[0]["orders"] == 1


def test_orders_are_not_handed_over_on_yesterdays_classification(shop: Shop) -> None:
    with_recording(shop, 1)
    order_objects(shop.settings, shop.approved_plan().plan_id)
    shop.conn.execute("update ledger.classifications set as_of = as_of - 1")
    shop.conn.commit()
    with pytest.raises(Refused, match="not classified today"):
        orders.hand_over(shop.settings)


def test_a_rejected_plan_withdraws_the_orders_of_its_rows(shop: Shop) -> None:
    """Also those that an earlier plan gave: a person says no to these very rows."""
    with_recording(shop, 1)
    execute(shop.settings, shop.approved_plan().plan_id)
    (order,) = open_orders(shop)
    shop.classify()
    reject(shop.settings, shop.plan().plan_id, "the person called")
    assert states(shop) == ["withdrawn"]
    assert pointers_kept(shop) == 0
    with pytest.raises(Refused, match="withdrawn"):
        orders.acknowledge(shop.settings, {order: "receipt 1"})
    # Approved again, it is ordered again.
    execute(shop.settings, shop.approved_plan().plan_id)
    assert states(shop) == ["withdrawn", "open"]
    assert shop.keys("recording") == {"1"}


def test_an_expired_plan_withdraws_its_orders(shop: Shop) -> None:
    with_recording(shop, 1)
    plan = shop.approved_plan()
    order_objects(shop.settings, plan.plan_id)
    shop.conn.execute("update ledger.plans set expires_on = ledger.today() - 1")
    shop.conn.commit()
    with pytest.raises(Refused, match="expired"):
        execute(shop.settings, plan.plan_id)
    assert states(shop) == ["withdrawn"]
    assert pointers_kept(shop) == 0
    assert shop.keys("recording") == {"1"}


def test_a_superseded_plan_withdraws_nothing(shop: Shop) -> None:
    with_recording(shop, 1)
    execute(shop.settings, shop.approved_plan().plan_id)
    shop.classify()
    shop.plan()
    shop.plan()
    assert states(shop) == ["open"]


# --- what may go -------------------------------------------------------------------------------


def test_answered_meanwhile_it_goes_at_once_and_the_pointer_with_it(shop: Shop) -> None:
    with_recording(shop, 1)
    plan = shop.approved_plan()
    assert order_objects(shop.settings, plan.plan_id) == 1
    assert pointers_kept(shop) == 1
    assert acknowledge_all(shop) == 1
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan) == {"purged": plan.items}
    assert shop.tables_with(1) == set()
    (order,) = orders.list_(shop.settings)
    assert (order.state, order.acknowledgement) == ("done", "receipt 1")
    assert order.acknowledged_by
    assert pointers_kept(shop) == 0
    assert verify.read_back(shop.settings, plan.plan_id).findings == ()


def test_the_next_plan_takes_it_again_and_orders_nothing_twice(shop: Shop) -> None:
    with_recording(shop, 1)
    first = shop.approved_plan()
    execute(shop.settings, first.plan_id)
    (order,) = open_orders(shop)
    second = shop.approved_plan()
    assert second.items == first.items - shop.outcome(first)["purged"]
    execute(shop.settings, second.plan_id)
    assert open_orders(shop) == [order]
    assert shop.keys("recording") == {"1"}
    acknowledge_all(shop)
    third = shop.approved_plan()
    execute(shop.settings, third.plan_id)
    assert shop.outcome(third) == {"purged": third.items}
    assert shop.tables_with(1) == set()
    assert [body["stores"] for body in evidence(shop, "orders_issued")] == [
        [{"store": STORE, "table": "shop.recording", "orders": 1}]
    ]


def test_the_id_scan_of_a_request_lies_in_a_store_of_its_own(shop: Shop) -> None:
    shop.person(1, overdue=False)
    shop.add("request", id=5, person_id=1, state="closed", id_scan_url="s3://id/5.png")
    shop.judge("request", 5, "overdue")
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    assert shop.keys("request") == {"5"}
    assert orders.hand_over(shop.settings, STORE) == []
    (handed,) = orders.hand_over(shop.settings, "ID scans")
    assert (handed.table, handed.object_pointer) == ("shop.request", "s3://id/5.png")
    orders.acknowledge(shop.settings, {handed.order_id: "slettet"})
    execute(shop.settings, shop.approved_plan().plan_id)
    assert shop.keys("request") == set()


def test_a_row_without_an_object_waits_for_nobody(shop: Shop) -> None:
    with_recording(shop, 1, None)
    with_recording(shop, 2, "  ")
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan) == {"purged": plan.items}
    assert states(shop) == []


def test_an_answer_given_twice_counts_once(shop: Shop) -> None:
    with_recording(shop, 1)
    order_objects(shop.settings, shop.approved_plan().plan_id)
    (order,) = open_orders(shop)
    assert orders.acknowledge(shop.settings, {order: "receipt 1"}) == 1
    assert orders.acknowledge(shop.settings, {order: "receipt 2"}) == 0
    assert orders.list_(shop.settings)[0].acknowledgement == "receipt 1"
    with pytest.raises(UsageError, match="no such order"):
        orders.acknowledge(shop.settings, {UUID(int=0): "receipt 1"})


# --- what is left of it ------------------------------------------------------------------------


def test_no_evidence_and_no_report_holds_a_pointer(shop: Shop) -> None:
    with_recording(shop, 1)
    with_recording(shop, 2, "s3://lyd/annen")
    plan = shop.approved_plan()
    order_objects(shop.settings, plan.plan_id)
    (mine,) = (o for o in orders.hand_over(shop.settings) if o.object_pointer == OBJECT)
    orders.acknowledge(shop.settings, {mine.order_id: "receipt 1"})
    execute(shop.settings, plan.plan_id)
    report = deletion.build(shop.settings, plan.plan_id)
    assert report["orders"] == {
        "stores": [{"store": STORE, "issued": 2, "acknowledged": 1, "open": 1, "withdrawn": 0}],
        "rows_waiting": 1,
    }
    kinds = {entry.kind for entry in entries.of_plan(shop.conn, plan.plan_id)}
    assert "orders_issued" in kinds
    assert evidence(shop, "orders_handed_over")[0]["orders"] == 2
    assert evidence(shop, "orders_acknowledged")[0]["stores"] == [{"store": STORE, "orders": 1}]
    written = shop.one("select string_agg(body, ' ') from ledger.entries") + str(report)
    assert OBJECT not in written
    assert "s3://" not in written
    shown = shop.one("select string_agg(o::text, ' ') from ledger.deletion_orders_shown as o")
    assert "s3://" not in shown


def test_a_pointer_that_outlives_its_row_is_found(shop: Shop) -> None:
    with_recording(shop, 1)
    plan = shop.approved_plan()
    order_objects(shop.settings, plan.plan_id)
    acknowledge_all(shop)
    execute(shop.settings, plan.plan_id)
    shop.conn.execute(
        "update ledger.deletion_orders set object_pointer = %s, record_key = '1', erased_at = null",
        (OBJECT,),
    )
    shop.conn.commit()
    (finding,) = verify.read_back(shop.settings, plan.plan_id).findings
    assert "pointed to" in finding.what


def test_an_expired_order_is_not_handed_over(shop: Shop) -> None:
    """A plan that was begun and never ended, and that nobody has looked at since."""
    with_recording(shop, 1)
    plan = shop.approved_plan()
    order_objects(shop.settings, plan.plan_id)
    shop.conn.execute("update ledger.plans set expires_on = ledger.today() - 1")
    shop.conn.commit()
    assert orders.hand_over(shop.settings) == []


def test_a_store_that_does_not_answer_is_a_finding(shop: Shop) -> None:
    with_recording(shop, 1)
    execute(shop.settings, shop.approved_plan().plan_id)
    for days, found in ((14, 0), (15, 1)):
        shop.conn.execute(
            "update ledger.deletion_orders set ordered_at = now() - make_interval(days => %s)",
            (days,),
        )
        assert len(findings.unacknowledged(shop.conn)) == found, days
    (finding,) = findings.unacknowledged(shop.conn)
    assert finding.kind == "order_unacknowledged"
    assert (STORE in finding.message, finding.records) == (True, 1)
    shop.conn.commit()
    acknowledge_all(shop)
    assert findings.unacknowledged(shop.conn) == []


# --- the demonstration, and who may ------------------------------------------------------------


def test_the_demonstration_answers_for_no_real_store(shop: Shop) -> None:
    with_recording(shop, 1)
    order_objects(shop.settings, shop.approved_plan().plan_id)
    with pytest.raises(Refused, match="outside database"):
        orders.acknowledge_demonstration(shop.settings)
    # Nor where an embedded warehouse holds a schema without the sample's marker.
    with connect(shop.settings) as conn:
        with pytest.raises(psycopg.Error, match="sample's marker"):
            conn.execute(
                "select ledger.acknowledge_orders(%s, %s, 'demonstration')",
                (open_orders(shop), ["demonstration"]),
            )
        conn.rollback()
    assert states(shop) == ["open"]


def test_an_approver_reads_no_pointer_beside_the_handing_over(shop: Shop) -> None:
    with_recording(shop, 1)
    order_objects(shop.settings, shop.approved_plan().plan_id)
    with connect(shop.settings, role="retention_approver") as conn:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("select object_pointer from ledger.deletion_orders")
        conn.rollback()
    with connect(shop.settings, role="retention_reader") as conn:
        for statement in (
            "select * from ledger.hand_over_orders()",
            "select ledger.acknowledge_orders('{}', '{}')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)
            conn.rollback()


def test_a_row_that_is_only_minimised_keeps_its_object_and_asks_no_store(shop: Shop) -> None:
    path = shop.settings.declarations_dir / "_shop__sources.yml"
    path.write_text(
        path.read_text().replace(
            "harmless: [amount],\n          personal: {buyer: name,",
            "harmless: [amount], external_object: buyer,\n          personal: {buyer: object_pointer,",
        )
    )
    shop.declarations = load_declarations(shop.settings.declarations_dir)
    assert [t.name for t in shop.declarations.governed if t.stores and t.minimisable] == ["charge"]
    shop.buyer(1)
    plan = shop.approved_plan()
    assert order_objects(shop.settings, plan.plan_id) == 0
    execute(shop.settings, plan.plan_id)
    assert shop.outcome(plan) == {"purged": 7, "minimised": 1}
    assert states(shop) == []
    kept = shop.conn.execute("select buyer, note from shop.charge").fetchall()
    assert kept == [("Navn 1", None)]
