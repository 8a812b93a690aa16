"""Precision and recall of a scan against labels.

Belongs here: what counts as reported, found and right. Does not belong here: landing and scanning
(`measuring`), and how figures are shown (`publish`).

A column counts as reported where the scan is at least fairly sure (high or medium).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from retention.detection.model import Detected, Detection
from tests.detection.labels import Label

REPORTED = ("high", "medium")
CLASSES = ("identifier", "name_or_address", "other")


@dataclass(frozen=True)
class Judged:
    """A labelled column and what the scan said of it."""

    label: Label
    detection: Detection

    @property
    def said(self) -> tuple[Detected, ...]:
        return tuple(found for found in self.detection.found if found.confidence in REPORTED)

    @property
    def reported(self) -> bool:
        return bool(self.said)

    @property
    def exact(self) -> bool:
        """The first thing said is what the label says."""
        return self.reported and self.said[0].kind == self.label.kind

    @property
    def found(self) -> bool:
        """The label's kind is among the things said."""
        return any(found.kind == self.label.kind for found in self.said)


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        return self.part / self.whole if self.whole else 1.0

    def __str__(self) -> str:
        return f"{self.part}/{self.whole} = {self.value:.3f}" if self.whole else "none"


def precision(judged: Iterable[Judged], *, exact: bool = False) -> Share:
    """Of the columns reported as personal, those that are; `exact`: and of the kind said first."""
    reported = [one for one in judged if one.reported]
    right = [one for one in reported if (one.exact if exact else one.label.personal)]
    return Share(len(right), len(reported))


def recall(
    judged: Iterable[Judged],
    class_: str,
    *,
    form: str = "natural",
    among: Callable[[Label], bool] = lambda label: True,
) -> Share:
    """Of the columns of a class, those that were reported with their kind."""
    asked = [
        one
        for one in judged
        if one.label.class_ == class_ and one.label.form == form and among(one.label)
    ]
    return Share(sum(one.found for one in asked), len(asked))


def missed(judged: Iterable[Judged], form: str = "natural") -> list[Judged]:
    """Personal columns that were not reported with their kind, in order."""
    return [
        one for one in judged if one.label.personal and one.label.form == form and not one.found
    ]


def false_alarms(judged: Iterable[Judged]) -> list[Judged]:
    """Columns reported as personal that are not."""
    return [one for one in judged if one.reported and not one.label.personal]


def part(judged: Sequence[Judged], name: str) -> list[Judged]:
    """The columns of one part."""
    return [one for one in judged if one.label.part == name]


def name_is_new(judged: Iterable[Judged]) -> Callable[[Label], bool]:
    """Whether a column's name occurs nowhere in the part for tuning."""
    known = {one.label.column for one in judged if one.label.part == "tune"}
    return lambda label: label.column not in known
