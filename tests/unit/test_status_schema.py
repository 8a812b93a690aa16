"""The published schema of `retention status --json` knows every word that can come."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import expectations.standing
import retention.controls.standing
import retention.erasure.standing
import retention.findings
import retention.housekeeping.standing
import retention.rights.package.expiry
import retention.rights.standing
import retention.silence
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
        Path(str(module.__file__)).read_text(encoding="utf-8")
        for module in (
            retention.findings,
            retention.silence,
            retention.controls.standing,
            retention.erasure.standing,
            retention.rights.standing,
            retention.housekeeping.standing,
            retention.rights.package.expiry,
            expectations.standing,
        )
    )
    written = set(re.findall(r'(?:Finding\(|return(?: \()?)\s*"([a-z_]+)",', source))
    # A missing table is a table that is set aside.
    drift = {kind.value for kind in FindingKind} - {FindingKind.MISSING_TABLE}
    assert written | drift == listed
