"""The suites, one function a mart.

Belongs here: which expectations a mart must meet. Does not belong here: the words and clauses, which
stand in the catalogue for suites and readers alike.

Each judges a boolean column, so that Great Expectations sees true and false and no value of a person.
"""

from collections.abc import Callable, Iterable

from great_expectations.core import ExpectationSuite
from great_expectations.expectations.core.expect_column_values_to_be_in_set import (
    ExpectColumnValuesToBeInSet,
)

from expectations.catalogue import CHECKS, FINDINGS_OF_CATALOGUE, Check


def records_suite() -> ExpectationSuite:
    """What every record must meet, judged on `record_checks`."""
    return _suite("record_checks")


def population_suite() -> ExpectationSuite:
    """What every table's population must meet, judged on `population_checks`."""
    return _suite("population_checks")


def plans_suite() -> ExpectationSuite:
    """What every plan that may still be carried out must meet, judged on `plan_checks`."""
    return _suite("plan_checks")


def review_suite() -> ExpectationSuite:
    """What every record that waits for a person must meet, judged on `review_queue`."""
    return _suite("review_queue")


SUITES: dict[str, Callable[[], ExpectationSuite]] = {
    "record_checks": records_suite,
    "population_checks": population_suite,
    "plan_checks": plans_suite,
    "review_queue": review_suite,
}


def _suite(mart: str) -> ExpectationSuite:
    return ExpectationSuite(name=mart, expectations=[*_expectations(_of(mart))])


def _of(mart: str) -> Iterable[Check]:
    return (check for check in CHECKS if check.mart == mart != FINDINGS_OF_CATALOGUE)


def _expectations(checks: Iterable[Check]) -> Iterable[ExpectColumnValuesToBeInSet]:
    for check in checks:
        yield ExpectColumnValuesToBeInSet(
            column=check.column,
            value_set=[True],
            description=check.description,
            meta={"check": check.name, "clause": check.clause, "severity": check.severity.value},
        )
