"""What a trial of a policy builds anew, beside dbt's own graph.

Belongs here: that nothing which depends on the policy is reused. Does not belong here: what a trial says
(integration/test_what_if.py).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestration.manifest import ensure_manifest
from retention.policy import load_policy
from retention.policy.seeds import SEEDS
from retention.settings import load_settings
from retention.what_if.differences import differences
from retention.what_if.project import POLICY_SEEDS, READ, parts
from tests.policies import SHIPPED, edited_text, write_policy

pytestmark = pytest.mark.unit

DBT = load_settings({}).dbt_dir


@pytest.fixture(scope="module")
def nodes() -> dict[str, dict[str, Any]]:
    """Every node of dbt's manifest by its name."""
    manifest = json.loads(ensure_manifest(load_settings()).read_text(encoding="utf-8"))
    return {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed", "snapshot")
    }


def read_by(node: dict[str, Any]) -> set[str]:
    """The names of models and seeds that a node reads."""
    return {
        one.split(".")[2]
        for one in node["depends_on"].get("nodes", ())
        if one[0] != "s" or one[:5] == "seed."
    }


def upstream(nodes: dict[str, dict[str, Any]], name: str) -> set[str]:
    """Everything that a node stands on, and the node, by dbt's graph."""
    reached: set[str] = set()
    pending = [name]
    while pending:
        one = pending.pop()
        if one not in reached:
            reached.add(one)
            pending += read_by(nodes[one])
    return reached


def test_what_is_reused_does_not_depend_on_the_policy(nodes: dict[str, dict[str, Any]]) -> None:
    found = parts(DBT)
    assert {"int_record_cases", "int_records_unioned", "int_case_fingerprints"} <= set(found.reused)
    for name in found.reused:
        assert not upstream(nodes, name) & POLICY_SEEDS, f"{name} depends on the policy"


def test_what_the_records_stand_on_is_built_anew_or_reused(
    nodes: dict[str, dict[str, Any]],
) -> None:
    found = parts(DBT)
    for name in READ:
        of_the_policy = {
            one for one in upstream(nodes, name) if upstream(nodes, one) & POLICY_SEEDS
        }
        assert of_the_policy - POLICY_SEEDS <= set(found.rebuilt)
    for name in found.rebuilt:
        assert read_by(nodes[name]) <= set(found.rebuilt) | set(found.reused) | POLICY_SEEDS


def test_a_new_model_between_is_found_by_what_it_reads(tmp_path: Path) -> None:
    models = tmp_path / "models"
    for name in ("intermediate", "marts/retention"):
        (models / name).mkdir(parents=True)
    for name, reads in (
        ("int_record_cases", ("int_new",)),
        ("int_new", ("policy_rules", "int_old")),
        ("int_old", ("declared_tables",)),
    ):
        (models / "intermediate" / f"{name}.sql").write_text(
            "".join(f"select * from {{{{ ref('{one}') }}}}" for one in reads)
        )
    found = parts(tmp_path)
    assert set(found.rebuilt) == {"int_record_cases", "int_new"}
    assert "int_old" in found.reused


def test_the_other_seeds_are_the_same_for_every_policy(tmp_path: Path) -> None:
    shipped = load_policy(SHIPPED)
    edited = load_policy(write_policy(tmp_path, edited_text(("value: P6M", "value: P7M"))))
    others = SEEDS.keys() - POLICY_SEEDS
    assert others
    for name in others:
        _, rows = SEEDS[name]
        assert rows(shipped) == rows(edited)


def test_differences_are_told_with_their_lines(tmp_path: Path) -> None:
    edited = "# A comment moves lines, and means nothing.\n" + edited_text(
        ("value: P6M", "value: P7M")
    )
    path = write_policy(tmp_path, edited)
    (only,) = differences(load_policy(SHIPPED), load_policy(path))
    assert (only.what, only.before, only.after) == ("rules R1 period value", "P6M", "P7M")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert "P7M" in lines[(only.line_after or 0) - 1]
    assert "P6M" in SHIPPED.read_text(encoding="utf-8").splitlines()[(only.line_before or 0) - 1]


def test_what_one_of_two_lacks_is_a_difference(tmp_path: Path) -> None:
    added = (
        "  probate:\n    description: Probate\n    norwegian: dødsbo\n    period: P13Y\n"
        "    mark: choice\n    reason: A try.\n    approval: {state: none}\n"
    )
    path = write_policy(
        tmp_path, edited_text(("assignment_types:\n", f"assignment_types:\n{added}"))
    )
    found = {one.what: one for one in differences(load_policy(SHIPPED), load_policy(path))}
    period = found["assignment_types probate period"]
    assert (period.before, period.after, period.line_before) == (None, "P13Y", None)
    back = {one.what: one for one in differences(load_policy(path), load_policy(SHIPPED))}
    assert back["assignment_types probate period"].after is None
