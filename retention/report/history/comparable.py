"""A report as far as two makings of it must agree, and what of it may be kept.

Belongs here: what is left out, and a figure brought down to its counts. Does not belong here: keeping it
(keep.py) and the search for what differs (differences.py).

Left out is what tells *that* and *how* a report was made: a replay reads other schemas, was classified by
another run, and is signed for by a later head of the ledger.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

# Of the headline every number is a sum over a figure; the sections only order the figures.
LEFT_OUT = frozenset({"kind", "format", "made_from", "provenance", "headline", "sections"})

# What rows are told apart by, and what they say. Ids and texts are neither: they may name a record or
# somebody.
IDENTITY = ("code", "table", "month")
VALUES = ("count", "day", "moment", "flag", "hash")
PLAN = "plan_id"

#: How many rows of a figure fell together where ids and texts were taken out.
ROWS = "rows"


def content_hash(document: Mapping[str, Any]) -> str:
    """The hash (hex) over all of a report in which two makings of it must agree."""
    return _hash([figure_hashes(document), part_hashes(document)])


def figure_hashes(document: Mapping[str, Any]) -> dict[str, str]:
    """The hash of each figure's rows, by the figure's id."""
    return {name: _hash(figure["rows"]) for name, figure in document["figures"].items()}


def part_hashes(document: Mapping[str, Any]) -> dict[str, str]:
    """The hash of each other part of the report that is held against the one kept."""
    return {
        name: _hash(part)
        for name, part in document.items()
        if name != "figures" and name not in LEFT_OUT
    }


def counted(figure: Mapping[str, Any]) -> dict[str, Any]:
    """A figure without ids and texts: its columns with their types, and its rows, those that became alike
    counted together. Plans keep their id, which is random and theirs alone."""
    types = {
        column["name"]: column["type"]
        for column in figure["columns"]
        if column["type"] in (*IDENTITY, *VALUES) or column["name"] == PLAN
    }
    grouped: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in figure["rows"]:
        grouped.setdefault(identity(types, row), []).append(row)
    return {
        "columns": types,
        "rows": [
            {**dict(key), **_values(types, rows), ROWS: len(rows)} for key, rows in grouped.items()
        ],
    }


def identity(types: Mapping[str, str], row: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """What tells a row of a figure from the others."""
    return tuple(
        (name, row[name]) for name, kind in types.items() if kind in IDENTITY or name == PLAN
    )


def _values(types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in types.items():
        if kind == "count":
            found[name] = sum(row[name] or 0 for row in rows)
        elif kind in VALUES and name != PLAN:
            seen = sorted({json.dumps(row[name]) for row in rows})
            found[name] = json.loads(seen[0]) if len(seen) == 1 else [*map(json.loads, seen)]
    return found


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
