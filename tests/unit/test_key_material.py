"""Where keys are found: variables, commands and files, current and old. Nothing of them is ever shown."""

import shlex
import sys
import time
from pathlib import Path

import pytest

from retention.errors import Refused, RetentionError, UsageError
from retention.keys import command
from retention.keys.material import AtHand, find, place_of
from retention.settings import load_settings

pytestmark = pytest.mark.unit

FIRST, SECOND, THIRD = (bytes([number]) * 32 for number in (1, 2, 3))
KEY, COMMAND, OLD = ("RETENTION_HMAC_KEY", "RETENTION_HMAC_KEY_COMMAND", "RETENTION_HMAC_KEYS_OLD")


def looked_for(folder: Path, env: dict[str, str]) -> AtHand:
    return find(place_of(load_settings({"RETENTION_STATE_DIR": str(folder)}), "hmac"), env)


def key_file(folder: Path, name: str, secret: bytes, mode: int = 0o600) -> Path:
    path = folder / "keys" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(secret.hex())
    path.chmod(mode)
    return path


def python(code: str) -> str:
    """The command line that runs the code."""
    return shlex.join([sys.executable, "-c", code])


def message_of(folder: Path, text: str, error: type[RetentionError]) -> str:
    with pytest.raises(error) as caught:
        looked_for(folder, {COMMAND: text})
    assert caught.value.__cause__ is None
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_command_prints_the_current_key_and_old_ones_after_it(tmp_path: Path) -> None:
    found = looked_for(tmp_path, {COMMAND: python(f"print('{FIRST.hex()}\\n{SECOND.hex()}')")})
    assert found.current is not None
    assert (found.current.secret, found.current.source) == (FIRST, COMMAND)
    assert [(one.secret, one.path) for one in found.old] == [(SECOND, None)]


def test_old_keys_are_found_in_the_variable_and_in_files(tmp_path: Path) -> None:
    path = key_file(tmp_path, "hmac-0123456789abcdef.key", THIRD)
    key_file(tmp_path, "signing-0123456789abcdef.key", FIRST)
    found = looked_for(tmp_path, {KEY: FIRST.hex(), OLD: f"{SECOND.hex()}, "})
    assert [(one.secret, one.path) for one in found.old] == [(SECOND, None), (THIRD, path)]
    assert looked_for(tmp_path / "elsewhere", {}) == AtHand(None, ())


def test_nothing_that_was_found_is_shown(tmp_path: Path) -> None:
    found = looked_for(tmp_path, {KEY: FIRST.hex(), OLD: SECOND.hex()})
    for secret in (FIRST, SECOND):
        assert secret.hex() not in repr(found)
        assert repr(secret) not in repr(found)


def test_a_key_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="are both set"):
        looked_for(tmp_path, {KEY: FIRST.hex(), COMMAND: python("print()")})


def test_an_old_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    key_file(tmp_path, "hmac-0123456789abcdef.key", SECOND, 0o640)
    with pytest.raises(Refused, match="can be read by others"):
        looked_for(tmp_path, {KEY: FIRST.hex()})


def test_a_command_that_fails_is_one_line_that_repeats_nothing(tmp_path: Path) -> None:
    secret = FIRST.hex()
    says = f"import sys; print('{secret}'); print('{secret}', file=sys.stderr); sys.exit(3)"
    message = message_of(tmp_path, python(says), Refused)
    assert "failed (exit 3)" in message
    assert COMMAND in message
    assert secret not in message
    assert sys.executable not in message


def test_what_a_command_writes_to_stderr_is_shown_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    says = f"import sys; print('{FIRST.hex()}'); print('psst', file=sys.stderr)"
    assert looked_for(tmp_path, {COMMAND: python(says)}).current is not None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("printed", ["", "nothing here", FIRST.hex()[:40], "é" * 40])
def test_a_command_that_prints_no_key_is_wrong_configuration(tmp_path: Path, printed: str) -> None:
    message = message_of(tmp_path, python(f"print('{printed}')"), UsageError)
    assert "holds no key" in message
    assert not printed or printed not in message


def test_a_command_that_cannot_be_run_is_one_line(tmp_path: Path) -> None:
    assert "cannot be run" in message_of(tmp_path, str(tmp_path / "no-such-program"), Refused)
    assert "check its quotes" in message_of(tmp_path, "print 'half", UsageError)
    assert "check its quotes" in message_of(tmp_path, "   ", UsageError)


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    text = python(f"print('{FIRST.hex()}')") + f" ; touch {trace} ; $(touch {trace})"
    assert looked_for(tmp_path, {COMMAND: text}).current is not None
    assert not trace.exists()


def test_a_command_that_hangs_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child's child holds the pipe open: ending the child alone would wait for it."""
    monkeypatch.setattr(command, "TIMEOUT_SECONDS", 1)
    hangs = "import subprocess, sys; subprocess.run(['sleep', '60'])"
    began = time.monotonic()
    assert "did not end within 1 second" in message_of(tmp_path, python(hangs), Refused)
    assert time.monotonic() - began < 20
