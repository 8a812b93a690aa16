"""Draws the parts of one generated life and remembers its days.

Belongs here: what every part of a life draws with (days, choices, ids, spellings).
Does not belong here: which rows a life has (`lives`, `lives_elsewhere`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hypothesis import strategies as st

from tests.oracle.days import instants, landed_instants

Rows = list[tuple[str, dict[str, Any]]]

#: Assignment types: approved, of both lengths, approved by nobody, unknown, missing.
TYPES = (
    "ordinary_advice",
    "ordinary_advice",
    "will",
    "marriage_contract",
    "document_product",
    "dispute",
    "legacy_misc",
    None,
)


@dataclass
class Teller:
    """Draws one life; ids are made from the person's number, so lives never collide."""

    draw: Any
    as_of: date
    number: int
    known: list[date]
    rows: Rows

    def when(self) -> datetime:
        """A usable instant, remembered so that later events gather around its borders."""
        instant: datetime = self.draw(instants(self.as_of, self.known))
        self.known.append(instant.date())
        return instant

    def landed(self) -> datetime | None:
        """An instant as it lands: now and then missing, impossible or still to come."""
        instant: datetime | None = self.draw(landed_instants(self.as_of, self.known))
        if instant is not None and instant.year >= 1971 and instant.date() <= self.as_of:
            self.known.append(instant.date())
        return instant

    def pick(self, options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def chance(self, one_in: int) -> bool:
        """True once in so many draws; hypothesis begins with False."""
        return bool(self.draw(st.integers(0, one_in - 1)) == one_in - 1)

    def times(self, at_most: int) -> range:
        return range(self.draw(st.integers(0, at_most)))

    def id(self) -> int:
        return self.number * 100 + len(self.rows)

    def add(self, table: str, **values: Any) -> None:
        if table.startswith("crm."):
            values.setdefault("_fivetran_deleted", False)
        self.rows.append((table, values))

    def email(self) -> str:
        """The person's address in one of its spellings."""
        spelling: str = self.pick(("p{}@example.no", " P{}@Example.NO "))
        return spelling.format(self.number)

    def phone(self) -> str:
        """The person's number in one of its spellings."""
        spelling: str = self.pick(("{}", "+47 {}", "0047{}", "47-{}"))
        return spelling.format(f"4{self.number:07d}")
