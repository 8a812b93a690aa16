"""The one way of printing: values as they are, JSON that parses, nothing decorated in a pipe."""

import datetime
import decimal
import json
import uuid
from dataclasses import dataclass

import pytest

from cli import console


def test_json_knows_the_types_of_the_engine(capsys: pytest.CaptureFixture[str]) -> None:
    @dataclass(frozen=True)
    class Counts:
        overdue: int
        oldest: datetime.date

    token = uuid.UUID(int=7)
    console.show_json(
        {
            "counts": Counts(3, datetime.date(2023, 1, 12)),
            "token": token,
            "leaf": b"\x00\xff",
            "share": decimal.Decimal("0.10"),
            "names": {"b", "a"},
            "text": "slettefrist på 6 måneder",
        }
    )
    shown = capsys.readouterr().out
    assert "måneder" in shown
    assert json.loads(shown) == {
        "counts": {"overdue": 3, "oldest": "2023-01-12"},
        "token": str(token),
        "leaf": "00ff",
        "share": "0.10",
        "names": ["a", "b"],
        "text": "slettefrist på 6 måneder",
    }


def test_a_value_without_a_json_form_is_an_error() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        console.show_json({"what": object()})


def test_a_table_in_a_pipe_is_plain_text_of_any_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    long = "crm.assignment_document " * 20
    console.show_table(["table", "records"], [[long, 1234567], ["[bold]x[/bold]", None]])
    shown = capsys.readouterr().out
    assert long.strip() in shown
    assert "1234567" in shown
    assert "[bold]x[/bold]" in shown
    assert "\x1b" not in shown


def test_fields_that_are_none_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_fields({"rule": "R1", "blocked by": None, "clause": ["§6", "§8"]})
    assert capsys.readouterr().out.split() == ["rule", "R1", "clause", "§6,", "§8"]


def test_remarks_leave_stdout_to_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    console.remark("kept out")
    with console.progress("working"):
        pass
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "kept out\n"
