"""Recognising a canary or a secret in bytes, whatever they were written as.

Belongs here: the forms in which a marker may appear, and one pass over bytes for all of them. Does not
belong here: where the bytes come from (`channels`).
"""

import base64
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What was found. A key names a record and is no value of it; a moment is a time of day to the
    microsecond, which no report needs."""

    VALUE = "value"
    KEY = "key"
    MOMENT = "moment"
    SECRET = "secret"


@dataclass(frozen=True)
class Hit:
    """One find: its kind and what it is (a column, a secret's name), never where."""

    kind: Kind
    what: str


@dataclass(frozen=True)
class Needle:
    """Something to look for: any of `literals`, whatever their case. `pattern` then says whether it is
    one indeed, and its group `column`, if it has one, is a number of `columns`."""

    literals: tuple[bytes, ...]
    kind: Kind
    what: str
    pattern: "re.Pattern[bytes] | None" = None
    columns: Mapping[int, str] = field(default_factory=dict)

    def find(self, lowered: bytes) -> Iterator[Hit]:
        """Every hit in `lowered`, which is in lower case."""
        if not any(literal.lower() in lowered for literal in self.literals):
            return
        if self.pattern is None:
            yield Hit(self.kind, self.what)
            return
        for found in self.pattern.finditer(lowered):
            number = found.groupdict().get("column")
            yield Hit(self.kind, self.columns.get(int(number or -1), self.what))


class Patterns:
    """All needles of one run."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self._needles = list(needles)

    def find(self, data: bytes) -> set[Hit]:
        """Every find in `data`, also in what `data` holds compressed."""
        lowered = [view.lower() for view in _views(data)]
        return {hit for view in lowered for needle in self._needles for hit in needle.find(view)}


def _views(data: bytes) -> Iterator[bytes]:
    yield data
    # Dagster keeps its snapshots compressed.
    for unpack, errors in (
        (zlib.decompress, (zlib.error,)),
        (gzip.decompress, (OSError, EOFError)),
    ):
        try:
            unpacked = unpack(data)
        except errors:
            continue
        yield unpacked


def word_forms(word: str) -> tuple[bytes, ...]:
    """A word of letters and digits, however it is encoded: as it is (an escape changes nothing in it),
    as hexadecimal, as base64."""
    raw = word.encode()
    return (raw, raw.hex().encode(), *_inside_base64(raw))


def secret_forms(secret: bytes) -> tuple[bytes, ...]:
    """Bytes that may be text or a key: raw, hexadecimal, base64 in both alphabets."""
    inside = _inside_base64(secret)
    return (
        secret,
        secret.hex().encode(),
        *inside,
        *(form.translate(bytes.maketrans(b"+/", b"-_")) for form in inside),
    )


def _inside_base64(raw: bytes) -> list[bytes]:
    """What of `raw` is the same in the base64 of any text that holds it: all but its ends."""
    forms = []
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw)
        start = (offset * 8 + 5) // 6
        end = (offset + len(raw)) * 8 // 6
        forms.append(encoded[start:end])
    return forms
