"""What a database error becomes before anybody sees it.

Belongs here: turning psycopg's errors into ours, without the server's words. A server's DETAIL quotes
keys and values of rows; none of it may reach a log, a report or an orchestrator. Does not belong here:
deciding what to try again, which the caller knows.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from retention.errors import Refused, RetentionError, UsageError, WarehouseError

# Raised by our own functions in schema `ledger`, whose messages are ours and hold no value.
USAGE = "SL002"
REFUSED = "SL003"

# SQLSTATE classes of a session that is gone: connection exceptions, operator intervention.
_LOST = ("08", "57P")


@contextmanager
def safe_errors(doing: str) -> Iterator[None]:
    """Run the block; a database error leaves it as one of ours, without the original's words.

    `doing` completes the sentence "… while <doing>". Raises UsageError and Refused for what our own
    functions say, WarehouseError for everything else.
    """
    try:
        yield
    except psycopg.Error as error:
        # `from None`: neither a log nor an orchestrator prints the original after ours.
        raise translated(error, doing) from None


def translated(error: psycopg.Error, doing: str) -> RetentionError:
    """Return what `error` means, in words that hold no value of the warehouse."""
    state = error.sqlstate or ""
    if state == USAGE:
        return UsageError(error.diag.message_primary or "wrong usage")
    if state == REFUSED:
        return Refused(error.diag.message_primary or "refused")
    if is_lost(error):
        return WarehouseError(
            f"the connection to the database was lost while {doing}: what was not finished was"
            " undone; check the server, then run it again"
        )
    if isinstance(error, errors.InsufficientPrivilege):
        return Refused(
            f"the login lacks a right that is needed for {doing}:"
            " have an administrator grant it the role of that work"
        )
    # A function is missing where a newer version meets a warehouse that it has not run on.
    if isinstance(
        error, errors.UndefinedTable | errors.InvalidSchemaName | errors.UndefinedFunction
    ):
        return UsageError(
            f"a relation or function that is needed for {doing} is not there: `retention run` makes it"
        )
    name = type(error).__name__
    return WarehouseError(
        f"the database reported {name} (SQLSTATE {state or 'none'}) while {doing}; it was undone"
    )


def is_lost(error: psycopg.Error) -> bool:
    """True where the session is gone rather than the statement wrong."""
    state = error.sqlstate or ""
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and (
        not state or state.startswith(_LOST)
    )


def is_conflict(error: psycopg.Error) -> bool:
    """True where another transaction was in the way, and the same may succeed if tried again."""
    return isinstance(error, errors.SerializationFailure | errors.DeadlockDetected)
