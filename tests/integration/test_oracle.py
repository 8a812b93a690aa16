"""An independent oracle judges every record of a 20,000-record sample.

Belongs here: the comparison on the sample. Does not belong here: generated lives
(`test_oracle_properties`) and the oracle itself (`tests/oracle`).
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from retention.warehouse.connection import connect
from tests.integration.conftest import ClassifiedSample
from tests.oracle import compare, policy
from tests.oracle.classify import Expected, classify
from tests.oracle.facts import read_landing
from tests.oracle.tables import TABLES

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ORACLE = Path(compare.__file__).parent
POLICY_FILE = "lexly-2023-01-12.yaml"


@pytest.fixture(scope="module")
def expected(classified_sample: ClassifiedSample) -> list[Expected]:
    """The oracle's line for every landed row."""
    settings = classified_sample.settings
    with connect(settings, read_only=True) as connection:
        landing = read_landing(connection)
    rules = policy.read_policy(settings.policy_dir / POLICY_FILE)
    return list(classify(landing, rules, classified_sample.as_of, decides=True))


def test_oracle_agrees_on_every_record_of_the_sample(
    classified_sample: ClassifiedSample, expected: list[Expected]
) -> None:
    with connect(classified_sample.settings, read_only=True) as connection:
        result = compare.compare(expected, compare.read_records(connection))
    assert result.compared >= 20_000
    if result.differences:
        pytest.fail(result.report(), pytrace=False)


def test_the_sample_puts_every_outcome_to_the_question(expected: list[Expected]) -> None:
    """An agreement says little where nothing happens: each category, role and status occurs."""
    assert {line.category for line in expected} == {
        "lead_partner",
        "lead_direct",
        "customer_no_advice",
        "assignment",
        "accounting",
        "active",
        "supporting",
        "business_contact",
        "rights_request",
        "own",
        "unclassified",
    }
    assert {line.controller_role for line in expected} == {
        "controller",
        "joint_controller",
        "processor",
    }
    # Restrictions and locks are placed by persons; none is placed here.
    assert {line.status for line in expected} == {
        "held",
        "review",
        "overdue",
        "due_soon",
        "retained",
        "active",
    }
    assert {(line.source_schema, line.source_table) for line in expected} == {
        tuple(table.name.split(".")) for table in TABLES
    }


def test_the_oracle_shares_no_code_with_what_it_judges() -> None:
    for path in ORACLE.glob("*.py"):
        modules = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules.add(node.module or "")
        roots = {module.partition(".")[0] for module in modules}
        ours = {"retention", "landing", "expectations", "orchestration", "cli", "holidays"}
        assert not roots & ours, path.name
        assert all(
            module.startswith("tests.oracle") for module in modules if module.startswith("tests")
        ), path.name
