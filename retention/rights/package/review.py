"""The look at what may tell of other people, before a copy is handed out (GDPR art. 15(4)).

Belongs here: which cells are to be looked at, the file that lists them, and taking out what is withheld.
Does not belong here: deciding; a person does, cell by cell.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention.errors import Refused, UsageError
from retention.rights.package.holdings import Holding, with_rows

REVIEW = "review.json"
WITHHELD = "[tilbakeholdt / withheld]"

_HOW = (
    "Look at each cell. Set withhold to true where it tells of somebody else, otherwise to false. Then make"
    " the package with --reviewed and this file."
)


@dataclass(frozen=True)
class Cell:
    """One value of one row, without the value."""

    table: str
    record_key: str
    column: str


@dataclass(frozen=True)
class Flag:
    """A cell to look at, why, and a mark by which it is seen that its value is still the same."""

    cell: Cell
    why: str
    mark: str


@dataclass(frozen=True)
class Withheld:
    """How many cells of a column were withheld, for the letter."""

    table: str
    column: str
    cells: int


def flags(holdings: Sequence[Holding], salt: bytes) -> list[Flag]:
    """Free text, what is declared to be about others, and what nobody declared; empty cells are none."""
    return [
        Flag(Cell(holding.table.qualified, key, name), why, _mark(salt, row[name]))
        for holding in holdings
        for key, row in holding.rows
        for name, why in _suspects(holding, row)
    ]


def _suspects(holding: Holding, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    declared = holding.table.columns_declared
    for name, value in row.items():
        if value is None or value == "":
            continue
        column = holding.table.personal.get(name)
        if column and column.about == "others":
            yield name, "about other people"
        elif column and column.kind == "free_text":
            yield name, "free text"
        elif name not in declared and not name.startswith("_fivetran_"):
            yield name, "declared by nobody"


def as_document(found: Sequence[Flag], salt: bytes) -> str:
    """The file in which a person says what is withheld. It holds no value."""
    return json.dumps(
        {
            "how": _HOW,
            "salt": salt.hex(),
            "cells": [
                {**vars(one.cell), "why": one.why, "mark": one.mark, "withhold": None}
                for one in found
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


def new_salt() -> bytes:
    """What the marks of one review are made with."""
    return secrets.token_bytes(16)


def read_review(path: Path, holdings: Sequence[Holding]) -> frozenset[Cell]:
    """The cells to withhold, as a person decided in the file `path` of an earlier draft.

    Raises UsageError for a file that is no such review or leaves a cell undecided, Refused where a cell has
    come or changed since: then nobody has looked at it.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        salt = bytes.fromhex(document["salt"])
        decided = {
            Cell(one["table"], one["record_key"], one["column"]): (one["mark"], one["withhold"])
            for one in document["cells"]
        }
    except OSError as error:
        raise UsageError(
            f"cannot read the review ({error.strerror}): name the edited file"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"that file is no review: edit the {REVIEW} of the draft, and name it"
        ) from None
    undecided = sum(not isinstance(withhold, bool) for _, withhold in decided.values())
    if undecided:
        raise UsageError(f"{undecided} cells are undecided: set withhold to true or false for each")
    now = flags(holdings, salt)
    unseen = sum(one.cell not in decided or decided[one.cell][0] != one.mark for one in now)
    if unseen:
        raise Refused(
            f"{unseen} cells came or changed since the draft was made: make a new draft, and look again"
        )
    return frozenset(cell for cell, (_, withhold) in decided.items() if withhold)


def withhold(
    holdings: Sequence[Holding], cells: frozenset[Cell]
) -> tuple[tuple[Holding, ...], tuple[Withheld, ...]]:
    """The holdings with a word in place of each withheld value, and what to say of them."""
    counted: Counter[tuple[str, str]] = Counter()
    kept = []
    for holding in holdings:
        rows = []
        for key, row in holding.rows:
            hidden = {n for n in row if Cell(holding.table.qualified, key, n) in cells}
            counted.update((holding.table.qualified, name) for name in hidden)
            rows.append((key, {name: WITHHELD if name in hidden else v for name, v in row.items()}))
        kept.append(with_rows(holding, rows))
    told = (Withheld(table, column, cells) for (table, column), cells in sorted(counted.items()))
    return tuple(kept), tuple(told)


def _mark(salt: bytes, value: Any) -> str:
    # Short: enough to see a change, too little to find the value by trying.
    return hmac.digest(salt, str(value).encode(), hashlib.sha256).hex()[:8]
