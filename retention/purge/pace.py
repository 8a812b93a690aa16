"""How fast a purge may go.

Belongs here: the size of a batch and the rest after it, for a warehouse that others use meanwhile. Does
not belong here: which pace is right; the policy says so for purges that nobody watches.
"""

import time
from dataclasses import dataclass

from retention.errors import UsageError
from retention.policy import Policy

# With a rate, a batch is at most what may go in so many seconds: it is deleted in one go.
_BATCH_SECONDS = 60


@dataclass(frozen=True)
class Pace:
    """Rows a second on the average over a batch and its rest, and a pause on top; None is no limit."""

    rows_per_second: int | None = None
    pause_seconds: float = 0

    def __post_init__(self) -> None:
        if self.rows_per_second is not None and self.rows_per_second < 1:
            raise UsageError("a purge of less than one row a second never ends: raise the rate")
        if self.pause_seconds < 0:
            raise UsageError("the pause between batches is negative: give seconds, or 0")

    def items(self, wanted: int) -> int:
        """Items of a batch, `wanted` or as many as the rate allows."""
        if self.rows_per_second is None:
            return wanted
        return min(wanted, self.rows_per_second * _BATCH_SECONDS)

    def rest(self, purged: int) -> None:
        """Sleep after a batch of so many rows. To be called outside of any transaction: a rest holds
        no lock, so that a load, a hold or a halt never waits for it."""
        seconds = self.pause_seconds
        if self.rows_per_second is not None:
            seconds += purged / self.rows_per_second
        if seconds:
            time.sleep(seconds)


UNLIMITED = Pace()


def unattended(policy: Policy) -> Pace:
    """The policy's pace for purges that nobody watches."""
    operations = policy.operations
    return Pace(operations.purge_rows_per_second.value, operations.pause_seconds.value)
