"""Which processes are ours: asked of the operating system, never believed from a pid file alone.

Belongs here: whether a pid lives and what it runs, and ending one. Does not belong here: starting
particular servers.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

_EXEC_LOOKS = 50


def command_line(pid: int) -> str | None:
    """Return the words of a living process's command line joined by spaces; None when there is no
    such process or it is dead and only waits to be collected."""
    if pid <= 0:
        return None
    if Path("/proc/self").exists():
        return _from_proc(Path(f"/proc/{pid}"))
    shown = subprocess.run(
        ["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    state, _, command = shown.partition(" ")
    return None if not command or state.startswith("Z") else command.strip()


def _from_proc(process: Path) -> str | None:
    # A process that has just been started has no command line for an instant.
    for _ in range(_EXEC_LOOKS):
        try:
            words = (process / "cmdline").read_bytes()
            state = (process / "stat").read_bytes().rpartition(b")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return None
        if words or state in (b"Z", b"X"):
            break
        time.sleep(0.01)
    return words.replace(b"\0", b" ").decode(errors="replace").strip() or None


def runs(pid: int, *signs: str) -> bool:
    """True when process `pid` lives and every one of `signs` is in its command line: a pid file may
    outlive its process, and the number may then be someone else's."""
    command = command_line(pid)
    return command is not None and all(sign in command for sign in signs)


def end(
    pid: int,
    *signs: str,
    asking: signal.Signals = signal.SIGTERM,
    forcing: signal.Signals = signal.SIGKILL,
    patience_seconds: float = 15.0,
) -> bool:
    """End process `pid` if it is still the one that `signs` describe: `asking` first, `forcing`
    when it does not heed that in time. Returns whether there was something to end."""
    if not runs(pid, *signs):
        return False
    for number in (asking, forcing):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        if _gone(pid, signs, patience_seconds):
            return True
    return True


def end_group(group: int, *, patience_seconds: float = 15.0) -> None:
    """End every process of a group whose leader we started in a session of its own: first asked,
    then forced."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience_seconds
        while time.monotonic() < deadline:
            if not _group_lives(group):
                return
            time.sleep(0.05)


def _group_lives(group: int) -> bool:
    """True when a process of the group does more than wait to be collected."""
    processes = Path("/proc")
    if not (processes / "self").exists():
        shown = subprocess.run(
            ["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=False
        ).stdout
        members = [line.split() for line in shown.splitlines()]
        return any(int(pgid) == group and stat[0] != "Z" for pgid, stat, *_ in members)
    for entry in processes.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            words = (entry / "stat").read_bytes().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(words[2]) == group and words[0] not in (b"Z", b"X"):
            return True
    return False


def _gone(pid: int, signs: tuple[str, ...], patience_seconds: float) -> bool:
    deadline = time.monotonic() + patience_seconds
    while runs(pid, *signs):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)
    return True
