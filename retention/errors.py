"""The errors a person sees, with the exit code each one ends the command with.

Belongs here: the exception classes, and where one came from. Does not belong here: findings, which
are a result (exit code 1) and not an error, and the printing, which the command line does.

A message is one line: what is wrong, then what to do. It never holds a personal value or a secret.
"""

import os
import traceback


class RetentionError(Exception):
    """Anything the command reports as one line; by itself an internal error (exit code 4)."""

    exit_code: int = 4


class UsageError(RetentionError):
    """Wrong usage or configuration: nothing was started (exit code 2)."""

    exit_code = 2


class Refused(RetentionError):
    """A guard said no; nothing was changed (exit code 3)."""

    exit_code = 3


class WarehouseError(RetentionError):
    """The database cannot be reached, was lost half-way or broke a promise (exit code 4)."""

    exit_code = 4


def place_of(error: BaseException) -> str:
    """Name the deepest line of ours that an error passed through: what may be said of one whose own
    words may hold a value."""
    ours = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename and "importlib" not in frame.filename
    ]
    return f"at {os.path.relpath(ours[-1].filename)}:{ours[-1].lineno}" if ours else ""
