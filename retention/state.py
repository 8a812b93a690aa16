"""The state folder: secrets, locks and small records that outlive a command.

Belongs here: making its folders and files with the right permissions, and holding a lock across
processes. Does not belong here: what the files mean, and anything outside the state folder.
"""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from retention.errors import Refused, UsageError

# Enterable but not listable: the database's own account must reach its data below.
STATE_MODE = 0o711
PRIVATE_FOLDER_MODE = 0o700
PRIVATE_FILE_MODE = 0o600


def make_folder(path: Path, mode: int = PRIVATE_FOLDER_MODE) -> Path:
    """Make `path` with exactly `mode`; a folder that is there keeps its rights. Returns `path`.

    Raises UsageError when it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=mode)
        path.chmod(mode)  # mkdir's mode is cut by the umask
    except FileExistsError:
        if not path.is_dir():
            raise UsageError(f"{path} is in the way: it is no folder; move it aside") from None
    except OSError as error:
        raise UsageError(
            f"cannot make folder {path} ({error.strerror}): set RETENTION_STATE_DIR to a folder"
            " that you may write to"
        ) from None
    return path


def secret(path: Path) -> str:
    """Return the random secret kept in `path`, making it (mode 0600) if it is not there.

    Two processes that ask at once get the same one. Raises UsageError when it cannot be read.
    """
    make_folder(path.parent)
    candidate = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        write_private(candidate, secrets.token_urlsafe(32))
        try:
            # A link never replaces: whoever is first decides.
            os.link(candidate, path)
        except FileExistsError:
            pass  # the other process's secret is as good; it is read below
        finally:
            candidate.unlink()
    return read_secret(path)


def read_secret(path: Path) -> str:
    """Return the secret kept in `path`, which must be there. Raises UsageError when it cannot be read."""
    try:
        return path.read_text(encoding="ascii").strip()
    except PermissionError:
        raise UsageError(
            f"cannot read {path}: it belongs to another account; run as that account"
        ) from None


def write_private(path: Path, content: str | bytes) -> None:
    """Write a new file that only its owner may read. Raises FileExistsError when it is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        if os.geteuid() == 0:
            # Root at work in someone's state folder must not lock that person out of it.
            folder = path.parent.stat()
            os.fchown(file.fileno(), folder.st_uid, folder.st_gid)
        file.write(content.encode() if isinstance(content, str) else content)
        # A key that something was written under must outlive a power cut.
        file.flush()
        os.fsync(file.fileno())


def replace_private(path: Path, text: str) -> None:
    """Write `path` anew so that a reader sees the old or the new file, never half of one."""
    candidate = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    write_private(candidate, text)
    candidate.replace(path)


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write `record` as JSON, as `replace_private` does."""
    replace_private(path, json.dumps(record, indent=2, sort_keys=True) + "\n")


def read_record(path: Path) -> dict[str, Any] | None:
    """Return the record kept in `path`, None when there is none.

    Raises UsageError when it is not what `write_record` wrote.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except PermissionError:
        raise UsageError(
            f"cannot read {path}: it belongs to another account; run as that account"
        ) from None
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise UsageError(f"{path} is damaged: run `retention down`, then remove that file")
    return record


@contextmanager
def file_lock(path: Path, *, wait_seconds: float, busy: str) -> Iterator[None]:
    """Hold an exclusive lock on `path` for the block; the kernel lets go of it if the process dies.

    Raises Refused with the message `busy` when another process holds it for `wait_seconds`.
    """
    make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE_MODE)
    except PermissionError:
        raise UsageError(
            f"cannot open {path}: it belongs to another account; run as that account"
        ) from None
    deadline = time.monotonic() + wait_seconds
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Refused(busy) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)
