"""Where the embedded server's files lie.

Belongs here: choosing that folder once and remembering it. Does not belong here: what is in it.
"""

import hashlib
import itertools
import logging
import os
import stat
from pathlib import Path

from retention import state
from retention.errors import UsageError
from retention.settings import Settings
from retention.warehouse.account import Account, can_enter

logger = logging.getLogger(__name__)

# For root only, where the state folder lies in a folder that the server's account cannot enter.
# The second may be anybody's folder: whose it is gets checked.
_ELSEWHERE = (Path("/var/lib/sletteplikt"), Path("/var/tmp/sletteplikt"))  # noqa: S108


def record_path(settings: Settings) -> Path:
    """Return the file that remembers the embedded server: its folder and its port."""
    return settings.state / "postgres.json"


def known_home(settings: Settings) -> Path | None:
    """Return the folder chosen earlier, None when none was, or when the state folder was copied
    here from another place (whose server it must not share)."""
    record = state.read_record(record_path(settings))
    if record is None or record.get("state") != str(settings.state):
        return None
    return Path(record["home"])


def choose_home(settings: Settings, account: Account | None) -> Path:
    """Make and return the folder for the server's files: in the state folder, or, where `account`
    cannot enter that, in one that it can. Raises UsageError when there is none."""
    state.make_folder(settings.state, state.STATE_MODE)
    home = state.make_folder(settings.state / "postgres", state.STATE_MODE)
    if can_enter(account, home):
        return home
    home.rmdir()
    for base in _ELSEWHERE:
        if not os.access(base.parent, os.W_OK):
            continue
        state.make_folder(base, state.STATE_MODE)
        if not _is_ours_alone(base):
            continue
        home = state.make_folder(_unused(base, settings), state.STATE_MODE)
        if can_enter(account, home):
            return home
    who = account.name if account else "this account"
    raise UsageError(
        f"the database runs as {who}, which cannot enter {settings.state}:"
        " set RETENTION_STATE_DIR to a folder that every account can enter"
    )


def _unused(base: Path, settings: Settings) -> Path:
    """Name a folder that holds no database. One of an earlier, removed state folder is of no use,
    its passwords being gone, but only its owner may decide that it goes."""
    name = hashlib.sha256(str(settings.state).encode()).hexdigest()[:16]
    for number in itertools.count(1):
        home = base / f"{name}-{number}"
        if not (home / "data").exists():
            return home
        logger.warning("%s holds an earlier database, without its passwords: remove it", home)
    raise AssertionError("itertools.count ends")


def _is_ours_alone(folder: Path) -> bool:
    """A folder in a place where everybody may make one could be someone's trap."""
    found = folder.lstat()
    others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not others_write
