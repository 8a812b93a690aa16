"""The strict CSV reader: what is a row, what is null, and which line a fault is on.

Belongs here: the file format alone. Does not belong here: names and types of columns.
"""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landing.csv_reader import BrokenFile, read_records

pytestmark = pytest.mark.unit


def _read(tmp_path: Path, content: str | bytes) -> list[tuple[int, list[str | None]]]:
    path = tmp_path / "file.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_records(path))


def _fault(tmp_path: Path, content: str | bytes) -> BrokenFile:
    with pytest.raises(BrokenFile) as raised:
        _read(tmp_path, content)
    return raised.value


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("a,b\n1,2\n", [["a", "b"], ["1", "2"]], id="line feeds"),
        pytest.param("a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]], id="CRLF"),
        pytest.param("a,b\r\n1,2\n3,4", [["a", "b"], ["1", "2"], ["3", "4"]], id="mixed, no end"),
        pytest.param("a,b\r1,2\r", [["a", "b"], ["1", "2"]], id="lone carriage returns"),
        pytest.param("\ufeffa,b\n1,2\n", [["a", "b"], ["1", "2"]], id="byte order mark"),
        pytest.param("\ufeffa,b\n1,ø\n".encode("utf-16-le"), [["a", "b"], ["1", "ø"]], id="UTF-16"),
        pytest.param('a,b\n,""\n', [["a", "b"], [None, ""]], id="null and empty text"),
        pytest.param('"a","b"\n"x,y","z"\n', [["a", "b"], ["x,y", "z"]], id="comma in quotes"),
        pytest.param('a\n"say ""hi"""\n', [["a"], ['say "hi"']], id="doubled quotes"),
        pytest.param('a\n"""END"""\n', [["a"], ['"END"']], id="quotes all around"),
        pytest.param(
            'a,b\n"1\n2\r\n3",4\n', [["a", "b"], ["1\n2\r\n3", "4"]], id="lines in quotes"
        ),
        pytest.param('a,b\n" x ", y \n', [["a", "b"], [" x ", " y "]], id="spaces stay"),
        pytest.param("a,b\n1,\n", [["a", "b"], ["1", None]], id="trailing null"),
        pytest.param("a,b\n1,2\n\n", [["a", "b"], ["1", "2"], [None]], id="blank line is shown"),
        pytest.param("", [], id="empty file"),
    ],
)
def test_records_are_read_as_they_stand(
    tmp_path: Path, content: str | bytes, expected: list[list[str | None]]
) -> None:
    if isinstance(content, bytes) and not content.startswith(b"\xff\xfe"):
        content = b"\xff\xfe" + content
    assert [fields for _, fields in _read(tmp_path, content)] == expected


def test_a_record_is_known_by_the_line_it_starts_on(tmp_path: Path) -> None:
    records = _read(tmp_path, 'a,b\n"1\n2",3\n4,5\n')
    assert [line for line, _ in records] == [1, 2, 4]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        pytest.param('a,b\n1,2\n3,"4\n5,6\n', 3, "never closed", id="quote never closed"),
        pytest.param('a,b\n1,2\n3,4"x"\n', 3, "without being doubled", id="quote inside a value"),
        pytest.param('a,b\n"1"x,2\n', 2, "without being doubled", id="text after a quote"),
        pytest.param("a,b\n1,2\r3,4\n", 2, "another kind", id="lone carriage return among feeds"),
        pytest.param("a,b\n1,\x002\n", 2, "NUL", id="NUL character"),
        pytest.param(b"a,b\n1,2\n3,\xe5\n", 3, "UTF-8", id="Latin-1 bytes"),
    ],
)
def test_a_broken_file_says_where(
    tmp_path: Path, content: str | bytes, line: int, words: str
) -> None:
    fault = _fault(tmp_path, content)
    assert fault.line == line
    assert words in fault.reason


def test_a_fault_never_repeats_a_value(tmp_path: Path) -> None:
    fault = _fault(tmp_path, 'name,email\nx,"kari@example.no"kari\n')
    assert "kari" not in str(fault)


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
_VALUE = st.none() | _TEXT


@given(
    rows=st.lists(st.tuples(_VALUE, _VALUE, _VALUE), max_size=8),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_every_value_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str | None, ...]],
    line_end: str,
) -> None:
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    path.write_bytes(write_csv(rows, line_end).encode())
    assert [tuple(fields) for _, fields in read_records(path)] == [("a", "b", "c"), *rows]


@given(rows=st.lists(st.tuples(_TEXT, _TEXT), min_size=1, max_size=8))
def test_it_agrees_with_pythons_writer(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    path.write_bytes(buffer.getvalue().encode())
    assert [tuple(fields) for _, fields in read_records(path)] == [("a", "b"), *rows]


def write_csv(rows: list[tuple[str | None, ...]], line_end: str) -> str:
    """Three columns; null as nothing, every text quoted."""
    lines = ["a,b,c"]
    for row in rows:
        fields = ["" if value is None else '"' + value.replace('"', '""') + '"' for value in row]
        lines.append(",".join(fields))
    return line_end.join(lines) + line_end
