"""What every part of the layout needs: the document, and somebody to say things.

Belongs here: shorthands for cells that say a value as its column's type wants it. Does not belong here:
which columns and sections there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from retention.language import Speaker
from retention.language.words import WORDS
from retention.report.render.blocks import Cell, Empty, Head, Spans, count, plain, said

# The codes of these stand in the policy, which names them itself.
_OF_POLICY = frozenset({"rule", "recipient", "purpose"})

# The statuses by which a cell stands out, and other codes that look like one.
_CHIPS: Mapping[str, str] = {
    **{name: name for name in ("held", "restricted", "locked", "review", "overdue", "due_soon")},
    "retained": "retained",
    "active": "active",
    "hold": "held",
    "restriction": "restricted",
    "lock": "locked",
    "passed": "good",
    "failed": "bad",
    "not_evaluated": "bad",
    "executed": "good",
    "approved": "good",
    "rejected": "bad",
    "proposed": "review",
    "executing": "review",
    "text": "good",
    "example": "due_soon",
    "none": "review",
    "error": "bad",
    "warn": "review",
}
_CHIP_KINDS = frozenset(
    {"status", "blocker", "check_outcome", "plan_state", "approval", "severity"}
)

# As much of a hash, or of an id, as is compared by eye.
_SHORT = 12


@dataclass(frozen=True)
class Context:
    """The document being laid out and its speaker."""

    document: Mapping[str, Any]
    speaker: Speaker

    @property
    def language(self) -> str:
        return self.speaker.language.value

    def figure(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document["figures"][name]
        return found

    def rows(self, name: str) -> list[Mapping[str, Any]]:
        return list(self.figure(name)["rows"])

    def rich(self, message: str, /, **values: Any) -> Spans:
        """A sentence of ours, with what stands out in it."""
        return self.speaker.rich(message, **values)

    def policy(self, text: str | None, style: str = "") -> Spans:
        """A text of the policy or of a declaration."""
        return said(self.speaker.policy(text), self.language, style)

    def reason(self, text: str | None) -> Spans:
        """A reason as the engine gave it."""
        return said(self.speaker.reason(text), self.language)

    def head(self, column: str, *, number: bool = False) -> Head:
        return Head(self.word("column", column), number)

    def word(self, kind: str, code: str | None) -> str:
        """What a code is called; the code itself, readable, where it is nobody's word but the policy's."""
        if code is None:
            return ""
        if kind in _OF_POLICY or code not in WORDS[kind]:
            return code if kind == "rule" else code.replace("_", " ")
        return self.speaker.word(kind, code)

    def code(self, kind: str, code: str | None, *, header: bool = False) -> Cell:
        """A code's word, as a chip where its kind is told apart at a glance."""
        if code is None:
            return Cell(plain("–"), tone="zero", header=header)
        chip = _CHIPS.get(code, "plain") if kind in _CHIP_KINDS else ""
        return Cell(plain(self.word(kind, code)), chip=chip, header=header)

    def count(self, value: int | None, tone: str = "", *, bold: bool = False) -> Cell:
        return count(value, self.speaker.number(value), tone, bold=bold)

    def table(self, name: str, *, rows: int = 1) -> Cell:
        """A relation's name, as the head of its row or rows."""
        return Cell(plain(name, "code"), header=True, rows=rows)

    def moment(self, value: str | None) -> Spans:
        return plain(self.speaker.stamp(value))

    def cell(self, column: Mapping[str, str], value: Any) -> Cell:
        """A value as its column's type says. Raises KeyError for a type that is none."""
        kind = column["type"]
        if kind == "count":
            return self.count(value)
        if value is None or value == "":
            return Cell(plain("–"), tone="zero")
        if kind == "code":
            return self.code(column["words"], value)
        return Cell(self._spans(kind, column["name"], value))

    def _spans(self, kind: str, name: str, value: Any) -> Spans:
        if kind == "text":
            return self.reason(value) if name in ("reason", "detail") else plain(value)
        if kind == "flag":
            return plain(self.speaker.say("yes") if value else self.speaker.say("no"))
        write: Mapping[str, Callable[[Any], str]] = {
            "day": self.speaker.day,
            "month": self.speaker.month,
            "moment": self.speaker.stamp,
            "table": str,
            "id": str,
            "hash": short,
        }
        return plain(write[kind](value), "code" if kind in ("table", "id", "hash") else "")

    def empty(self, message: str, *figures: str) -> Empty:
        return Empty(message, figures)


def short(value: str | None) -> str:
    """The first part of a hash or token that a reader compares by eye."""
    return "" if value is None else value[:_SHORT]
