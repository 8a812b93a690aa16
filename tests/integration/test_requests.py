"""The register of requests: taken in, held while pending, taken further step by step.

Belongs here: the register and the holds it keeps. Does not belong here: what a decision does to records,
and the scan of an identity document (test_requests_scans.py).
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from retention import holds
from retention.errors import Refused, UsageError
from retention.purge import execute, guards
from retention.rights import intake, register
from retention.rights.model import (
    Answer,
    Closing,
    Extension,
    RequestState,
    Right,
    Verified,
)
from retention.warehouse.connection import connect
from tests.factories import Shop, today

pytestmark = pytest.mark.integration

#: Long enough ago that every deadline has passed, and on the last day of a month.
NEW_YEAR = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)


@pytest.fixture
def classified(shop: Shop) -> Shop:
    shop.person(1)
    shop.classify()
    return shop


def token(shop: Shop, number: int) -> UUID:
    found: UUID = shop.one(
        "select subject_token from ledger.subject_tokens where subject_id = %s",
        f"shop.person:{number}",
    )
    return found


def weight(shop: Shop, number: int) -> int:
    """How many blockers weigh on a person."""
    return int(
        shop.one(
            "select coalesce(sum(blockers), 0) from ledger.guards where guard_key = %s",
            f"subject:{token(shop, number)}",
        )
    )


def opened(shop: Shop, right: Right = Right.ERASURE, **more: Any) -> UUID:
    values = {"received_on": today(shop.conn), "person": "shop.person:1", "purpose": None, **more}
    return register.open_request(shop.approver, right, **values)


def answer(shop: Shop, request: UUID) -> None:
    """Take a request on as those who decide and carry out do."""
    register.verify(shop.approver, request, Verified.ELECTRONIC_ID)
    decide(shop, request)


def decide(shop: Shop, *requests: UUID, outcome: str = "granted") -> None:
    """As the function does that decides on the records of an erasure: nobody may call this by itself."""
    shop.conn.execute(
        "grant execute on function ledger.decide_requests to retention_rights_officer"
    )
    shop.conn.commit()
    officer(
        shop, "select ledger.decide_requests(%s, %s)", list(requests), [outcome] * len(requests)
    )


def officer(shop: Shop, statement: str, *values: Any) -> Any:
    with register.as_officer(shop.approver, "testing") as conn:
        row = conn.execute(statement.encode(), values).fetchone()
    return row[0] if row else None


def evidence(shop: Shop) -> list[str]:
    rows = shop.conn.execute(
        "select kind from ledger.entries where kind like 'request%' order by entry_id"
    ).fetchall()
    shop.conn.commit()
    return [row[0] for row in rows]


def test_a_request_goes_through_its_states_and_leaves_evidence(classified: Shop) -> None:
    request = opened(classified)
    register.verify(classified.approver, request, Verified.IDENTITY_DOCUMENT)
    decide(classified, request, outcome="partly")
    assert officer(classified, "select ledger.carry_out_request(%s)", request) == 1
    assert officer(classified, "select ledger.carry_out_request(%s)", request) == 0
    register.close(classified.approver, request, Closing.ANSWERED)

    shown = register.show(classified.settings, request)
    assert shown.state is RequestState.CLOSED
    assert shown.closed_at is not None
    assert register.list_(classified.settings) == []
    assert register.list_(classified.settings, with_closed=True) == [shown]
    assert evidence(classified) == [
        "request_received",
        "request_verified",
        "request_decided",
        "request_carried_out",
        "request_closed",
    ]
    bodies = classified.one("select string_agg(body, '') from ledger.entries")
    assert str(token(classified, 1)) not in bodies


@pytest.mark.parametrize("right", Right)
def test_a_request_holds_until_it_orders_or_is_answered(classified: Shop, right: Right) -> None:
    handed_over = right in (Right.ACCESS, Right.PORTABILITY, Right.RECTIFICATION)
    request = opened(classified, right)
    assert weight(classified, 1) == 1
    answer(classified, request)
    assert weight(classified, 1) == (1 if handed_over else 0)
    if handed_over:
        with pytest.raises(Refused, match="nothing was handed over"):
            officer(classified, "select ledger.carry_out_request(%s)", request)
        hand_over(classified, request, right)
    officer(classified, "select ledger.carry_out_request(%s)", request)
    assert weight(classified, 1) == 0


def hand_over(shop: Shop, request: UUID, right: Right) -> None:
    """As the functions leave it that make a copy and note a correction which came through."""
    if right is Right.RECTIFICATION:
        shop.conn.execute(
            "insert into ledger.rectifications (request_id, source_schema, source_table, column_name,"
            " kind, key_id, corrected_on, ended_at)"
            " values (%s, 'shop', 'person', 'name', 'name', 'k', ledger.today(), now())",
            (request,),
        )
    else:
        copied(shop, request, "copy")
    shop.conn.commit()


def copied(shop: Shop, request: UUID, kind: str) -> None:
    shop.conn.execute(
        "with shown as (insert into ledger.disclosures (kind, request_id, reason, expires_at)"
        " values ('package', %s, 'a copy', now()) returning disclosure_id)"
        " insert into ledger.packages (disclosure_id, file_name, file_sha256, records, expires_on)"
        " select disclosure_id, %s, '', 1, ledger.today() from shown",
        (request, f"{kind}-{request}.zip"),
    )
    shop.conn.commit()


def test_an_answer_needs_a_copy_that_is_no_draft(classified: Shop) -> None:
    request = opened(classified, Right.ACCESS)
    register.verify(classified.approver, request, Verified.IN_PERSON)
    copied(classified, request, "draft")
    with pytest.raises(Refused, match="nothing was handed over"):
        register.answer(classified.approver, request, Answer.GRANTED)
    copied(classified, request, "copy")
    register.answer(classified.approver, request, Answer.GRANTED)
    assert register.show(classified.settings, request).state is RequestState.CARRIED_OUT
    assert weight(classified, 1) == 0


def test_a_refusal_is_an_answer_and_an_erasure_is_answered_otherwise(classified: Shop) -> None:
    refused, erasure = opened(classified, Right.PORTABILITY), opened(classified, Right.ERASURE)
    for request in (refused, erasure):
        register.verify(classified.approver, request, Verified.IN_PERSON)
    register.answer(classified.approver, refused, Answer.REFUSED)
    with pytest.raises(Refused, match="not answered by a word"):
        register.answer(classified.approver, erasure, Answer.REFUSED)
    assert weight(classified, 1) == 1


def test_each_of_two_requests_weighs_by_itself(classified: Shop) -> None:
    first, second = opened(classified), opened(classified, Right.ACCESS)
    assert weight(classified, 1) == 2
    register.close(classified.approver, first, Closing.TAKEN_BACK)
    assert weight(classified, 1) == 1
    register.close(classified.approver, second, Closing.DUPLICATE)
    assert weight(classified, 1) == 0


def test_no_purge_runs_under_a_request_entered_by_hand(classified: Shop) -> None:
    classified.person(2)
    plan = classified.approved_plan()
    opened(classified, Right.ACCESS)
    conn = classified.conn
    last = classified.one(
        "select max(item_no) from ledger.plan_items where plan_id = %s", plan.plan_id
    )
    guards.skip_guarded(conn, plan.plan_id, 1, last)
    rows = conn.execute(
        "select subject_token, bool_and(state = 'skipped'), bool_or(state = 'skipped')"
        " from ledger.plan_items where plan_id = %s group by 1",
        (plan.plan_id,),
    ).fetchall()
    conn.rollback()
    assert {row[0]: row[1:] for row in rows} == {
        token(classified, 1): (True, True),
        token(classified, 2): (False, False),
    }


def test_a_requests_hold_is_not_released_by_hand(classified: Shop) -> None:
    opened(classified)
    (hold,) = holds.list_(classified.settings)
    with pytest.raises(Refused, match="a request holds the person"):
        holds.release(classified.settings, hold.blocker_id)
    assert weight(classified, 1) == 1


def test_states_cannot_be_skipped(classified: Shop) -> None:
    request = opened(classified, Right.ACCESS)
    with pytest.raises(Refused, match="not verified"):
        officer(classified, "select ledger.decide_request(%s, 'granted')", request)
    with pytest.raises(Refused, match="not decided"):
        officer(classified, "select ledger.carry_out_request(%s)", request)
    with pytest.raises(Refused, match="not carried out"):
        register.close(classified.approver, request, Closing.ANSWERED)
    answer(classified, request)
    with pytest.raises(Refused, match="decided, not received"):
        register.verify(classified.approver, request, Verified.IN_PERSON)
    with pytest.raises(Refused, match="decided before"):
        officer(classified, "select ledger.decide_request(%s, 'refused')", request)
    with pytest.raises(Refused, match="decided, not received or identity verified"):
        register.close(classified.approver, request, Closing.TAKEN_BACK)
    with pytest.raises(UsageError, match="no such request"):
        register.verify(classified.approver, uuid4(), Verified.IN_PERSON)


def test_only_those_who_answer_requests_take_them_further(classified: Shop) -> None:
    """The login of the job is a superuser and owns everything, and still is not one of them."""
    request = opened(classified, Right.ACCESS)
    with pytest.raises(Refused, match="may not answer requests"):
        register.open_request(
            classified.settings,
            Right.ACCESS,
            today(classified.conn),
            person="shop.person:1",
            purpose=None,
        )
    with pytest.raises(Refused, match="may not answer requests"):
        register.verify(classified.settings, request, Verified.IN_PERSON)
    with pytest.raises(Refused, match="may not answer requests"):
        register.identify(classified.settings, request, "shop.person:1")
    with pytest.raises(Refused, match="may not answer requests"):
        register.extend(classified.settings, request, Extension.COMPLEXITY, today(classified.conn))
    with pytest.raises(Refused, match="may not answer requests"):
        register.close(classified.settings, request, Closing.DUPLICATE)
    register.verify(classified.approver, request, Verified.IN_PERSON)
    with pytest.raises(Refused, match="may not answer requests"):
        job_decides(classified, request)
    assert register.show(classified.settings, request).state is RequestState.IDENTITY_VERIFIED


def job_decides(shop: Shop, request: UUID) -> None:
    with register.as_officer(shop.settings, "deciding") as conn:
        conn.execute("select ledger.decide_request(%s, 'granted')", (request,))


def test_an_erasure_is_not_decided_by_a_word(classified: Shop) -> None:
    request = opened(classified, Right.ERASURE)
    register.verify(classified.approver, request, Verified.IN_PERSON)
    for statement in (
        "select ledger.decide_request(%s, 'granted')",
        "select ledger.decide_requests(array[%s], array['granted'])",
    ):
        with pytest.raises(Refused):
            officer(classified, statement, request)
    assert weight(classified, 1) == 1


@pytest.mark.parametrize(
    ("received_on", "answer_by", "extended"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), date(2026, 4, 30)),
        (date(2024, 1, 31), date(2024, 2, 29), date(2024, 4, 30)),
        (date(2025, 11, 30), date(2025, 12, 30), date(2026, 2, 28)),
        (date(2026, 3, 15), date(2026, 4, 15), date(2026, 6, 15)),
    ],
)
def test_a_month_is_a_calendar_month_and_three_are_counted_from_the_receipt(
    classified: Shop, received_on: date, answer_by: date, extended: date
) -> None:
    request = opened(classified, received_on=received_on)
    assert register.show(classified.settings, request).answer_by == answer_by
    late = answer_by + timedelta(days=1)
    with pytest.raises(Refused, match="does not count"):
        register.extend(classified.approver, request, Extension.COMPLEXITY, late)
    with pytest.raises(UsageError, match="between the day of receipt"):
        register.extend(
            classified.approver, request, Extension.COMPLEXITY, received_on - timedelta(days=1)
        )
    reason = Extension.NUMBER_OF_REQUESTS
    assert register.extend(classified.approver, request, reason, answer_by) == extended
    with pytest.raises(Refused, match="extended before"):
        register.extend(classified.approver, request, reason, answer_by)


def test_a_day_to_come_is_refused(classified: Shop) -> None:
    tomorrow = today(classified.conn) + timedelta(days=1)
    with pytest.raises(UsageError, match="day to come"):
        opened(classified, received_on=tomorrow)
    request = opened(classified)
    with pytest.raises(UsageError, match="between the day of receipt and today"):
        register.extend(classified.approver, request, Extension.COMPLEXITY, tomorrow)


def test_landed_requests_are_taken_in_once(classified: Shop) -> None:
    classified.add("request", id=70, person_id=1, right_asserted="sletting", received_at=NEW_YEAR)
    classified.add("request", id=71, person_id=1, state="closed", received_at=NEW_YEAR)
    classified.classify()
    found = intake.take_in(classified.settings)
    assert (found.registered, found.registered_closed) == (2, 1)
    assert (found.identified, found.unidentified) == (0, 0)
    pending, closed = register.list_(classified.settings, with_closed=True)
    if pending.source != "shop.request:70":
        pending, closed = closed, pending
    assert (pending.source, pending.asserted) == ("shop.request:70", Right.ERASURE)
    assert (pending.received_on, pending.answer_by) == (date(2026, 1, 31), date(2026, 2, 28))
    assert pending.subject_token == token(classified, 1)
    assert (closed.state, closed.asserted) == (RequestState.CLOSED, Right.ACCESS)
    assert weight(classified, 1) == 1

    again = intake.take_in(classified.settings)
    assert (again.registered, again.identified) == (0, 0)
    assert weight(classified, 1) == 1


def test_the_day_of_receipt_is_the_day_in_oslo(classified: Shop) -> None:
    """An hour before midnight, Greenwich time, the next day has begun in Oslo."""
    late = datetime(2026, 1, 30, 23, 30, tzinfo=UTC)
    classified.add("request", id=70, person_id=1, received_at=late)
    classified.classify()
    intake.take_in(classified.settings)
    (request,) = register.list_(classified.settings)
    assert request.received_on == date(2026, 1, 31)


def test_an_unreadable_day_counts_from_today(classified: Shop) -> None:
    classified.add("request", id=70, person_id=1, received_at=None)
    classified.add("request", id=71, person_id=1, received_at=datetime(2999, 1, 1, tzinfo=UTC))
    classified.classify()
    intake.take_in(classified.settings)
    received = {request.received_on for request in register.list_(classified.settings)}
    assert received == {today(classified.conn)}


def test_what_was_not_understood_waits_for_a_person(classified: Shop) -> None:
    classified.add("request", id=70, person_id=99, right_asserted="erasure", received_at=NEW_YEAR)
    classified.add("request", id=71, person_id=1, right_asserted="annet", received_at=NEW_YEAR)
    classified.classify()
    found = intake.take_in(classified.settings)
    assert (found.registered, found.unidentified) == (2, 1)
    requests = {one.source: one for one in register.list_(classified.settings)}
    nobodys, unclear = requests["shop.request:70"], requests["shop.request:71"]
    assert (nobodys.subject_token, unclear.asserted) == (None, None)
    # Whose the other is, is known: it holds from the beginning.
    assert weight(classified, 1) == 1
    for waiting in (nobodys, unclear):
        with pytest.raises(Refused, match="nobody knows yet"):
            register.verify(classified.approver, waiting.request_id, Verified.IN_PERSON)

    register.identify(classified.approver, nobodys.request_id, "shop.person:1")
    register.identify(
        classified.approver, unclear.request_id, str(token(classified, 1)), Right.ACCESS
    )
    assert weight(classified, 1) == 2
    for waiting in (nobodys, unclear):
        register.verify(classified.approver, waiting.request_id, Verified.IN_PERSON)
    assert evidence(classified).count("request_identified") == 2


def test_a_mistaken_person_is_free_again(classified: Shop) -> None:
    classified.person(2)
    classified.classify()
    request = opened(classified)
    register.identify(classified.approver, request, "shop.person:2")
    assert (weight(classified, 1), weight(classified, 2)) == (0, 1)
    with pytest.raises(UsageError, match="no such person"):
        register.identify(classified.approver, request, "shop.person:77")
    register.verify(classified.approver, request, Verified.IN_PERSON)
    with pytest.raises(Refused, match="not received"):
        register.identify(classified.approver, request, "shop.person:1")


def test_a_person_who_lands_later_is_found_by_the_next_intake(classified: Shop) -> None:
    classified.add("request", id=70, person_id=8, received_at=NEW_YEAR)
    classified.classify()
    assert intake.take_in(classified.settings).unidentified == 1
    classified.person(8)
    classified.classify()
    found = intake.take_in(classified.settings)
    assert (found.registered, found.identified) == (0, 1)
    assert weight(classified, 8) == 1


def test_a_thousand_landed_requests_are_taken_in_by_one_statement(classified: Shop) -> None:
    conn = classified.conn
    conn.execute(
        "insert into shop.person (id, created_at, email) select n, now(), n || '@shop.example'"
        " from generate_series(1000, 1999) as n"
    )
    conn.execute(
        "insert into shop.request (id, person_id, state, right_asserted, received_at)"
        " select n, n, 'received', 'erasure', now() from generate_series(1000, 1999) as n"
    )
    conn.commit()
    classified.classify()
    assert intake.take_in(classified.settings).registered == 1000
    assert classified.one("select count(*) from ledger.guards where blockers = 1") == 1000
    ids = [request.request_id for request in register.list_(classified.settings)]
    for request_id in ids[:3]:
        register.verify(classified.approver, request_id, Verified.IN_PERSON)
    decide(classified, *ids[:3])
    assert classified.one("select count(*) from ledger.guards where blockers = 1") == 997


def test_nothing_names_a_person_whose_last_record_was_purged(classified: Shop) -> None:
    """The register keeps what was asked for and when, and not whose it was or where it had landed."""
    classified.add("request", id=70, person_id=1, state="closed")
    classified.judge("request", 70, "overdue")
    classified.person(2)
    classified.classify()
    intake.take_in(classified.settings)
    other = opened(classified, Right.ACCESS, person="shop.person:2")
    register.close(classified.approver, other, Closing.DUPLICATE)
    classified.overdue.discard(2)
    plan = classified.approved_plan()
    execute(classified.settings, plan.plan_id)

    assert not classified.tables_with(1)
    (landed,) = [
        one
        for one in register.list_(classified.settings, with_closed=True)
        if one.request_id != other
    ]
    assert (landed.subject_token, landed.source) == (None, None)
    assert landed.closed_at is not None
    assert register.show(classified.settings, other).subject_token == token(classified, 2)


def test_a_request_being_taken_in_and_a_batch_wait_for_each_other(classified: Shop) -> None:
    """Whichever comes first: the batch waits for a request whose transaction has not ended, and the request
    for a batch that has tested its person."""
    classified.add("request", id=70, person_id=1)
    plan = classified.approved_plan()
    last = classified.one(
        "select max(item_no) from ledger.plan_items where plan_id = %s", plan.plan_id
    )
    statement = "select * from ledger.intake_requests(1, 0, 'a clause')"
    with connect(classified.settings) as batch, connect(classified.settings) as taking:
        taking.execute(statement)
        guards.wait_at_most(batch, 200)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            guards.skip_guarded(batch, plan.plan_id, 1, last)
        batch.rollback()
        taking.rollback()

        guards.skip_guarded(batch, plan.plan_id, 1, last)
        guards.wait_at_most(taking, 200)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            taking.execute(statement)
        taking.rollback()
        batch.rollback()
