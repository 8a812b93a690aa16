"""The report's files without a database: its published schema, and CSV that no spreadsheet carries out."""

import csv
import io
from typing import Any, get_args

import jsonschema
import pytest

from retention.classified import STATUSES
from retention.report.csv_text import as_csv
from retention.report.figures.figure import Kind
from retention.report.report import FORMAT
from tests.report_schema import schema

pytestmark = pytest.mark.unit


def figure(*cells: Any) -> dict[str, Any]:
    return {
        "columns": [{"name": "table", "type": "table"}],
        "rows": [{"table": cell} for cell in cells],
    }


def test_it_is_a_schema_of_this_format() -> None:
    published = schema()
    jsonschema.Draft202012Validator.check_schema(published)
    assert published["properties"]["format"]["const"] == FORMAT
    counted = published["properties"]["headline"]["properties"]["by_status"]
    assert tuple(counted["properties"]) == STATUSES


def test_it_knows_every_kind_of_column() -> None:
    column = schema()["$defs"]["figure"]["properties"]["columns"]["items"]
    assert set(column["properties"]["type"]["enum"]) == {*get_args(Kind), "code"}


def test_nothing_may_stand_in_a_report_that_the_schema_does_not_know() -> None:
    def objects(part: Any) -> Any:
        if isinstance(part, dict):
            if part.get("type") == "object" and "properties" in part:
                yield part
            for inner in part.values():
                yield from objects(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from objects(inner)

    found = list(objects(schema()))
    assert len(found) > 40
    assert all(one["additionalProperties"] is False for one in found)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_begins_a_formula(sign: str) -> None:
    text = as_csv(figure(f'{sign}HYPERLINK("x")'))
    (_, (cell,)) = csv.reader(io.StringIO(text, newline=""))
    assert cell == f'\'{sign}HYPERLINK("x")'


def test_values_are_written_as_they_are() -> None:
    assert as_csv(figure("crm.person", None, True, False, 12, 'a "b", c')) == (
        'table\r\ncrm.person\r\n""\r\ntrue\r\nfalse\r\n12\r\n"a ""b"", c"\r\n'
    )
