"""What the oracle must know of a landing table, as data.

Belongs here: the shape of that knowledge. Does not belong here: the tables themselves (`tables`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Follows = Literal["person", "person_row", "lead", "assignment", "accounting", "rule"]


@dataclass(frozen=True)
class Link:
    """How a row names its data subject."""

    by: Literal["none", "self", "person_key", "email", "phone", "parent"] = "none"
    columns: tuple[str, ...] = ()
    parent: str | None = None


@dataclass(frozen=True)
class LandingTable:
    """One governed table.

    `own_date` is the day of the row's own event. Where `dated` is set the row cannot be classified
    without it; elsewhere it only says when the row was collected. `fallback_rule` takes the row at
    its own date when it belongs to no known person.
    """

    name: str
    key: tuple[str, ...]
    link: Link
    follows: Follows
    own_date: str | None = None
    dated: bool = False
    rule: str | None = None
    period_key: str | None = None
    fallback_rule: str | None = None
    assignment: Link = Link()
    key_is_personal: bool = False
    also_read: tuple[str, ...] = ()
    consented: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the oracle reads, the key first."""
        named = (*self.key, *self.link.columns, *self.assignment.columns)
        own = (self.own_date,) if self.own_date else ()
        return tuple(dict.fromkeys((*named, *own, *self.also_read)))
