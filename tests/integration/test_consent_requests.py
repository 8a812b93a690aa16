"""The withdrawal of a consent that came as a request.

Belongs here: its decision, what it erases or stops, and when it is carried out. Does not belong here:
withdrawals that landed (test_consent_withdrawn.py), and the register (its own tests).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from psycopg import sql

from retention.errors import Refused, UsageError
from retention.plan import create_decided
from retention.policy import in_force, load_versions
from retention.purge import execute
from retention.rights.consent import standing
from retention.rights.consent.requests import withdraw_consent
from retention.rights.model import RequestState
from retention.settings import Settings
from tests.consents import (
    UNION,
    decided_plan,
    decisions,
    member,
    officer_of,
    partner_of,
    partners,
    run,
)
from tests.factories import Shop, today
from tests.rights import verified_request

pytestmark = pytest.mark.integration


@pytest.fixture
def officer(shop: Shop) -> Iterator[Settings]:
    with officer_of(shop) as settings:
        yield settings


@pytest.fixture
def members(shop: Shop) -> Shop:
    """Two members whose consents are in force, one of whom is shared back."""
    partners(shop)
    member(shop, 50, withdrawn=None)
    member(shop, 51, withdrawn=None)
    shop.add(
        "consent",
        id=70,
        person_id=50,
        purpose="share_back",
        given_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    )
    shop.classify()
    return shop


def asked(shop: Shop, number: int, purpose: str | None, *, verified: bool = True) -> UUID:
    request = verified_request(shop, number, right="withdrawal", verified=verified)
    run(shop, "update ledger.requests set purpose = %s where request_id = %s", purpose, request)
    return request


def state(shop: Shop, request: UUID) -> str:
    found: str = shop.one("select state from ledger.requests where request_id = %s", request)
    return found


def notices(shop: Shop) -> list[tuple[str, str]]:
    rows = shop.conn.execute("select occasion, recipient_id from ledger.notices order by 1, 2")
    found = [(occasion, recipient) for occasion, recipient in rows.fetchall()]
    shop.conn.commit()
    return found


# --- what must not happen ----------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [None, "marketing", "gambling"])
def test_a_purpose_that_rests_on_no_consent_is_refused(
    members: Shop, officer: Settings, purpose: str | None
) -> None:
    request = asked(members, 50, purpose)
    with pytest.raises(UsageError, match="no purpose that rests on consent"):
        withdraw_consent(officer, request)
    assert state(members, request) == "identity_verified"


def test_an_unverified_person_withdraws_nothing(members: Shop, officer: Settings) -> None:
    request = asked(members, 50, "union_membership", verified=False)
    with pytest.raises(Refused):
        withdraw_consent(officer, request)
    members.classify()
    assert decisions(members) == set()


def test_an_undecided_request_erases_nothing(members: Shop) -> None:
    asked(members, 50, "union_membership")
    members.classify()
    assert decisions(members) == set()


def test_withdrawn_sharing_stops_and_erases_nothing(members: Shop, officer: Settings) -> None:
    before = members.rows()
    request = asked(members, 50, "share_back")
    answered = withdraw_consent(officer, request)
    assert (answered.state, answered.on_withdrawal) == (RequestState.CARRIED_OUT, "stop")
    assert {occasion for occasion, _ in notices(members)} == {"sharing_stopped"}
    members.classify()
    assert decisions(members) == set()
    assert create_decided(members.settings).state == "empty"
    assert members.rows() == before


def test_withdrawn_sharing_that_landed_is_told_once(members: Shop) -> None:
    members.add("lead", id=61, person_id=50, partner_id=1)
    before = members.rows()
    run(members, "update shop.consent set withdrawn_at = '2026-09-07' where id = 70")
    for _ in range(2):
        members.classify()
        assert decisions(members) == set()
    rows = members.conn.execute(
        "select occasion, recipient_id, count(*) from ledger.notices group by 1, 2"
    ).fetchall()
    members.conn.commit()
    # Two partners handed her over, or got her; each is told once.
    assert rows == [("sharing_stopped", "partners", 2)]
    assert members.one("select array_agg(state || ' ' || closed_as) from ledger.requests") == [
        "closed answered"
    ]
    assert len(members.rows() - before) == 1
    assert create_decided(members.settings).state == "empty"


# --- the straight path -------------------------------------------------------------------------


def test_a_withdrawal_is_carried_out_when_nothing_is_left(members: Shop, officer: Settings) -> None:
    request = asked(members, 50, "union_membership")
    answered = withdraw_consent(officer, request)
    assert (answered.state, answered.on_withdrawal) == (RequestState.DECIDED, "erase")
    plan = decided_plan(members)
    assert decisions(members) == {("lead", "50"), ("handover", "50")}
    assert (
        members.one("select count(*) from ledger.erasure_decisions where request_id = %s", request)
        == 2
    )
    assert state(members, request) == "decided"
    assert {occasion for occasion, _ in notices(members)} == {"withdrawal"}
    execute(members.settings, plan.plan_id)
    assert (partner_of(members, "lead", 50), partner_of(members, "lead", 51)) == (None, UNION)
    assert state(members, request) == "decided"
    members.classify()
    assert state(members, request) == "carried_out"


def test_what_is_held_or_late_is_a_finding(members: Shop, officer: Settings) -> None:
    policy = in_force(load_versions(members.settings.policy_dir), today(members.conn))
    withdraw_consent(officer, asked(members, 50, "union_membership"))
    members.judge("lead", 50, "held")
    members.classify()
    counted = members.conn.execute(
        "select sum(records), sum(blocked), sum(late) from ledger.withdrawals_standing(0, 7)"
    ).fetchone()
    assert counted == (2, 1, 0)
    (found,) = standing.findings(members.conn, policy)
    assert (found.kind, found.table, found.records) == (
        "consent_withdrawal_blocked",
        "shop.lead",
        1,
    )
    members.conn.commit()
    run(members, "update ledger.requests set received_on = received_on - 30")
    members.classify()
    kinds = {
        (found.kind, found.table): found.records
        for found in standing.findings(members.conn, policy)
    }
    assert kinds == {
        ("consent_withdrawal_blocked", "shop.lead"): 1,
        ("consent_withdrawal_late", "shop.handover"): 1,
    }


def test_on_its_last_day_a_withdrawal_is_not_late(members: Shop, officer: Settings) -> None:
    policy = in_force(load_versions(members.settings.policy_dir), today(members.conn))
    withdraw_consent(officer, asked(members, 50, "union_membership"))
    for days, late in ((7, 0), (8, 2)):
        members.conn.execute(
            sql.SQL("update ledger.requests set received_on = ledger.today() - {}").format(days)
        )
        members.conn.commit()
        members.classify()
        found = [one.records or 0 for one in standing.findings(members.conn, policy)]
        assert sum(found) == late
        members.conn.commit()
