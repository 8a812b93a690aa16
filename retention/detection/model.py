"""What a scan says of a column.

Belongs here: the words that the scan, coverage and onboarding share. Does not belong here: how it is found
out.
"""

from dataclasses import dataclass
from typing import Literal

#: A column by schema, table and name.
ColumnName = tuple[str, str, str]

Confidence = Literal["high", "medium", "low"]
Basis = Literal["value", "name", "both"]


@dataclass(frozen=True)
class Detected:
    """One thing that a column seems to hold.

    `kind` is a kind of personal data as declarations name it (`PERSONAL_KINDS`); `pattern` says what was
    recognised (`email`, `fodselsnummer`, `d_number`, `iban`, …), `basis` by what.
    `matched` of the column's sampled values matched it: 0 where the name alone speaks.
    """

    kind: str
    pattern: str
    confidence: Confidence
    basis: Basis
    matched: int


@dataclass(frozen=True)
class Detection:
    """What one column seems to hold, the most likely first. `sampled` counts the values (not null, not
    empty) that were looked at; `unread` says why none could be: then the name alone speaks."""

    column: ColumnName
    sampled: int
    found: tuple[Detected, ...]
    unread: str | None = None

    @property
    def kind(self) -> str | None:
        """The kind of personal data that the column most likely holds; None where it seems harmless."""
        return self.found[0].kind if self.found else None

    @property
    def is_likely(self) -> bool:
        """True where that is more than a guess."""
        return bool(self.found) and self.found[0].confidence != "low"
