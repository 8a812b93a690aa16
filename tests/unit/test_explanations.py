"""Explanations without a database: what is shown, and what a locked record keeps to itself."""

from datetime import date
from typing import Any

import pytest

from cli.explain import headline
from retention.applied_rule import why_lost
from retention.explanation import Explanation, Ground, Listing, Record, blocker
from retention.language import Language, speaker
from retention.phrase import Reason, Term, phrase, said
from retention.policy import Period

pytestmark = pytest.mark.unit

AS_OF = date(2026, 1, 31)
EN, NB = speaker(Language.EN), speaker(Language.NB)


def record(**changed: Any) -> Record:
    values: dict[str, Any] = {
        "source_schema": "crm",
        "source_table": "person",
        "record_key": "17",
        "subject_token": None,
        "controller_role": "controller",
        "category": "lead_direct",
        "rule_id": "R2",
        "policy_clause": "§ 6",
        "policy_version": "test-2023-01-12",
        "anchor_on": date(2024, 12, 31),
        "last_day": date(2025, 12, 31),
        "due_on": date(2026, 1, 1),
        "disposition": "purge",
        "status": "overdue",
        "blocked_by": [],
        "reason": "its clock starts with crm.person:17",
        "as_of": AS_OF,
    }
    return Record(**{**values, **changed})


def ground(rule_id: str, due_on: date | None, *, needs_review: bool = False) -> Ground:
    return Ground(
        column_group="row",
        rule_id=rule_id,
        category=None,
        policy_clause="§ 6",
        anchor_on=None,
        anchor_event=None,
        last_day=None,
        due_on=due_on,
        needs_review=needs_review,
        approved=True,
        wins=False,
    )


def test_a_locked_record_tells_its_key_and_status_and_nothing_else() -> None:
    told = Explanation(record(status="locked")).as_dict(NB)
    assert told == {
        "language": "nb",
        "table": "crm.person",
        "record_key": "17",
        "status": "locked",
        "as_of": AS_OF,
    }


def test_a_listing_keeps_a_locked_record_closed_too() -> None:
    told = Listing("crm.person", (record(), record(status="locked"))).as_dict(EN)
    assert told["records"][0]["due_on"] == date(2026, 1, 1)
    assert set(told["records"][1]) == {"table", "record_key", "status", "as_of"}


@pytest.mark.parametrize(
    ("loser", "winner", "because"),
    [
        pytest.param(
            ground("R3", date(2027, 1, 1)),
            ground("ACTIVE", None),
            "no clock runs while an assignment is open",
            id="active comes before all",
        ),
        pytest.param(
            ground("R4", date(2030, 1, 1)),
            ground("R3", date(2026, 1, 1), needs_review=True),
            "a person must decide first",
            id="review comes before a later date",
        ),
        pytest.param(
            ground("R1", date(2026, 1, 1)),
            ground("R2", date(2026, 2, 1)),
            "it ends earlier",
            id="the later end wins",
        ),
        pytest.param(
            ground("R1", date(2026, 1, 1)),
            ground("R2", date(2026, 1, 1)),
            "it ends on the same day as R2, which is named first",
            id="the closer tie wins on one day",
        ),
    ],
)
def test_a_losing_ground_says_why(loser: Ground, winner: Ground, because: str) -> None:
    assert str(why_lost(loser, winner)) == because
    assert said(NB, why_lost(loser, winner)) != because


@pytest.mark.parametrize(
    ("due_on", "english", "norwegian"),
    [
        (date(2026, 1, 31), "OVERDUE  due 0 days ago", "OVER FRISTEN  forfalt for 0 dager siden"),
        (date(2026, 1, 30), "OVERDUE  due 1 day ago", "OVER FRISTEN  forfalt for 1 dag siden"),
        (date(2026, 2, 2), "OVERDUE  due in 2 days", "OVER FRISTEN  forfaller om 2 dager"),
        (None, "OVERDUE  as of", "OVER FRISTEN  per"),
    ],
)
def test_the_headline_counts_the_days(due_on: date | None, english: str, norwegian: str) -> None:
    assert headline(record(due_on=due_on), EN).startswith(english)
    assert headline(record(due_on=due_on), EN).endswith("as of 31\xa0Jan\xa02026")
    assert headline(record(due_on=due_on), NB).startswith(norwegian)


def test_blockers_are_named_in_words() -> None:
    assert said(EN, blocker("hold:subject")) == "legal hold on the person"
    assert said(EN, blocker("restriction:record")) == "restriction (art. 18) on the record"
    assert (
        said(EN, blocker("request:crm.rights_request"))
        == "a pending rights request in crm.rights_request"
    )
    for kind in ("hold", "restriction", "lock", "request"):
        for scope in ("subject", "assignment", "record", "table"):
            assert said(NB, blocker(f"{kind}:{scope}")) != said(EN, blocker(f"{kind}:{scope}"))


def test_a_phrase_says_what_is_in_it_in_its_own_language() -> None:
    kept = phrase(
        "{period}, for assignments of type {kind}",
        period=Period(240, 0),
        kind=Term("will", "testament"),
    )
    assert said(EN, kept) == str(kept) == "20 years, for assignments of type will"
    assert said(NB, kept) == "20 år, for oppdrag av typen testament"
    assert said(NB, Reason("its key is not unique")) != "its key is not unique"


def test_json_keeps_the_codes_and_says_them_in_the_language() -> None:
    told = Explanation(record(blocked_by=["hold:subject"])).as_dict(NB)
    assert (told["language"], told["status"], told["category"]) == ("nb", "overdue", "lead_direct")
    assert told["blocked_by"] == ["hold:subject"]
    assert told["said"]["status"] == "Over fristen"
    assert told["said"]["reason"].endswith("crm.person:17")
    assert told["said"]["reason"] != told["reason"]
