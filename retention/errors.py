"""The errors a person sees, with the exit code each one ends the command with.

Belongs here: the exception classes. Does not belong here: findings, which are a result (exit code
1) and not an error, and the printing, which the command line does.

A message is one line: what is wrong, then what to do. It never holds a personal value or a secret.
"""


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
