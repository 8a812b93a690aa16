"""The state folder: who may read it, and what two processes at once make of it."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from retention import processes, state
from retention.errors import Refused, UsageError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "x.password"
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: state.secret(path), range(32)))
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 32
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert [found.name for found in path.parent.iterdir()] == ["x.password"]


def test_a_folder_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o750)
    state.make_folder(folder, state.STATE_MODE)
    assert mode(folder) == 0o750


def test_a_file_in_the_way_is_a_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(UsageError, match="in the way"):
        state.make_folder(tmp_path / "state")


def test_a_damaged_record_is_told_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "postgres.json"
    state.write_record(path, {"port": 5})
    assert state.read_record(path) == {"port": 5}
    path.write_text('{"port": ')
    with pytest.raises(UsageError, match="damaged"):
        state.read_record(path)
    path.unlink()
    assert state.read_record(path) is None


def test_a_lock_keeps_a_second_process_out_and_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = (
        "import sys, time; from pathlib import Path; from retention import state\n"
        f"with state.file_lock(Path({str(path)!r}), wait_seconds=1, busy='busy'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(Refused, match="busy"),
            state.file_lock(path, wait_seconds=0.1, busy="busy"),
        ):
            pass
        holder.kill()
    with state.file_lock(path, wait_seconds=1, busy="busy"):
        pass


def test_a_pid_is_ours_only_with_our_command() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command) as process:
        # At once after the start, when the system may not know the command line yet.
        assert processes.runs(process.pid, "time.sleep(60)")
        assert not processes.end(process.pid, "time.sleep(61)")
        assert processes.end(process.pid, "time.sleep(60)")
        assert not processes.runs(process.pid, "time.sleep(60)")
    assert not processes.runs(process.pid)
