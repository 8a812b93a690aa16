"""The published schema of `retention status --json` knows every word that can come."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import expectations
import retention
import retention.controls.standing
import retention.status
from retention.classified import CATEGORIES, STATUSES
from retention.coverage import FindingKind

pytestmark = pytest.mark.unit

PATH = Path(retention.status.__file__).with_name("status.schema.json")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return loaded


def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"]["format"]["const"] == retention.status.FORMAT


def test_it_knows_every_category_and_status(schema: dict[str, Any]) -> None:
    assert schema["$defs"]["category"]["enum"] == list(CATEGORIES)
    assert schema["$defs"]["status"]["enum"] == list(STATUSES)
    by_status = schema["properties"]["records"]["properties"]["by_status"]
    assert set(by_status["properties"]) == set(by_status["required"]) == set(STATUSES)


def test_it_knows_every_kind_of_finding(schema: dict[str, Any]) -> None:
    listed = set(schema["properties"]["findings"]["items"]["properties"]["kind"]["enum"])
    source = "".join(
        path.read_text(encoding="utf-8")
        for package in (retention, expectations)
        for path in sorted(Path(str(package.__file__)).parent.rglob("*.py"))
    )
    written = set(re.findall(r'\bFinding\(\s*"([a-z_]+)",', source))
    controls = Path(str(retention.controls.standing.__file__)).read_text(encoding="utf-8")
    written |= set(re.findall(r'return(?: \()?\s*"([a-z_]+)",', controls))
    # A missing table is a table that is set aside.
    drift = {kind.value for kind in FindingKind} - {FindingKind.MISSING_TABLE}
    assert written | drift == listed
