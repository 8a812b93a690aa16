"""The report's files without a database: its published schema, CSV that no spreadsheet carries out, and
the revision that it names."""

import csv
import io
import subprocess
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

from retention.classified import STATUSES
from retention.report.csv_text import as_csv
from retention.report.figures.figure import Kind
from retention.report.parts.provenance import revision
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


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_revision_is_the_commit_and_says_what_differs_from_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "policy.yaml").write_text("one")
    git(tmp_path, "add", "policy.yaml")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert revision(tmp_path) == head
    (tmp_path / "policy.yaml").write_text("other")
    assert revision(tmp_path) == f"{head}+"


def test_without_a_clone_or_without_git_there_is_no_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert revision(tmp_path) is None
    (tmp_path / ".git").mkdir()
    assert revision(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision(tmp_path) is None
