"""How a result is read: passed, failed, or nobody knows."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from expectations.catalogue import BY_NAME, Severity
from expectations.results import Count, Outcome, Tally, not_evaluated, result_of

pytestmark = pytest.mark.unit

CHECK = BY_NAME["one_category_and_status"]
ALL_GOOD = Tally(evaluated=10, failing=0)
ONE_BAD = Tally(10, 1, (Count("crm.person", "R1", 1),), date(2026, 1, 2))

RAISED = {"raised_exception": True, "exception_message": "secret", "exception_traceback": "secret"}
NOT_RAISED = {"raised_exception": False, "exception_message": None, "exception_traceback": None}


def validation(*, success: bool, info: Any = None, result: Any = None) -> Any:
    return SimpleNamespace(
        success=success,
        exception_info=NOT_RAISED if info is None else info,
        result={"element_count": 10} if result is None else result,
    )


def test_both_verdicts_good_is_passed() -> None:
    result = result_of(CHECK, validation(success=True), ALL_GOOD, Severity.ERROR)
    assert result.outcome is Outcome.PASSED
    assert result.passed
    assert not result.stops_plan


@pytest.mark.parametrize(
    ("success", "tally"),
    [
        pytest.param(False, ONE_BAD, id="both say so"),
        pytest.param(True, ONE_BAD, id="our count alone says so"),
        pytest.param(False, ALL_GOOD, id="great expectations alone says so"),
    ],
)
def test_one_bad_verdict_is_enough_to_fail(success: bool, tally: Tally) -> None:
    result = result_of(CHECK, validation(success=success), tally, Severity.ERROR)
    assert result.outcome is Outcome.FAILED
    assert result.stops_plan


@pytest.mark.parametrize(
    "verdict",
    [
        pytest.param(None, id="no relation"),
        pytest.param(validation(success=False, info=RAISED, result={}), id="one metric raised"),
        pytest.param(
            validation(success=False, info={"metric a": RAISED, "metric b": NOT_RAISED}, result={}),
            id="one of several metrics raised",
        ),
        pytest.param(validation(success=False, info=RAISED), id="raised, although rows were seen"),
        pytest.param(validation(success=True, result={}), id="success without a row looked at"),
        pytest.param(validation(success=False, info={}, result={}), id="nothing said at all"),
    ],
)
def test_what_could_not_be_evaluated_is_a_failing_state_of_its_own(verdict: Any) -> None:
    result = result_of(CHECK, verdict, ALL_GOOD, Severity.WARN)
    assert result.outcome is Outcome.NOT_EVALUATED
    assert not result.passed
    assert result.stops_plan
    assert result.severity is Severity.ERROR
    assert "secret" not in str(result.as_dict())


def test_what_could_not_be_counted_is_not_evaluated() -> None:
    result = result_of(CHECK, validation(success=True), None, Severity.ERROR)
    assert result.outcome is Outcome.NOT_EVALUATED


def test_a_finding_about_data_never_stops_the_plan() -> None:
    for name in ("nothing_overdue", "review_within_deadline", "everything_declared"):
        check = BY_NAME[name]
        assert not result_of(check, validation(success=False), ONE_BAD, Severity.ERROR).stops_plan
        assert not not_evaluated(check, "why").stops_plan


def test_a_result_as_data_holds_counts_and_nothing_else() -> None:
    result = result_of(CHECK, validation(success=False), ONE_BAD, Severity.ERROR)
    assert result.as_dict() == {
        "check": "one_category_and_status",
        "outcome": "failed",
        "severity": "error",
        "blocks_plan": True,
        "clause": "§ 6",
        "evaluated": 10,
        "failing": 1,
        "counts": [{"table": "crm.person", "rule_id": "R1", "records": 1}],
        "oldest_on": "2026-01-02",
        "details": {},
        "note": None,
    }
