"""The account that the embedded server runs as.

Belongs here: PostgreSQL refuses to run as root, so as root the server gets an unprivileged
account; which one, and what that account can reach. Does not belong here: changing anyone's
rights.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention.errors import UsageError

# `postgres` where the distribution has made it; `nobody` is everywhere.
CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """Another account than the one we run as."""

    name: str
    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """Return the account to start the server as; None means the one we run as.

    A data folder that exists decides: it can only be served by its owner. Raises UsageError when we
    may not act for that owner, or when root has no unprivileged account to use.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner != os.geteuid():
            raise UsageError(
                f"the embedded database in {data} belongs to another account: run as that account,"
                " or set RETENTION_STATE_DIR to a folder of your own"
            )
        return None
    if owner:
        entry = pwd.getpwuid(owner)
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise UsageError(
        "PostgreSQL refuses to run as root and there is no account postgres or nobody:"
        " run as an ordinary user, or set RETENTION_DATABASE_URL"
    )


def run_as(account: Account | None) -> dict[str, Any]:
    """Return the arguments of `subprocess.run` that start a command as `account`."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def can_enter(account: Account | None, folder: Path) -> bool:
    """True when `account` can enter `folder`: tried, not computed, as access lists count too."""
    tried = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        **run_as(account),
    )
    return tried.returncode == 0


def can_run(account: Account | None, program: Path) -> bool:
    """True when `account` can execute `program` (it is asked for its version)."""
    try:
        tried = subprocess.run(
            [str(program), "--version"],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            **run_as(account),
        )
    except OSError:
        return False
    return tried.returncode == 0
