"""What can only be seen while it happens: temporary files, processes, the statements of sessions.

Belongs here: looking again and again for as long as something runs. Does not belong here: judging what was
seen, which is the scanner's.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.leaks import allowed
from tests.leaks.channels import Leak, Scanner
from tests.leaks.patterns import Kind

_PAUSE_SECONDS = 0.1

Look = Callable[[], set[Leak]]


class Sampled:
    """What was seen so far, and how often each channel was looked at."""

    def __init__(self) -> None:
        self.leaks: set[Leak] = set()
        self.looks = 0
        self.failure: BaseException | None = None


@contextmanager
def sampling(*looks: Look) -> Iterator[Sampled]:
    """Look with all of `looks` again and again for as long as the block runs, and once at its end."""
    seen, ended = Sampled(), threading.Event()

    def look() -> None:
        for each in looks:
            seen.leaks |= each()
        seen.looks += 1

    def go_on() -> None:
        try:
            while not ended.is_set():
                look()
                time.sleep(_PAUSE_SECONDS)
            look()
        except BaseException as error:
            seen.failure = error

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
    if seen.failure is not None:
        raise seen.failure


def temporary_files(scanner: Scanner, folder: Path) -> Look:
    """Looks at every file below `folder` that is new or has changed."""
    known: dict[Path, tuple[int, int]] = {}

    def look() -> set[Leak]:
        found: set[Leak] = set()
        for path in list(folder.rglob("*")):
            try:
                facts = path.stat()
                state = (facts.st_mtime_ns, facts.st_size)
                if not path.is_file() or known.get(path) == state:
                    continue
                data = path.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                continue  # gone between two looks, as temporary files are
            known[path] = state
            place = path.relative_to(folder).as_posix()
            found |= scanner.look_at("temporary file", place, place.encode() + b"\n" + data)
        return found

    return look


def processes(scanner: Scanner) -> Look:
    """Looks at the arguments of every process, and at its environment each time it becomes another
    program."""
    known: dict[str, bytes] = {}

    def look() -> set[Leak]:
        found: set[Leak] = set()
        for process in Path("/proc").iterdir():
            if not process.name.isdecimal():
                continue
            try:
                words = (process / "cmdline").read_bytes()
                if known.get(process.name) == words:
                    continue
                environment = (process / "environ").read_bytes()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # ended meanwhile, or another account's
            known[process.name] = words
            line = words.replace(b"\0", b" ").decode(errors="replace").strip()
            found |= scanner.look_at("arguments", line, words, allowed.ARGUMENTS)
            # A server's session changes its title with each statement, and has the server's.
            if not words.startswith(b"postgres: "):
                found |= _environment(scanner, line, environment)
        return found

    return look


def _environment(scanner: Scanner, line: str, environment: bytes) -> set[Leak]:
    return {
        leak
        for leak in scanner.look_at("environment", line, environment, allowed.ENVIRONMENTS)
        if not (
            leak.hit.what in scanner.database_passwords
            and allowed.is_allowed(allowed.DATABASE_PASSWORD, line, Kind.SECRET)
        )
    }


def statements(scanner: Scanner, conn: "psycopg.Connection[tuple[str]]") -> Look:
    """Looks at the text of the statements that sessions run, as a database's administrator sees it. The
    connection is in autocommit mode and used by nobody else."""

    def look() -> set[Leak]:
        rows = conn.execute(
            "select query from pg_catalog.pg_stat_activity where pid <> pg_backend_pid()"
        ).fetchall()
        return scanner.look_at(
            "statements", "pg_stat_activity", "\n".join(r[0] for r in rows).encode()
        )

    return look
