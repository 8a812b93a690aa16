"""Removing files of ours that are past their day, and nothing else.

Belongs here: the walk through one folder, and setting a log aside that is still written to. Does
not belong here: which folders and names are ours (`places`).

A file goes only if it is a regular file of a name that we give, in a folder that no link leads to:
each is removed through the open folder it was seen in, so that a folder exchanged for a link
meanwhile leads nowhere.
"""

import os
import re
import shutil
import stat
from datetime import date, datetime
from pathlib import Path, PurePath

from retention.errors import UsageError

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def sweep(
    base: Path, folder: Path, names: re.Pattern[str], before: datetime, *, remove: bool
) -> int:
    """Count the files of `folder`, a folder of ours below `base`, that were last written `before` and
    whose path in it matches `names` as a whole; remove them, and folders that become empty, on `remove`.

    Raises UsageError where they belong to another account.
    """
    if not folder.is_dir() or not is_ours(base, folder):
        return 0
    found = 0
    emptied: set[str] = set()
    try:
        for path, inner, files, descriptor in os.fwalk(folder, topdown=False):
            place = PurePath(path).relative_to(folder)
            due = [
                name
                for name in files
                if names.fullmatch((place / name).as_posix())
                and _is_old_file(name, descriptor, before.timestamp())
            ]
            found += len(due)
            if not remove:
                continue
            for name in due:
                os.unlink(name, dir_fd=descriptor)
            for name in inner:
                below = os.path.join(path, name)
                if below in emptied and not os.listdir(below):
                    os.rmdir(name, dir_fd=descriptor)
                    emptied.add(path)
            if due:
                emptied.add(path)
    except PermissionError:
        raise UsageError(
            f"cannot remove old files from {folder}: they belong to another account; run as that one"
        ) from None
    return found


def is_ours(base: Path, path: Path) -> bool:
    """True where `path` lies below `base` and no link stands on the way to it."""
    if not path.is_relative_to(base):
        return False
    steps = [path, *path.parents]
    return not any(step.is_symlink() for step in steps[: steps.index(base)])


def set_aside(base: Path, log: Path, day: date) -> None:
    """Move what stands in a log that a server may be writing to into `<name>.YYYYMMDD` beside it, so that
    each line grows old enough to go. At most once a day; the new file is as old as the log's last line."""
    if not log.is_file() or not is_ours(base, log) or log.stat().st_size == 0:
        return
    facts = log.stat()
    aside = log.with_name(f"{log.name}.{day:%Y%m%d}")
    try:
        descriptor = os.open(aside, _NEW_FILE, stat.S_IMODE(facts.st_mode))
    except FileExistsError:
        return
    with os.fdopen(descriptor, "wb") as kept, log.open("r+b") as written:
        if os.geteuid() == 0:
            os.fchown(kept.fileno(), facts.st_uid, facts.st_gid)
        shutil.copyfileobj(written, kept)
        # Servers append: they go on at the new end.
        written.truncate(0)
    os.utime(aside, (facts.st_atime, facts.st_mtime))
    os.utime(log, (facts.st_atime, facts.st_mtime))


def _is_old_file(name: str, folder: int, before: float) -> bool:
    try:
        facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False  # another process has removed it since the folder was read
    return stat.S_ISREG(facts.st_mode) and facts.st_mtime < before
