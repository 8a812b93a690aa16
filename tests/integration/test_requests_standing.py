"""What is said of the register: which requests are late, which wait for somebody.

Belongs here: counts and findings. Does not belong here: the steps of a request (test_requests.py).
"""

from datetime import timedelta

import pytest

from retention.findings import Finding
from retention.policy import Policy, in_force, load_versions
from retention.rights import intake, register, scans, standing
from retention.rights.model import Closing, Right, Verified
from tests.factories import Shop, today

pytestmark = pytest.mark.integration


@pytest.fixture
def asked(shop: Shop) -> Shop:
    shop.person(1, overdue=False)
    shop.classify()
    return shop


def policy(shop: Shop) -> Policy:
    return in_force(load_versions(shop.settings.policy_dir), today(shop.conn))


def found(shop: Shop) -> dict[str, Finding]:
    listed = list(standing.findings(shop.conn, shop.declarations, policy(shop)))
    shop.conn.commit()
    return {one.kind: one for one in listed}


def counted(shop: Shop) -> standing.Standing:
    counts = standing.standing(shop.conn, shop.declarations, policy(shop))
    shop.conn.commit()
    return counts


def test_nothing_is_found_where_nothing_is_late(asked: Shop) -> None:
    register.open_request(
        asked.approver, Right.ACCESS, today(asked.conn), person="shop.person:1", purpose=None
    )
    assert found(asked) == {}
    assert (counted(asked).received, counted(asked).due_soon) == (1, 0)


def test_a_request_is_late_from_the_day_after_its_last(asked: Shop) -> None:
    day = today(asked.conn)
    request = register.open_request(
        asked.approver, Right.ACCESS, day, person="shop.person:1", purpose=None
    )
    for answer_by, overdue, soon in (
        (day + timedelta(days=8), 0, 0),
        (day + timedelta(days=7), 0, 1),
        (day, 0, 1),
        (day - timedelta(days=1), 1, 0),
    ):
        asked.conn.execute(
            "update ledger.requests set received_on = %s, answer_by = %s",
            (answer_by - timedelta(days=30), answer_by),
        )
        counts = counted(asked)
        assert (counts.overdue, counts.due_soon) == (overdue, soon), answer_by
        assert ("requests_overdue" in found(asked)) is bool(overdue)
    assert found(asked)["requests_overdue"].records == 1
    register.close(asked.approver, request, Closing.UNFOUNDED)
    assert found(asked) == {}


def test_a_request_of_nobody_is_found(asked: Shop) -> None:
    asked.add("request", id=70, person_id=99)
    asked.add("request", id=71, person_id=1, right_asserted="hva som helst")
    asked.classify()
    intake.take_in(asked.settings)
    assert found(asked)["requests_unidentified"].records == 2


def test_a_scan_that_stays_is_found_after_the_days_of_patience(asked: Shop) -> None:
    asked.add("request", id=70, person_id=1, id_scan_url="s3://id/70.png")
    asked.classify()
    intake.take_in(asked.settings)
    (request,) = register.list_(asked.settings)
    register.verify(asked.approver, request.request_id, Verified.IDENTITY_DOCUMENT)
    asked.conn.execute("update ledger.requests set answer_by = ledger.today()")
    asked.conn.commit()
    days = policy(asked).operations.order_patience_days.value
    for passed, waiting in ((days, 0), (days + 1, 1)):
        asked.conn.execute(
            "update ledger.requests set verified_at = now() - make_interval(days => %s)", (passed,)
        )
        asked.conn.commit()
        assert counted(asked).scans_waiting == waiting
    assert found(asked)["identity_scans_waiting"].records == 1

    # What a court keeps is not late; nor is what is gone.
    held = asked.hold("record", "shop.request:70")
    assert counted(asked).scans_waiting == 0
    asked.conn.execute("select ledger.release_blocker(%s)", (held,))
    asked.conn.execute("update shop.request set id_scan_url = null")
    asked.conn.commit()
    assert counted(asked).scans_waiting == 1
    scans.delete(asked.settings)
    assert found(asked) == {}
