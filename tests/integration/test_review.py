"""Deciding records under review.

Belongs here: which decision is taken up, and its traces. Does not belong here: what it does to the
record (the models' tests) or to a purge (test_purge.py).
"""

from datetime import date
from typing import Any

import pytest

from retention import review
from retention.errors import UsageError
from tests.factories import Shop

pytestmark = pytest.mark.integration

UNTIL = date(2099, 12, 31)


@pytest.fixture
def classified(shop: Shop) -> Shop:
    shop.person(1)
    shop.judge("recording", 1, "review")
    shop.judge("person", 1, "review")
    shop.classify()
    return shop


def decide(shop: Shop, **options: Any) -> None:
    values = {"table": "shop.recording", "record_key": "1", "reason": "looked at", **options}
    review.decide(shop.settings, **values)


def test_what_is_under_review_is_listed(classified: Shop) -> None:
    found = review.list_(classified.settings)
    assert {(one.source_table, one.record_key) for one in found} == {
        ("person", "1"),
        ("recording", "1"),
    }
    assert [one.source_table for one in review.list_(classified.settings, table="shop.person")] == [
        "person"
    ]
    assert len(review.list_(classified.settings, limit=1)) == 1


def test_a_decision_is_kept_with_its_login_and_without_its_words(classified: Shop) -> None:
    decide(classified, decision="purge", reason="Kari ringte")
    decide(classified, decision="keep", keep_until=UNTIL)
    decide(classified, decision="anchor", rule_id="R3", anchor_on=date(2024, 1, 2))
    rows = classified.conn.execute(
        "select decision, decided_by = session_user from ledger.review_decisions order by decided_at"
    ).fetchall()
    assert rows == [("purge", True), ("keep", True), ("anchor", True)]
    bodies = classified.one(
        "select string_agg(body, '') from ledger.entries where kind = 'review_decision'"
    )
    assert "Kari" not in bodies
    assert '"table":"shop.recording"' in bodies


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"decision": "keep"}, "keep needs a last day"),
        ({"decision": "purge", "keep_until": UNTIL}, "keep needs a last day"),
        ({"decision": "anchor"}, "anchor needs a rule and a date"),
        ({"decision": "anchor", "rule_id": "R3"}, "anchor needs a rule and a date"),
        ({"decision": "purge", "rule_id": "R3", "anchor_on": UNTIL}, "anchor needs"),
        ({"decision": "anchor", "rule_id": "R99", "anchor_on": UNTIL}, "no such rule"),
        ({"decision": "purge", "reason": ""}, "needs a reason"),
        ({"decision": "forget"}, "keep, purge or anchor"),
        ({"decision": "purge", "record_key": "2"}, "no such record is under review"),
        ({"decision": "purge", "table": "shop.lead"}, "no such record is under review"),
        ({"decision": "purge", "table": "recording"}, "schema.table"),
    ],
)
def test_what_cannot_be_decided(classified: Shop, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        decide(classified, **options)
    assert classified.one("select count(*) from ledger.review_decisions") == 0


def test_what_was_decided_can_be_decided_again(classified: Shop) -> None:
    decide(classified, decision="purge")
    classified.judged.clear()
    classified.classify()
    decide(classified, decision="keep", keep_until=UNTIL)
    assert classified.one("select count(*) from ledger.review_decisions") == 2


def test_a_decision_on_a_case_takes_its_assignments_records_under_review(shop: Shop) -> None:
    shop.customer(1)
    shop.customer(2)
    for number in (1, 2):
        shop.judge("document", number, "review")
        shop.judge("party", f"party-{number}", "review")
    shop.judge("recording", 1, "review")
    shop.classify()
    case: review.Decided = {
        "table": "shop.document",
        "record_key": "1",
        "decision": "purge",
        "reason": "the file is closed",
    }
    assert review.decide_case(shop.settings, **case) == 2
    decided = shop.conn.execute(
        "select source_table, record_key, reason from ledger.review_decisions order by 1"
    ).fetchall()
    shop.conn.commit()
    assert decided == [
        ("document", "1", "the file is closed"),
        ("party", "party-1", "the file is closed"),
    ]
    assert shop.one("select count(*) from ledger.entries where kind = 'review_decision'") == 2


def test_a_decision_on_a_case_without_an_assignment_takes_its_persons(classified: Shop) -> None:
    case: review.Decided = {
        "table": "shop.recording",
        "record_key": "1",
        "decision": "keep",
        "reason": "a dispute",
        "keep_until": UNTIL,
    }
    assert review.decide_case(classified.settings, **case) == 2
    assert classified.one("select count(*) from ledger.review_decisions") == 2


def test_a_case_is_decided_wholly_or_not_at_all(classified: Shop) -> None:
    case: review.Decided = {
        "table": "shop.visit",
        "record_key": "1",
        "decision": "purge",
        "reason": "r",
    }
    with pytest.raises(UsageError, match="no such record is under review"):
        review.decide_case(classified.settings, **case)
    assert classified.one("select count(*) from ledger.review_decisions") == 0


def test_before_any_classification(shop: Shop) -> None:
    with pytest.raises(UsageError, match="retention run"):
        review.list_(shop.settings)
    with pytest.raises(UsageError, match="retention run"):
        decide(shop, decision="purge")
