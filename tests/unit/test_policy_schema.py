"""The JSON Schema beside the policies is current, and says what the models say."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from retention.policy.schema import SCHEMA_NAME, export_schema, policy_schema
from retention.policy.yaml_lines import read_yaml
from tests.policies import SHIPPED, edited_text, shipped_text

pytestmark = pytest.mark.unit


def errors_of(text: str) -> list[Any]:
    data, _ = read_yaml(text)
    return list(jsonschema.Draft202012Validator(policy_schema()).iter_errors(data))


def test_the_committed_schema_is_current(tmp_path: Path) -> None:
    """When this fails: python -m retention.policy.schema"""
    fresh = export_schema(tmp_path).read_text(encoding="utf-8")
    assert (SHIPPED.parent / SCHEMA_NAME).read_text(encoding="utf-8") == fresh
    jsonschema.Draft202012Validator.check_schema(json.loads(fresh))


def test_the_shipped_policy_satisfies_it() -> None:
    assert errors_of(shipped_text()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("value: P6M", "value: P6X", id="no-period"),
        pytest.param("    summary:", "    sumary: a\n    summary:", id="unknown-key"),
        pytest.param("      approval: {state: example}\n    clause:", "    clause:", id="approval"),
        pytest.param("disposition: purge", "disposition: burn", id="disposition"),
    ],
)
def test_an_editor_sees_the_same_mistakes(old: str, new: str) -> None:
    assert errors_of(edited_text((old, new)))
