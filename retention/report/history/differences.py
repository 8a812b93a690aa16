"""Where the report made again differs from the one kept: figure by figure, row by row, in numbers.

Belongs here: setting two figures' counts against each other. Does not belong here: why they differ
(`causes`, `attribution`), and what is compared at all (`comparable`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from retention.report.history.comparable import PLAN, ROWS, counted

# What only the classification in force knows, by figure: columns that are left out, or all of it. Plans
# hold the keys of records until they end, and which files wait to be rewritten is told by the files.
NOT_REPLAYED: Mapping[str, tuple[str, ...] | None] = {
    "overdue_because": ("waits_for",),
    "not_rewritten": None,
}


@dataclass
class Difference:
    """A row of a figure that is not what it was. `changes` are its counts, now less then; what it says
    beside counts may differ too. Causes are filled in by `attribution`."""

    figure_id: str
    row: Mapping[str, Any]
    then: Mapping[str, Any] | None
    now: Mapping[str, Any] | None
    changes: Mapping[str, int]
    causes: dict[str, int] = field(default_factory=dict)
    unexplained: int = 0

    @property
    def table(self) -> str | None:
        """The table that the row is about, where it is about one."""
        return self.row.get("table")

    def as_dict(self) -> dict[str, Any]:
        return {
            "figure": self.figure_id,
            "row": dict(self.row),
            "then": self.then and dict(self.then),
            "now": self.now and dict(self.now),
            "causes": dict(self.causes),
            "unexplained": self.unexplained,
        }


def differing(
    figure_id: str, kept: Mapping[str, Any], made: Mapping[str, Any], *, is_replay: bool
) -> Iterator[Difference]:
    """The rows in which a figure as it was kept differs from the same figure made again."""
    left_out = NOT_REPLAYED.get(figure_id, ()) if is_replay else ()
    if left_out is None:
        return
    then = _by_identity(kept, left_out)
    now = _by_identity(counted(made), left_out)
    for key in sorted({*then, *now}, key=repr):
        before, after = then.get(key), now.get(key)
        if before == after:
            continue
        changes = _changes(kept, before, after)
        # A row that counts nothing is there or not: a month in which nothing falls due.
        if changes or (before is not None and after is not None):
            yield Difference(figure_id, dict(key), before, after, changes)


def is_comparable(kept: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
    """Whether the report counted the figure in the same way then."""
    return bool(kept["columns"] == counted(made)["columns"])


def _by_identity(
    figure: Mapping[str, Any], left_out: Iterable[str]
) -> dict[tuple[tuple[str, Any], ...], dict[str, Any]]:
    """The rows of a figure of counts, by what tells them apart."""
    gone = set(left_out)
    types = {name: kind for name, kind in figure["columns"].items() if name not in gone}
    columns = [{"name": name, "type": kind} for name, kind in types.items()]
    again = counted({"columns": columns, "rows": figure["rows"]})
    # Of what the database keeps the order is its own.
    names = sorted(name for name, kind in types.items() if _is_identity(name, kind))
    return {
        tuple((name, row[name]) for name in names): {
            name: value for name, value in row.items() if name not in names and name != ROWS
        }
        for row in again["rows"]
    }


def _is_identity(name: str, kind: str) -> bool:
    return kind in ("code", "table", "month") or name == PLAN


def _changes(
    figure: Mapping[str, Any], before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> dict[str, int]:
    counts = [name for name, kind in figure["columns"].items() if kind == "count"]
    found = {
        name: int((after or {}).get(name, 0)) - int((before or {}).get(name, 0)) for name in counts
    }
    if not counts:
        found[ROWS] = (after is not None) - (before is not None)
    return {name: change for name, change in found.items() if change}
