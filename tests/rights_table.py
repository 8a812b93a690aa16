"""The decision table of `docs/rights-decisions.md`, read as the suite compares it.

Belongs here: parsing the two tables of that page. Does not belong here: any expectation of its own, and
the lives that the stories are told with (`rights_stories`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from retention.settings import load_settings

PAGE = load_settings({}).project / "docs" / "rights-decisions.md"
NONE = "–"

#: What a story may say of a record; the page explains each.
OUTCOMES = frozenset(
    {
        *("erase", "minimise", "lock", "refuse", "relay", "wait", "person", "held", "restricted"),
        *("keep", "null", "show", "flag", "leave out"),
    }
)

_PERIOD = re.compile(r"(\d+) years(?: (\d+) months)? from (completed|year end)")


@dataclass(frozen=True)
class Line:
    """A story: who asks for what, in which life, and what becomes of each kind of record. `purpose` is
    that of a withdrawn consent. `told` are the recipients of the notice."""

    number: int
    asserted: str
    purpose: str | None
    who: str
    partner: str
    assignment: str
    accounting: str
    besides: str
    outcomes: Mapping[str, str]
    told: frozenset[str]
    because: str

    def __str__(self) -> str:
        life = (self.who, self.partner, self.assignment, self.accounting, self.besides)
        return " ".join([f"{self.number:02}", self.asserted, *(w for w in life if w != NONE)])


@dataclass(frozen=True)
class Period:
    """How long a lock lasts: so many months from the completion, or from the end of the fiscal year."""

    months: int
    anchor: str


def stories(page: Path = PAGE) -> tuple[Line, ...]:
    """The stories, in the order of the page. Raises ValueError for a line that cannot be read."""
    return tuple(_line(cells) for cells in _rows(page, "#"))


def locks(page: Path = PAGE) -> dict[tuple[str, str], Period]:
    """The period of each lock by rule and type or class; `` where the rule names none."""
    found: dict[tuple[str, str], Period] = {}
    for under, _, _, until in _rows(page, "the record stands under"):
        for part in filter(None, until.split("; ")):
            name, _, text = part.rpartition(": ")
            match = _PERIOD.fullmatch(text)
            if match is None:
                raise ValueError(f"{under}: {part!r} is no period")
            years, months, anchor = match.groups()
            found[under[:2], name] = Period(int(years) * 12 + int(months or 0), anchor)
    return found


def _rows(page: Path, first_heading: str) -> Iterator[list[str]]:
    """The cells of each line of the table whose first heading is that."""
    inside = False
    for text in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in text.strip("|").split("|")]
        if not text.startswith("|"):
            inside = False
        elif cells[0] == first_heading:
            inside = True
        elif inside and set(cells[0]) != {"-"}:
            yield cells


def _line(cells: list[str]) -> Line:
    number, asked, who, partner, assignment, accounting, besides, outcome, told, because = cells
    asserted, _, purpose = asked.partition(" of ")
    return Line(
        int(number),
        asserted,
        purpose or None,
        who,
        partner,
        assignment,
        accounting,
        besides,
        _outcomes(number, outcome),
        frozenset(told.split(", ")) - {NONE},
        because,
    )


def _outcomes(number: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for group in text.split("; "):
        outcome, _, kinds = group.partition(": ")
        for kind in kinds.split(", "):
            if outcome not in OUTCOMES or not kind or kind in found:
                raise ValueError(f"story {number}: {group!r} cannot be read")
            found[kind] = outcome
    return found
