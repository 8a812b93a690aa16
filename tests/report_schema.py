"""The published schema of the report, for every test that has one.

Belongs here: holding a document against it. Does not belong here: making the document.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema

import retention.report

PATH = Path(retention.report.__file__).with_name("report.schema.json")


def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return loaded


def check(document: dict[str, Any]) -> None:
    """The document is as the schema says, each row has the figure's columns, and each figure is read in
    exactly one section."""
    jsonschema.Draft202012Validator(schema()).validate(document)
    for name, figure in document["figures"].items():
        assert figure["id"] == name
        columns = [column["name"] for column in figure["columns"]]
        assert all(list(row) == columns for row in figure["rows"]), name
    told = [name for section in document["sections"] for name in section["figures"]]
    assert sorted(told) == sorted(document["figures"])
