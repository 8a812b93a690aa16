"""What a person at the terminal hears when a job breaks."""

import pytest

import orchestration.run
from cli.arguments import parse_day
from cli.jobs import run_job
from retention.errors import Refused, UsageError, WarehouseError
from retention.settings import load_settings

pytestmark = pytest.mark.unit


class OperationalError(Exception):
    """Named as the drivers of PostgreSQL name the loss of a connection."""


def breaking(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(orchestration.run, "run_job", broken)


def test_a_lost_connection_is_one_line_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped = RuntimeError("step failed")
    wrapped.__cause__ = OperationalError("server closed the connection: DETAIL: kari@example.no")
    breaking(monkeypatch, wrapped)
    with pytest.raises(WarehouseError) as error:
        run_job(load_settings({}), "apply_retention")
    assert "lost while apply_retention ran" in str(error.value)
    assert "kari" not in str(error.value)


def test_a_chain_of_errors_that_ends_in_a_circle_is_followed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = RuntimeError("one"), RuntimeError("other")
    first.__cause__, second.__cause__ = second, first
    breaking(monkeypatch, first)
    with pytest.raises(RuntimeError):
        run_job(load_settings({}), "apply_retention")


def test_an_error_of_ours_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    breaking(monkeypatch, Refused("a run is already going"))
    with pytest.raises(Refused, match="already going"):
        run_job(load_settings({}), "apply_retention")


def test_what_others_write_to_stderr_stays_unsaid(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    def chatty(*_: object, **__: object) -> str:
        print("INSERT INTO event_logs …", file=sys.stderr)
        return "done"

    monkeypatch.setattr(orchestration.run, "run_job", chatty)
    monkeypatch.delenv("RETENTION_DEBUG", raising=False)
    assert run_job(load_settings({}), "apply_retention") == "done"  # type: ignore[comparison-overlap]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("text", ["2026-02-30", "20260131", "31.01.2026", "today", ""])
def test_a_day_is_written_in_one_way(text: str) -> None:
    with pytest.raises(UsageError, match="is no day: write YYYY-MM-DD"):
        parse_day(text)


def test_no_day_is_no_day() -> None:
    assert parse_day(None) is None
    assert str(parse_day("2026-01-31")) == "2026-01-31"
