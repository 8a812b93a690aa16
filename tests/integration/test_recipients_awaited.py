"""What others have not answered: counted, late, and no finding any more once it has ended.

Belongs here: notices, relays and corrections against the policy's patience; the commands. Does not belong
here: what each of them does (test_recipients.py, test_relays.py, test_rectification.py).
"""

import json
from collections.abc import Callable
from uuid import UUID

import pytest
import typer

from cli import request_partners
from retention.errors import UsageError
from retention.policy import Policy, in_force, load_versions
from retention.rights import awaited, partners, recipients, rectification
from tests.factories import Shop, today
from tests.rights import decide, request_of, verified_request

pytestmark = pytest.mark.integration

UNION = 7


@pytest.fixture
def policy(shop: Shop) -> Policy:
    return in_force(load_versions(shop.settings.policy_dir), today(shop.conn))


@pytest.fixture
def correction(shop: Shop) -> UUID:
    """A request of a person who was handed over: a notice, a relay and a correction go on."""
    shop.person(41, overdue=False)
    shop.add("partner", id=UNION)
    shop.add("handover", id=41, person_id=41, partner_id=UNION)
    shop.classify()
    request = verified_request(shop, 41, right="rectification")
    rectification.record(
        shop.settings, request, table="shop.person", record_key="41", column="name"
    )
    partners.open_relays(shop.settings, [request])
    erasure = request_of(shop, 41)
    decide(shop, erasure, "person", 41, "erase")
    shop.one("select ledger.notify('erasure', %s)", [erasure])
    return request


@pytest.fixture
def commands(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(request_partners, "load_settings", lambda: shop.settings)
    return shop


def age(shop: Shop, days: int) -> None:
    """Let everything have begun so many days ago."""
    for table, column in (
        ("notices", "opened_at"),
        ("relays", "opened_at"),
        ("rectifications", "recorded_at"),
    ):
        shop.conn.execute(
            f"update ledger.{table} set {column} = now() - make_interval(days => %s)".encode(),
            (days,),
        )
    shop.conn.commit()


def kinds(shop: Shop, policy: Policy) -> list[str]:
    found = [one.kind for one in awaited.findings(shop.conn, policy)]
    shop.conn.commit()
    return found


def test_what_takes_too_long_is_a_finding_until_it_has_ended(
    shop: Shop, policy: Policy, correction: UUID
) -> None:
    patience = policy.rights.notice_patience_days.value
    assert awaited.standing(shop.conn, policy) == awaited.Awaited(3, 0, 1, 0, 1, 0)
    age(shop, patience)
    assert kinds(shop, policy) == []
    age(shop, patience + 1)
    assert awaited.standing(shop.conn, policy) == awaited.Awaited(3, 3, 1, 1, 1, 1)
    assert kinds(shop, policy) == [
        *["notice_unacknowledged"] * 3,
        "relay_unanswered",
        "rectification_not_clean",
    ]
    notices = [one.notice_id for one in recipients.list_(shop.settings)]
    recipients.give_up(shop.settings, notices, reason="a test")
    (relay,) = partners.list_(shop.settings)
    partners.close(shop.settings, relay.relay_id, reason="a test")
    shop.conn.execute("update shop.person set name = 'Ny'")
    shop.conn.commit()
    rectification.trace(shop.settings, correction)
    assert "rectification_not_clean" not in kinds(shop, policy)
    assert "relay_unanswered" not in kinds(shop, policy)
    (told,) = [one for one in recipients.list_(shop.settings, open_only=True) if one.to_partner]
    assert told.occasion == "rectification"


def test_a_partners_own_request_is_late_with_our_answer(
    shop: Shop, policy: Policy, correction: UUID
) -> None:
    (relay,) = partners.list_(shop.settings)
    partners.close(shop.settings, relay.relay_id, reason="a test")
    request = verified_request(shop, 41)
    received = partners.receive(shop.settings, request, f"shop.partner:{UNION}")
    age(shop, 25)
    assert awaited.standing(shop.conn, policy).late_relays == 0
    shop.conn.execute(
        "update ledger.requests set received_on = received_on - 60, answer_by = ledger.today() - 1"
        " where request_id = %s",
        (request,),
    )
    shop.conn.commit()
    assert awaited.standing(shop.conn, policy).late_relays == 1
    partners.answer(shop.settings, received, "noted", text="sent on the 3rd")
    assert awaited.standing(shop.conn, policy).late_relays == 0


def test_the_commands_list_without_partner_and_key(
    commands: Shop, correction: UUID, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: tuple[Callable[[], None], ...] = (
        lambda: request_partners.notices(),
        lambda: request_partners.relays(),
        lambda: request_partners.notices(as_json=True),
        lambda: request_partners.relays(as_json=True),
    )
    key = commands.one("select partner_key from ledger.relays")
    for show in shown:
        show()
        printed = capsys.readouterr().out
        assert key not in printed
        assert f"shop.partner:{UNION}" not in printed
        assert "shop.person" not in printed


def test_the_commands_take_a_notice_and_a_relay_to_their_end(
    commands: Shop, correction: UUID, capsys: pytest.CaptureFixture[str]
) -> None:
    (notice,) = [
        one.notice_id
        for one in recipients.list_(commands.settings)
        if one.recipient_id == "shop_system"
    ]
    request_partners.notices(send=notice, as_json=True)
    assert json.loads(capsys.readouterr().out)["records"] == {"shop.person": ["41"]}
    with pytest.raises(UsageError, match="--by"):
        request_partners.acknowledge([notice], text="case 1")
    request_partners.acknowledge([notice], text="case 1", by="Stripe", as_json=True)
    assert json.loads(capsys.readouterr().out) == {"settled": 1}
    relay = partners.list_(commands.settings)[0].relay_id
    request_partners.relay(relay)
    assert f"shop.partner:{UNION}" in capsys.readouterr().out
    with pytest.raises(UsageError, match="erase, keep or noted"):
        request_partners.relay(relay, answer="perhaps", text="x")
    request_partners.relay(relay, answer="noted", text="case 2")
    request_partners.relay(relay, close=True)
    assert [one.state for one in partners.list_(commands.settings)] == ["closed"]


def test_the_trace_says_where_and_ends_with_1_while_it_is_there(
    commands: Shop, correction: UUID, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        request_partners.trace(correction)
    assert ended.value.exit_code == 1
    assert "the source still holds the old value" in capsys.readouterr().out
    commands.conn.execute("update shop.person set name = 'Ny'")
    commands.conn.commit()
    request_partners.trace(correction)
    assert "held nowhere any more" in capsys.readouterr().out
