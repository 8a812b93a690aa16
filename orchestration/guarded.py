"""What Dagster may keep of an error: our own words, and of anything else its kind and its place.

Belongs here: the guard that every function of ours stands behind which Dagster calls. Does not belong
here: what an error of the database means (`retention.ledger.failures`).

Dagster writes the message of whatever a step or a sensor raises into its storage, with the messages of
all that led to it, and shows them. A message of Python, of a driver or of a library may quote a row.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import psycopg

from retention.errors import RetentionError, place_of
from retention.ledger.failures import translated

P = ParamSpec("P")
R = TypeVar("R")

#: Marks a guarded function; a test asks for it on everything that Dagster calls.
MARK = "without_others_words"


def guarded(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, or generator function, raising errors of ours alone. Stands below Dagster's
    decorators."""
    doing = function.__name__.replace("_", " ")

    if inspect.isgeneratorfunction(function):

        @wraps(function)
        def stepwise(*args: P.args, **kwargs: P.kwargs) -> Iterator[Any]:
            with without_others_words(doing):
                yield from function(*args, **kwargs)

        guard = cast(Callable[P, R], stepwise)
    else:

        @wraps(function)
        def at_once(*args: P.args, **kwargs: P.kwargs) -> R:
            with without_others_words(doing):
                return function(*args, **kwargs)

        guard = at_once
    setattr(guard, MARK, True)
    return guard


@contextmanager
def without_others_words(doing: str) -> Iterator[None]:
    """Run the block; whatever it raises leaves it as an error of ours, and alone."""
    try:
        yield
    except RetentionError as error:
        # Of what led to it Dagster would keep the words as well.
        raise error from None
    except Exception as error:
        raise _ours(error, doing) from None


def _ours(error: Exception, doing: str) -> RetentionError:
    # SQLAlchemy, which Great Expectations uses, wraps the driver's error.
    found = getattr(error, "orig", error)
    if isinstance(found, psycopg.Error):
        return translated(found, doing)
    return RetentionError(
        f"internal error {type(error).__name__} in {doing} {place_of(error)}".strip()
    )
