"""Instants of a batch at which a test has the process killed.

Belongs here: their names and the kill. Does not belong here: which of them are tried. Without
RETENTION_FAILPOINT=name[:nth] in the environment, reaching one does nothing.
"""

import os
import signal
from typing import Literal

from retention.errors import UsageError

VARIABLE = "RETENTION_FAILPOINT"

Failpoint = Literal[
    "after_lock",
    "after_guards",
    "after_landing_lock",
    "after_delete",
    "after_copies",
    "before_commit",
    "after_commit",
]

_armed, _, _nth = os.environ.get(VARIABLE, "").partition(":")
_reached = 0


def reached(name: Failpoint) -> None:
    """Say that a batch has come here; at the nth time (default the first) the process ends, as by
    `kill -9`. Raises UsageError where the variable's number is none."""
    global _reached
    if name != _armed:
        return
    if _nth and not _nth.isdecimal():
        raise UsageError(f"{VARIABLE} is no name or name:number: mend it, or unset it")
    _reached += 1
    if _reached == int(_nth or "1"):
        os.kill(os.getpid(), signal.SIGKILL)
