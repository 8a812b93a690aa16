"""A partner's word, from the request to the purge, by a login that may answer requests and nothing else.

Belongs here: the register, the decision, the relay and the purge together. Does not belong here: each of
them by itself (test_requests.py, test_erasure_decisions.py, test_relays.py).
"""

from datetime import timedelta

import pytest

from retention.plan import create_decided
from retention.purge import execute
from retention.rights import partners, recipients
from retention.rights.erasure import decide
from tests.erasures import Officer, outcomes
from tests.factories import LONG_AGO, Shop

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FIRM = 8
LATER = LONG_AGO + timedelta(days=9)


def carry_out(shop: Shop) -> None:
    shop.classify()
    plan = create_decided(shop.settings)
    if plan.items:
        execute(shop.settings, plan.plan_id)


def test_only_the_partners_word_erases_what_we_process_for_it(shop: Shop, officer: Officer) -> None:
    shop.person(41, overdue=False)
    shop.add("partner", id=FIRM)
    shop.add(
        "handover", id=41, person_id=41, partner_id=FIRM, scope="outside", handed_over_at=LATER
    )
    shop.conn.execute("update shop.recording set recorded_at = %s", (LATER + timedelta(days=1),))
    shop.classify()
    request = officer.request(41)
    (relay,) = partners.list_(officer.settings, open_only=True)
    assert (relay.because, relay.request_id) == ("processor", request)
    decide(officer.settings, [request])
    assert outcomes(shop, request)["recording", "41"] == "relay"
    assert set(outcomes(shop, request).values()) == {"erase", "relay"}
    carry_out(shop)
    assert shop.keys("visit") == set()
    assert shop.keys("recording") == {"41"}

    assert partners.take(officer.settings, relay.relay_id) == f"shop.partner:{FIRM}"
    assert partners.answer(officer.settings, relay.relay_id, "erase", text="case 1") == 1
    carry_out(shop)
    assert shop.keys("recording") == set()


def test_the_officer_alone_tells_whom_it_concerns(shop: Shop, officer: Officer) -> None:
    """Notices open with the decision; what they say outlives the purge, and goes with the answer."""
    shop.person(41, overdue=False)
    shop.classify()
    request = officer.request(41)
    assert recipients.list_(officer.settings) == []
    decide(officer.settings, [request])
    carry_out(shop)
    assert shop.keys("person") == set()
    notices = {one.recipient_id: one for one in recipients.of_occasion(shop.conn, request)}
    assert {name: one.records for name, one in notices.items()} == {"hosting": 6, "shop_system": 6}
    own = notices["shop_system"].notice_id
    assert recipients.send(officer.settings, own).records["shop.person"] == ["41"]
    assert recipients.acknowledge(officer.settings, [own], by="Shop", text="case 2") == 1
    assert shop.one("select count(*) from ledger.notice_pointers") == 0
    # The purge of what was decided tells nobody a second time.
    assert {one.occasion for one in recipients.list_(officer.settings)} == {"erasure"}
