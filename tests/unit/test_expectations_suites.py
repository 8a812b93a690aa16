"""The catalogue of checks and the suites made from it agree with each other and with the marts."""

import os
import subprocess
import sys

import pytest
import yaml

from expectations.catalogue import CHECKS, FINDINGS_OF_CATALOGUE, INTEGRITY
from expectations.counting import MARTS
from retention.settings import load_settings

pytestmark = pytest.mark.unit

AUDIT = load_settings({}).dbt_dir / "models" / "marts" / "audit" / "_audit__models.yml"


@pytest.fixture(scope="module")
def columns() -> dict[str, dict[str, str]]:
    """Column types of each audit mart, as its contract says."""
    models = yaml.safe_load(AUDIT.read_text(encoding="utf-8"))["models"]
    return {
        model["name"]: {column["name"]: column["data_type"] for column in model.get("columns", [])}
        for model in models
    }


def test_every_check_has_words_and_a_clause() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    for check in CHECKS:
        assert check.clause.startswith("§ "), check.name
        assert check.description.endswith("."), check.name


def test_the_integrity_checks_are_the_six_that_stop_a_plan() -> None:
    assert set(INTEGRITY) == {
        "nothing_overdue_unflagged",
        "one_category_and_status",
        "due_after_anchor",
        "anchors_possible",
        "population_reconciles",
        "no_blocked_record_in_plan",
    }


def test_every_check_is_judged_on_a_boolean_column_of_a_contract(
    columns: dict[str, dict[str, str]],
) -> None:
    for check in CHECKS:
        if check.mart != FINDINGS_OF_CATALOGUE:
            assert columns[check.mart][check.column] == "boolean", check.name


def test_every_boolean_column_of_a_judged_mart_is_judged_by_a_check(
    columns: dict[str, dict[str, str]],
) -> None:
    judged = {(check.mart, check.column) for check in CHECKS}
    told_only = {("population_checks", "is_set_aside")}
    for mart in MARTS:
        for column, kind in columns[mart].items():
            if kind == "boolean":
                assert (mart, column) in judged | told_only, (mart, column)


def test_each_suite_holds_the_checks_of_its_mart() -> None:
    from expectations.suites import SUITES

    assert set(SUITES) == set(MARTS)
    for mart, make in SUITES.items():
        expectations = make().expectations
        assert [each.meta["check"] for each in expectations] == [
            check.name for check in CHECKS if check.mart == mart
        ]
        for each in expectations:
            assert each.description
            assert each.value_set == [True]


def test_results_are_asked_for_without_values_and_nobody_is_told() -> None:
    from expectations.context import RESULT_FORMAT

    assert RESULT_FORMAT == {"result_format": "BASIC", "partial_unexpected_count": 0}
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert "posthog" not in sys.modules


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param(
            "postgresql://jo:p%40ss$word@db.example:6543/house?sslmode=require",
            "postgresql+psycopg://jo:p%40ss%24word@db.example:6543/house?",
            id="password with signs of its own",
        ),
        pytest.param(
            "postgresql:///house?host=/run/postgresql",
            "postgresql+psycopg://localhost:5432/house?host=%2Frun%2Fpostgresql",
            id="socket folder",
        ),
    ],
)
def test_the_reader_s_url_says_driver_role_and_read_only(url: str, expected: str) -> None:
    from expectations.context import reader_url

    made = reader_url(url)
    assert made.startswith(expected)
    assert "role%3Dretention_reader" in made.replace("=retention", "%3Dretention")
    assert "default_transaction_read_only" in made
    assert ("sslmode=require" in made) is ("sslmode" in url)


def test_asking_what_the_checks_are_does_not_load_great_expectations() -> None:
    code = "import sys, expectations; assert 'great_expectations' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
