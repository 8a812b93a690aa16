"""Relays: what a partner decides and nobody else, who must not learn which partner, and what is passed on.

Belongs here: relays on the small warehouse, and decisions on what we process for a partner. Does not belong
here: whose a record is (dbt's unit tests), and notices (test_recipients.py).
"""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from retention.errors import Refused, UsageError
from retention.rights import partners, recipients
from retention.warehouse.connection import connect
from tests.factories import LONG_AGO, Shop
from tests.logins import Logins
from tests.rights import decide, request_of, token_of, verified_request

pytestmark = pytest.mark.integration

UNION = 7
FIRM = 8
LATER = LONG_AGO + timedelta(days=9)
RECORDED = LATER + timedelta(days=1)


def referred(shop: Shop, number: int, partner: int = FIRM) -> None:
    """A person who was referred to a partner, and of whom a recording was made afterwards."""
    shop.person(number)
    shop.add(
        "handover",
        id=number,
        person_id=number,
        partner_id=partner,
        scope="outside",
        handed_over_at=LATER,
    )
    shop.conn.execute(
        "update shop.recording set recorded_at = %s where id = %s", (RECORDED, number)
    )
    shop.conn.commit()


def relays(shop: Shop, *requests: UUID) -> dict[str, UUID]:
    """The relays of requests by why they are."""
    partners.open_relays(shop.settings, requests)
    return {one.because: one.relay_id for one in partners.list_(shop.settings)}


def decisions(shop: Shop) -> list[tuple[str, str, str]]:
    """The latest decision of each record."""
    rows = shop.conn.execute(
        "select distinct on (source_table, record_key) source_table, record_key, outcome"
        " from ledger.erasure_decisions order by source_table, record_key, decided_at desc"
    ).fetchall()
    shop.conn.commit()
    return rows


# What must not be.


@pytest.mark.parametrize("outcome", ["erase", "minimise", "lock"])
def test_what_we_process_for_a_partner_is_never_decided_by_us(shop: Shop, outcome: str) -> None:
    referred(shop, 41)
    shop.classify()
    request = request_of(shop, 41)
    with pytest.raises(psycopg.Error, match="the partner decides"):
        decide(shop, request, "recording", 41, outcome)
    shop.conn.rollback()
    assert decisions(shop) == []
    decide(shop, request, "person", 41, outcome)  # collected before the referral: ours


def test_without_an_answer_nothing_is_decided(shop: Shop) -> None:
    referred(shop, 41)
    shop.classify()
    request = request_of(shop, 41)
    decide(shop, request, "recording", 41, "relay")
    relay = relays(shop, request)["processor"]
    with pytest.raises(Refused, match="before it was sent"):
        partners.answer(shop.settings, relay, "erase", text="case 1")
    partners.take(shop.settings, relay)
    with pytest.raises(UsageError, match="erase, keep or noted"):
        partners.answer(shop.settings, relay, "erase", text=" ")
    with pytest.raises(UsageError, match="noted any other"):
        partners.answer(shop.settings, relay, "noted", text="we shall see")
    partners.close(shop.settings, relay, reason="the partner was wound up")
    with pytest.raises(Refused, match="closed"):
        partners.answer(shop.settings, relay, "erase", text="case 1")
    assert decisions(shop) == [("recording", "41", "relay")]


def test_a_partner_instructs_on_its_own_records_alone(shop: Shop) -> None:
    """A joint partner, and the processor's partner of another request, decide on nothing of this one."""
    referred(shop, 41)
    shop.add("handover", id=141, person_id=41, partner_id=UNION)
    referred(shop, 42, partner=UNION)
    shop.classify()
    request, other = request_of(shop, 41), request_of(shop, 42)
    for number, of in ((41, request), (42, other)):
        decide(shop, of, "recording", number, "relay")
    decide(shop, request, "contact", 41, "refuse")
    partners.open_relays(shop.settings, [request, other])
    found = partners.list_(shop.settings)
    (joint,) = [one.relay_id for one in found if one.because == "joint"]
    (own,) = [
        one.relay_id for one in found if (one.because, one.request_id) == ("processor", request)
    ]
    for relay in (joint, own):
        partners.take(shop.settings, relay)
    with pytest.raises(UsageError, match="noted any other"):
        partners.answer(shop.settings, joint, "erase", text="erase it all")
    assert partners.answer(shop.settings, own, "erase", text="case 1") == 1
    assert decisions(shop) == [
        ("contact", "41", "refuse"),
        ("recording", "41", "erase"),
        ("recording", "42", "relay"),
    ]


def test_one_partner_does_not_instruct_on_what_another_one_owns(shop: Shop) -> None:
    """One human, known twice, and referred to another partner each time."""
    referred(shop, 41)
    referred(shop, 42, partner=UNION)
    shop.classify()
    shop.conn.execute(
        "update ledger.subject_tokens set subject_token = %s where subject_id = 'shop.person:42'",
        (token_of(shop, 41),),
    )
    shop.classify()
    request = request_of(shop, 41)
    for number in (41, 42):
        decide(shop, request, "recording", number, "relay")
    assert partners.open_relays(shop.settings, [request]) == 2
    relay, other = [one.relay_id for one in partners.list_(shop.settings)]
    for one in (relay, other):
        partners.take(shop.settings, one)
    assert partners.answer(shop.settings, relay, "erase", text="case 1") == 1
    assert {outcome for _, _, outcome in decisions(shop)} == {"erase", "relay"}
    assert partners.answer(shop.settings, other, "keep", text="case 2") == 1
    assert {outcome for _, _, outcome in decisions(shop)} == {"erase", "refuse"}


def test_an_answer_that_comes_before_the_decision_waits_for_it(shop: Shop) -> None:
    referred(shop, 41)
    shop.classify()
    request = verified_request(shop, 41, right="erasure")
    relay = relays(shop, request)["processor"]
    partners.take(shop.settings, relay)
    with pytest.raises(Refused, match="not decided"):
        partners.answer(shop.settings, relay, "erase", text="case 1")
    assert decisions(shop) == []


def test_nobody_outside_is_told_before_the_identity_is_verified(shop: Shop) -> None:
    referred(shop, 41)
    shop.add("handover", id=141, person_id=41, partner_id=UNION)
    shop.classify()
    request = verified_request(shop, 41, right="erasure", verified=False)
    assert partners.open_relays(shop.settings, [request]) == 0
    assert partners.list_(shop.settings) == []


def test_no_role_but_the_rights_officer_learns_which_partner(shop: Shop, logins: Logins) -> None:
    shop.person(41)
    shop.add("handover", id=41, person_id=41, partner_id=UNION)
    shop.classify()
    relay = relays(shop, verified_request(shop, 41))["joint"]
    readings = (
        "select partner_key from ledger.relays",
        f"select ledger.take_relay('{relay}')",
        f"select ledger.partner_of_relay('{relay}')",
        f"select ledger.answer_relay('{relay}', 'noted', 'x')",
        f"select ledger.receive_relay('{uuid4()}', 'shop.partner:7')",
        f"select ledger.close_relay('{relay}', 'x')",
        f"select ledger.processor_records(array['{uuid4()}'::uuid])",
    )
    for role in ("auditor", "compactor", "reader", "planner"):
        with connect(logins.of(role), autocommit=True) as conn:
            for reading in readings:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute(reading)
    key = shop.one("select partner_key from ledger.relays")
    with connect(logins.of("auditor")) as conn:
        shown = conn.execute("select * from ledger.relays_shown").fetchall()
    assert len(shown) == 1
    assert key not in str(shown)
    written = shop.one("select string_agg(body, ' ') from ledger.entries")
    assert key not in written


def test_which_partner_is_read_only_once_it_is_on_record_who_reads(
    shop: Shop, logins: Logins
) -> None:
    shop.conn.execute("alter table shop.partner add column name text")
    shop.add("partner", id=UNION, name="Forbundet")
    shop.person(41)
    shop.add("handover", id=41, person_id=41, partner_id=UNION)
    shop.classify()
    relay = relays(shop, verified_request(shop, 41))["joint"]
    with connect(shop.settings) as conn:
        conn.execute("select ledger.take_relay(%s)", (relay,))
        with pytest.raises(psycopg.Error, match="taken a relay in hand"):
            conn.execute("select ledger.partner_of_relay(%s)", (relay,))
        conn.rollback()
    assert partners.take(shop.settings, relay) == f"shop.partner:{UNION} (Forbundet)"
    shop.conn.execute(
        sql.SQL("grant retention_rights_officer to {}").format(
            sql.Identifier(logins.name("auditor"))
        )
    )
    shop.conn.commit()
    with connect(logins.of("auditor")) as conn:
        with pytest.raises(psycopg.Error, match="taken a relay in hand"):
            conn.execute("select ledger.partner_of_relay(%s)", (relay,))
        conn.rollback()


# What is relayed.


def test_requests_are_passed_on_in_one_statement(shop: Shop) -> None:
    shop.person(41)
    shop.add("handover", id=41, person_id=41, partner_id=UNION)
    referred(shop, 42)
    shop.person(43)  # whose lead came from a partner: nobody's joint controller
    shop.classify()
    requests = [verified_request(shop, number) for number in (41, 42, 43)]
    assert partners.open_relays(shop.settings, requests) == 2
    assert partners.open_relays(shop.settings, requests) == 0
    found = partners.list_(shop.settings, open_only=True)
    assert {(one.request_id, one.direction, one.because, one.state) for one in found} == {
        (requests[0], "out", "joint", "open"),
        (requests[1], "out", "processor", "open"),
    }
    assert shop.one("select body::jsonb from ledger.entries where kind = 'relays_opened'")[
        "relays"
    ] == {"joint": 1, "processor": 1}


def test_a_referral_without_later_records_leaves_nothing_to_pass_on(shop: Shop) -> None:
    """All that was collected by the very instant of the referral is ours."""
    shop.person(41)
    shop.add("handover", id=41, person_id=41, scope="outside", handed_over_at=RECORDED)
    shop.conn.execute("update shop.recording set recorded_at = %s", (RECORDED,))
    shop.classify()
    assert partners.open_relays(shop.settings, [verified_request(shop, 41)]) == 0


@pytest.mark.parametrize(("given", "outcome"), [("erase", "erase"), ("keep", "refuse")])
def test_the_partners_answer_decides(shop: Shop, given: Any, outcome: str) -> None:
    referred(shop, 41)
    shop.classify()
    request = request_of(shop, 41)
    decide(shop, request, "recording", 41, "relay")
    relay = relays(shop, request)["processor"]
    partners.take(shop.settings, relay)
    assert partners.answer(shop.settings, relay, given, text="case 1") == 1
    assert decisions(shop) == [("recording", "41", outcome)]
    law, instructed = shop.conn.execute(
        "select law, relay_id from ledger.erasure_decisions where outcome = %s", (outcome,)
    ).fetchone() or ("", None)
    assert law.startswith("instruction of the partner")
    # What the partner has us erase, its and our recipients are told.
    told = {one.recipient_id for one in recipients.list_(shop.settings)}
    assert told == ({"shop_system", "hosting", "partners"} if given == "erase" else set())
    assert instructed == relay
    with pytest.raises(Refused, match="again"):
        partners.answer(shop.settings, relay, given, text="case 1")
    partners.close(shop.settings, relay)
    assert [one.state for one in partners.list_(shop.settings)] == ["closed"]
    assert shop.one("select partner_key from ledger.relays") is None
    assert partners.open_relays(shop.settings, [request]) == 0


def test_a_request_that_a_partner_passed_on_is_answered_back(shop: Shop) -> None:
    shop.add("partner", id=UNION)
    shop.person(41)
    shop.add("handover", id=41, person_id=41, partner_id=UNION)
    shop.classify()
    request = verified_request(shop, 41)
    relay = partners.receive(shop.settings, request, f"shop.partner:{UNION}")
    with pytest.raises(Refused, match="on record"):
        partners.receive(shop.settings, request, f"shop.partner:{UNION}")
    with pytest.raises(UsageError, match="no such partner"):
        partners.receive(shop.settings, request, "shop.lead:41")
    with pytest.raises(UsageError, match="no such open request"):
        partners.receive(shop.settings, uuid4(), f"shop.partner:{UNION}")
    # The partner knows of the request: it is not passed back.
    assert partners.open_relays(shop.settings, [request]) == 0
    (found,) = partners.list_(shop.settings)
    assert (found.direction, found.because, found.state) == ("in", "received", "received")
    assert partners.take(shop.settings, relay) == f"shop.partner:{UNION}"
    with pytest.raises(UsageError, match="nobody has answered"):
        partners.close(shop.settings, relay)
    assert partners.answer(shop.settings, relay, "noted", text="sent on the 3rd") == 0
    partners.close(shop.settings, relay)
    assert token_of(shop, 41)
