"""One thing that a read-back found.

Belongs here: the word that its parts share. Does not belong here: finding anything.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something that should not be: where, what, and how many. Never a key."""

    where: str
    what: str
    count: int
