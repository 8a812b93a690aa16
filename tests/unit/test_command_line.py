"""How a run of the command ends: exit codes, one line, nothing of the warehouse in it."""

import subprocess
import sys
from types import ModuleType

import psycopg
import pytest

from cli import main
from retention.errors import Refused, RetentionError, UsageError, WarehouseError


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A command module whose one command, `url`, raises what the test puts into `error`."""
    module = ModuleType("failing_command")

    def command() -> None:
        raise module.error

    module.command = command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "failing_command", module)
    monkeypatch.setitem(main.COMMANDS, "url", main.Entry("failing_command:command", "Fails."))
    monkeypatch.delenv("RETENTION_DEBUG", raising=False)
    return module


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("wrong\nusage"), 2),
        (Refused("refused by a guard"), 3),
        (WarehouseError("the warehouse is gone"), 4),
        (RetentionError("something else"), 4),
    ],
    ids=lambda value: type(value).__name__,
)
def test_our_errors_become_one_line_and_their_code(
    failing: ModuleType,
    capsys: pytest.CaptureFixture[str],
    error: RetentionError,
    code: int,
) -> None:
    failing.error = error
    assert main.run(["url"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"retention: {' '.join(str(error).split())}\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (psycopg.OperationalError("consuming input failed for kari@example.no"), "lost the conn"),
        (psycopg.errors.AdminShutdown("terminating"), "lost the connection"),
        (psycopg.errors.UniqueViolation("Key (email)=(kari@example.no)"), "UniqueViolation"),
        (psycopg.errors.LockNotAvailable("kari@example.no"), "LockNotAvailable"),
        (KeyError("kari@example.no"), "internal error KeyError"),
    ],
    ids=["lost", "shutdown", "constraint", "lock", "bug"],
)
def test_another_error_is_named_without_its_values(
    failing: ModuleType, capsys: pytest.CaptureFixture[str], error: Exception, said: str
) -> None:
    failing.error = error
    assert main.run(["url"]) == 4
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert "kari" not in captured.err + captured.out
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    "arguments", [["no-such"], ["url", "--no-such"], ["url", "surplus"]], ids=" ".join
)
def test_wrong_usage_is_one_line_and_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("retention: ")
    assert captured.err.count("\n") == 1


def test_no_command_shows_the_help_and_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([]) == 2
    assert "explain" in capsys.readouterr().out


def test_a_commands_number_is_the_exit_code(
    failing: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.command = lambda: 1  # type: ignore[attr-defined]
    assert main.run(["url"]) == 1


@pytest.mark.parametrize("name", sorted(main.COMMANDS))
def test_every_registered_command_loads(name: str) -> None:
    assert main.load_command(name).callback is not None or main.load_command(name).commands


def test_listing_the_commands_imports_none_of_them() -> None:
    heavy = {"psycopg", "dagster", "dbt", "great_expectations", "pydantic", "sqlalchemy"}
    shown = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from cli import main; main.run(['--help']);"
            f"print(sorted({heavy!r} & sys.modules.keys()), file=sys.stderr)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(name in shown.stdout for name in main.COMMANDS)
    assert shown.stderr.strip() == "[]"
