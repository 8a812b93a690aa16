"""Recipients: what a notice must not hold, who must not read it, and who is told of what.

Belongs here: notices of purges, restrictions and decided requests, on the small warehouse. Does not
belong here: requests that go to partners (test_relays.py).
"""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from retention import holds
from retention.errors import Refused, UsageError
from retention.ledger import entries
from retention.plan import reject
from retention.purge import execute
from retention.rights import recipients
from retention.warehouse.connection import connect
from tests.factories import Shop
from tests.logins import Logins
from tests.rights import decide, request_of, token_of

pytestmark = pytest.mark.integration

UNION = 7


def handed_over(shop: Shop, number: int, *, scope: str = "inside", partner: int = UNION) -> None:
    """An overdue person whom a partner was given."""
    shop.person(number)
    shop.add("handover", id=number, person_id=number, partner_id=partner, scope=scope)


def notify(shop: Shop, occasion: str, *ids: UUID) -> int:
    opened: int = shop.one("select ledger.notify(%s, %s)", occasion, list(ids))
    return opened


def told(shop: Shop) -> dict[str, int]:
    """Recipients with an open notice, and of how many records; of partners, all together."""
    return {
        one.recipient_id: one.records for one in recipients.list_(shop.settings, open_only=True)
    }


def erased(shop: Shop, number: int) -> UUID:
    """A request by which the person's own row and lead are to be erased, told to the recipients."""
    shop.classify()
    request = request_of(shop, number)
    for table in ("person", "lead"):
        decide(shop, request, table, number, "erase")
    assert notify(shop, "erasure", request) > 0
    return request


def to(shop: Shop, recipient: str) -> UUID:
    (found,) = [
        one.notice_id for one in recipients.list_(shop.settings) if one.recipient_id == recipient
    ]
    return found


def pointers(shop: Shop) -> int:
    found: int = shop.one("select count(*) from ledger.notice_pointers")
    return found


# What must not be.


def test_a_notice_that_is_settled_holds_no_key(shop: Shop) -> None:
    handed_over(shop, 41)
    erased(shop, 41)
    own = to(shop, "shop_system")
    recipients.send(shop.settings, own)
    held = shop.one("select count(*) from ledger.notice_pointers where notice_id = %s", own)
    assert held == 2
    assert recipients.acknowledge(shop.settings, [own], by="Stripe support", text="case 12") == 1
    assert not shop.one(
        "select exists (select from ledger.notice_pointers where notice_id = %s)", own
    )
    assert pointers(shop) > 0  # the partner has not answered yet
    given_up = to(shop, "partners")
    assert recipients.give_up(shop.settings, [given_up], reason="it was wound up") == 1
    assert pointers(shop) == 0
    assert shop.one("select count(partner_key) from ledger.notices where state <> 'open'") == 0
    assert [one.to_partner for one in recipients.list_(shop.settings)].count(True) == 1


def test_nothing_is_acknowledged_that_was_not_sent_or_without_words(shop: Shop) -> None:
    shop.person(41)
    erased(shop, 41)
    own = to(shop, "shop_system")
    with pytest.raises(Refused, match="not sent"):
        recipients.acknowledge(shop.settings, [own], by="Stripe", text="done")
    recipients.send(shop.settings, own)
    for by, text in (("", "done"), ("Stripe", " ")):
        with pytest.raises(UsageError, match="words are missing"):
            recipients.acknowledge(shop.settings, [own], by=by, text=text)
    with pytest.raises(UsageError, match="no such notice"):
        recipients.acknowledge(shop.settings, [own, uuid4()], by="Stripe", text="done")
    assert pointers(shop) == 2
    assert recipients.acknowledge(shop.settings, [own], by="Stripe", text="done") == 1
    assert recipients.acknowledge(shop.settings, [own], by="Stripe", text="again") == 0
    with pytest.raises(Refused, match="settled"):
        recipients.send(shop.settings, own)


@pytest.mark.parametrize("kind", ["hold", "restriction"])
def test_of_what_is_held_or_restricted_nobody_is_told_to_erase_it(shop: Shop, kind: Any) -> None:
    handed_over(shop, 41)
    erased(shop, 41)
    own = to_of(shop, "shop_system", "erasure")
    held = shop.hold("subject", "shop.person:41", kind=kind)
    with pytest.raises(Refused, match="held or restricted"):
        recipients.send(shop.settings, own)
    if kind == "hold":
        holds.release(shop.settings, held)
        assert recipients.send(shop.settings, own).records


def test_nobody_reads_a_notice_before_it_is_on_record_that_they_do(
    shop: Shop, logins: Logins
) -> None:
    handed_over(shop, 41)
    erased(shop, 41)
    for name in ("shop_system", "partners"):
        notice = to(shop, name)
        for reading in ("select ledger.read_notice(%s)", "select ledger.partner_of_notice(%s)"):
            with connect(shop.settings) as conn:
                conn.execute("select ledger.send_notices(array[%s])", (notice,))
                with pytest.raises(psycopg.Error, match="send it first"):
                    conn.execute(reading, (notice,))
                conn.rollback()
            with connect(shop.settings) as conn:
                with pytest.raises(psycopg.Error, match="send it first"):
                    conn.execute(reading, (notice,))
                conn.rollback()
        recipients.send(shop.settings, notice)
        # Another rights officer, who has sent nothing.
        shop.conn.execute(
            sql.SQL("grant retention_rights_officer to {}").format(
                sql.Identifier(logins.name("auditor"))
            )
        )
        shop.conn.commit()
        with connect(logins.of("auditor")) as conn:
            with pytest.raises(psycopg.Error, match="send it first"):
                conn.execute("select ledger.read_notice(%s)", (notice,))
            conn.rollback()
    assert len(entries_of(shop, "notices_sent")) == 2


def test_no_role_but_the_rights_officer_learns_which_partner(shop: Shop, logins: Logins) -> None:
    handed_over(shop, 41)
    erased(shop, 41)
    notice = to(shop, "partners")
    readings = (
        "select partner_key from ledger.notices",
        "select * from ledger.notice_pointers",
        "select * from ledger.plan_partners",
        f"select ledger.partner_of_notice('{notice}')",
        f"select ledger.read_notice('{notice}')",
        f"select ledger.send_notices(array['{notice}'::uuid])",
        f"select ledger.settle_notices(array['{notice}'::uuid], 'x', 'y')",
        f"select ledger.recipients_of('{token_of(shop, 41)}')",
        "select ledger.partner_shown('x')",
    )
    for role in ("auditor", "compactor", "reader", "planner"):
        with connect(logins.of(role), autocommit=True) as conn:
            for reading in readings:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute(reading)
    granted = shop.conn.execute(
        "select distinct grantee from information_schema.role_table_grants"
        " where table_schema = 'ledger' and table_name in ('notices', 'notice_pointers', 'relays')"
        " and grantee not in ('retention_owner', 'retention_rights_officer')"
    ).fetchall()
    assert granted == []
    with connect(logins.of("auditor")) as conn:
        shown = conn.execute("select * from ledger.notices_shown where to_partner").fetchall()
    key = shop.one("select partner_key from ledger.notices where partner_key is not null")
    assert len(shown) == 1
    assert key not in str(shown)


def test_the_evidence_of_notices_names_no_person_and_no_partner(shop: Shop) -> None:
    handed_over(shop, 734501)
    erased(shop, 734501)
    key = shop.one("select partner_key from ledger.notices where partner_key is not null")
    for name in ("shop_system", "partners"):
        recipients.send(shop.settings, to(shop, name))
        recipients.acknowledge(shop.settings, [to(shop, name)], by="them", text="done")
    written = shop.one(
        "select string_agg(body, ' ') from ledger.entries where kind like 'notices_%%'"
    )
    assert "734501" not in written
    assert key not in written
    assert str(token_of(shop, 734501)) not in written


def test_a_plan_that_is_not_carried_out_tells_nobody_and_keeps_no_partner(shop: Shop) -> None:
    handed_over(shop, 41)
    plan = shop.approved_plan()
    assert shop.one("select count(*) from ledger.plan_partners") == plan.items
    reject(shop.approver, plan.plan_id, "not now")
    assert shop.one("select count(*) from ledger.plan_partners") == 0
    assert recipients.list_(shop.settings) == []


def test_what_stays_is_told_to_nobody(shop: Shop) -> None:
    """A lock is no restriction, and what we process for a partner goes to the partner as a relay."""
    shop.person(41)
    shop.classify()
    request = request_of(shop, 41)
    for table, outcome in (("person", "lock"), ("lead", "refuse"), ("contact", "relay")):
        decide(shop, request, table, 41, outcome)
    assert notify(shop, "erasure", request) == 0
    assert recipients.list_(shop.settings) == []


# What is told.


def test_a_purge_tells_counts_and_no_keys(shop: Shop) -> None:
    handed_over(shop, 41)
    handed_over(shop, 42, scope="outside", partner=8)
    shop.person(43)
    shop.person(44, overdue=False)
    plan = shop.approved_plan()
    execute(shop.settings, plan.plan_id)
    notices = recipients.of_occasion(shop.conn, plan.plan_id)
    assert sorted((one.recipient_id, one.to_partner, one.records) for one in notices) == [
        ("hosting", False, plan.items),
        ("partners", True, 7),
        ("partners", True, 7),
        ("shop_system", False, plan.items),
    ]
    assert {(one.occasion, one.state, one.pointers) for one in notices} == {("purge", "open", 0)}
    assert shop.one("select count(*) from ledger.plan_partners") == 0
    (opened,) = entries.of_plan(shop.conn, plan.plan_id, "notices_opened")
    assert {one["recipient"]: one["notices"] for one in opened.content["recipients"]} == {
        "hosting": 1,
        "partners": 2,
        "shop_system": 1,
    }


def test_a_purge_tells_only_of_what_went(shop: Shop) -> None:
    handed_over(shop, 41)
    shop.person(42)
    plan = shop.approved_plan()
    shop.hold("subject", "shop.person:41")
    execute(shop.settings, plan.plan_id)
    assert told(shop) == {"hosting": 6, "shop_system": 6}


def test_an_erasure_keeps_the_keys_beyond_the_purge(shop: Shop) -> None:
    handed_over(shop, 41)
    request = erased(shop, 41)
    assert told(shop) == {"shop_system": 2, "hosting": 2, "partners": 2}
    assert notify(shop, "erasure", request) == 0  # told once
    execute(shop.settings, shop.approve(shop.plan()).plan_id)
    assert shop.keys("person") == set()
    own = recipients.send(shop.settings, to_of(shop, "shop_system", "erasure"))
    assert own.records == {"shop.lead": ["41"], "shop.person": ["41"]}
    assert own.partner is None


def test_a_partner_is_told_by_the_row_it_was_given(shop: Shop) -> None:
    shop.conn.execute("alter table shop.partner add column name text")
    shop.add("partner", id=UNION, name="Forbundet")
    handed_over(shop, 41)
    erased(shop, 41)
    found = recipients.send(shop.settings, to(shop, "partners"))
    assert found.partner == f"shop.partner:{UNION} (Forbundet)"
    assert found.records == {"shop.handover": ["41"]}
    assert recipients.send(shop.settings, to(shop, "hosting")).records == {}


def test_what_is_decided_later_is_told_by_itself(shop: Shop) -> None:
    """While a notice goes on it takes it up, and is sent again; afterwards there is a new one. What was
    told is told once."""
    shop.person(41)
    request = erased(shop, 41)
    own = to(shop, "shop_system")
    recipients.send(shop.settings, own)
    decide(shop, request, "contact", 41, "erase")
    assert notify(shop, "erasure", request) == 2
    assert (told(shop)["shop_system"], pointers(shop)) == (3, 3)
    (taken_up,) = [one for one in recipients.list_(shop.settings) if one.notice_id == own]
    assert taken_up.state == "open"
    recipients.send(shop.settings, own)
    recipients.acknowledge(shop.settings, [own], by="them", text="done")
    decide(shop, request, "recording", 41, "erase")
    assert notify(shop, "erasure", request) == 2
    (later,) = [
        one
        for one in recipients.list_(shop.settings, open_only=True)
        if one.recipient_id == "shop_system"
    ]
    assert (later.records, later.pointers) == (1, 1)
    assert notify(shop, "erasure", request) == 0


def test_a_thousand_requests_are_told_in_one_statement(shop: Shop) -> None:
    shop.person(1)
    shop.person(2)
    shop.classify()
    requests = [request_of(shop, number) for number in (1, 2)]
    for number, request in zip((1, 2), requests, strict=True):
        decide(shop, request, "person", number, "erase")
    assert notify(shop, "erasure", *requests) == 4
    (opened,) = entries_of(shop, "notices_opened")
    assert opened["occasions"] == 2
    assert {one["recipient"]: one["notices"] for one in opened["recipients"]} == {
        "hosting": 2,
        "shop_system": 2,
    }


@pytest.mark.parametrize(
    ("scope", "target", "records"),
    [
        ("subject", "shop.person:41", 9),
        ("record", "shop.person:41", 1),
        ("assignment", "shop.assignment:41", 4),
        ("table", "shop.person", 2),
    ],
)
def test_a_restriction_is_told_as_it_is_placed(
    shop: Shop, scope: Any, target: str, records: int
) -> None:
    shop.customer(41)
    shop.person(42)
    shop.classify()
    placed = shop.hold(scope, target, kind="restriction")
    assert told(shop) == {"shop_system": records, "hosting": records}
    (own,) = [
        one
        for one in recipients.of_occasion(shop.conn, placed)
        if one.recipient_id == "shop_system"
    ]
    assert own.pointers == (0 if scope == "table" else records)
    shop.hold(scope, target)  # a hold concerns nobody else
    assert len(recipients.list_(shop.settings)) == 2


def test_sharing_that_stopped_is_told_to_the_partners_alone(shop: Shop) -> None:
    shop.person(41)  # whose lead came from partner 1
    handed_over(shop, 42)
    shop.classify()
    request = request_of(shop, 41, "withdrawal")
    assert notify(shop, "sharing_stopped", request) == 1
    (notice,) = recipients.list_(shop.settings)
    assert (notice.recipient_id, notice.records) == ("partners", 0)
    assert recipients.send(shop.settings, notice.notice_id).records == {"shop.lead": ["41"]}


def test_the_person_may_know_whom_the_data_went_to(shop: Shop) -> None:
    shop.add("partner", id=UNION)
    handed_over(shop, 41)
    shop.person(42)
    shop.classify()
    found = recipients.recipients_of(shop.conn, token_of(shop, 41))
    assert [(one.recipient_id, one.records, one.partner) for one in found] == [
        ("hosting", 7, None),
        ("loader", 7, None),
        ("partners", 7, f"shop.partner:{UNION}"),
        ("shop_system", 7, None),
    ]
    assert {one.role for one in found} == {"processor", "joint_controller"}
    assert "partners" not in {
        one.recipient_id for one in recipients.recipients_of(shop.conn, token_of(shop, 42))
    }
    assert recipients.recipients_of(shop.conn, uuid4()) == ()


def to_of(shop: Shop, recipient: str, occasion: str) -> UUID:
    (found,) = [
        one.notice_id
        for one in recipients.list_(shop.settings)
        if (one.recipient_id, one.occasion) == (recipient, occasion)
    ]
    return found


def entries_of(shop: Shop, kind: str) -> list[dict[str, Any]]:
    rows = shop.conn.execute(
        "select body::jsonb from ledger.entries where kind = %s order by entry_id", (kind,)
    ).fetchall()
    return [row[0] for row in rows]
