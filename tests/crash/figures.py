"""The figures of the long suites: how often each was tried, how often it counts, what was wrong.

Belongs here: adding them up and laying them out as the table that a run of the tests ends with. Does
not belong here: what is tried, and what counts.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PROPERTY = "figures"

_HEADINGS = ("suite", "place or kind", "tried", "counted", "wrong")


@dataclass
class Figures:
    """What a test, or all of a run, adds up to. `counted` are the kills that met a purge at work, and the
    interleavings in which one of the two was seen waiting for the other."""

    tried: Counter[tuple[str, str]] = field(default_factory=Counter)
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows_checked: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    _begun: dict[str, float] = field(default_factory=dict)

    def add(self, suite: str, place: str, *, counted: bool, wrong: int = 0) -> None:
        """Add one kill or interleaving."""
        self.tried[suite, place] += 1
        self.counted[suite, place] += counted
        self.wrong[suite, place] += wrong

    @contextmanager
    def judged(self, suite: str, place: str, *, counted: bool) -> Iterator[None]:
        """Add one kill, wrong where what is asserted in the block does not hold."""
        try:
            yield
        except AssertionError:
            self.add(suite, place, counted=counted, wrong=1)
            raise
        self.add(suite, place, counted=counted)

    def begin(self, suite: str) -> None:
        self._begun[suite] = time.monotonic()

    def end(self, suite: str) -> None:
        spent = time.monotonic() - self._begun.pop(suite)
        self.seconds[suite] = self.seconds.get(suite, 0.0) + spent

    def plain(self) -> dict[str, Any]:
        """The figures as plain data, which a test run in another process can hand over."""
        counts = [
            [suite, place, tried, self.counted[suite, place], self.wrong[suite, place]]
            for (suite, place), tried in self.tried.items()
        ]
        return {"counts": counts, "rows": dict(self.rows_checked), "seconds": dict(self.seconds)}

    def include(self, plain: dict[str, Any]) -> None:
        """Add the figures of a test."""
        for suite, place, tried, counted, wrong in plain["counts"]:
            self.tried[suite, place] += tried
            self.counted[suite, place] += counted
            self.wrong[suite, place] += wrong
        self.rows_checked.update(plain["rows"])
        for suite, seconds in plain["seconds"].items():
            self.seconds[suite] = self.seconds.get(suite, 0.0) + seconds

    def of(self, suite: str) -> tuple[int, int]:
        """How many of a suite counted, and how many were wrong."""
        return _total(self.counted, suite), _total(self.wrong, suite)

    def table(self) -> list[str]:
        """The lines of the table, a total behind each suite; none where nothing was tried."""
        rows: list[tuple[str, ...]] = []
        totals: dict[int, str] = {}
        for suite in dict.fromkeys(suite for suite, _ in self.tried):
            for known, place in self.tried:
                if known == suite:
                    rows.append((suite, place, *self._numbers(suite, place)))
            counted, wrong = self.of(suite)
            rows.append((suite, "all", str(_total(self.tried, suite)), str(counted), str(wrong)))
            totals[len(rows)] = (
                f"  {self.seconds.get(suite, 0.0):.0f} s, {self.rows_checked[suite]} rows compared"
            )
        if not rows:
            return []
        widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
        laid_out = [_line(row, widths) for row in (_HEADINGS, *rows)]
        return [line + totals.get(number, "") for number, line in enumerate(laid_out)]

    def _numbers(self, suite: str, place: str) -> tuple[str, ...]:
        counters = (self.tried, self.counted, self.wrong)
        return tuple(str(counter[suite, place]) for counter in counters)


def _total(counter: Counter[tuple[str, str]], suite: str) -> int:
    return sum(number for (known, _), number in counter.items() if known == suite)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    words = [
        cell.ljust(width) if position < 2 else cell.rjust(width)
        for position, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(words).rstrip()
