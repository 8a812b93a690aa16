"""Reads one CSV file strictly: every record, what is null and what is an empty text, and its line.

Belongs here: the file format (encoding, line ends, quotes). Does not belong here: what a column is
called (`names`) or what its values mean (`column_types`).

Python's `csv` module takes stray quotes and ragged rows without a word and cannot tell an empty
field from a quoted empty text; COPY's own CSV format refuses a file that mixes line ends.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

# One field and what ends it: quoted (group 1) or plain (group 2), then a comma or the record's end.
_FIELD = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\Z)')
_FIRST_LINE_END = re.compile(rb"\r\n|\n|\r")

Fields = list[str | None]


class BrokenFile(Exception):
    """The file is no CSV that can be read without guessing. Holds a line number, never a value."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason = reason
        self.line = line


def read_records(path: Path) -> Iterator[tuple[int, Fields]]:
    """Yield (line the record starts on, its fields) from the header record on.

    An empty field is None, a quoted empty field is ''. Lines are physical lines, counted from 1.
    A blank line is yielded as the one field [None]; whether it is a row is the caller's to say.
    Raises BrokenFile for stray or unclosed quotes, NUL characters and bytes that are no text.
    """
    encoding, line_end = _encoding(path), "\n"
    if encoding == "utf-8-sig":
        line_end = _line_end(path)
    with path.open(encoding=encoding, newline=line_end) as lines:
        try:
            yield from _split(lines, line_end)
        except UnicodeDecodeError:
            line = _line_not_utf8(path) if encoding == "utf-8-sig" else None
            raise BrokenFile("holds bytes that are no text; export it as UTF-8", line) from None


def _split(lines: Iterator[str], line_end: str) -> Iterator[tuple[int, Fields]]:
    held: list[str] = []
    started, quotes = 1, 0
    for number, line in enumerate(lines, 1):
        if "\x00" in line:
            raise BrokenFile("holds a NUL character, which no text value may", number)
        if not held:
            started = number
            if '"' not in line:
                yield number, _plain(line, line_end, number)
                continue
        # A record is complete when its quotes are even; until then a line end is part of a value.
        held.append(line)
        quotes += line.count('"')
        if quotes % 2 == 0:
            yield started, _quoted(_without_end("".join(held), line_end), started)
            held, quotes = [], 0
    if held:
        raise BrokenFile("a quote opened here is never closed", started)


def _plain(line: str, line_end: str, number: int) -> Fields:
    text = _without_end(line, line_end)
    if "\r" in text or "\n" in text:
        raise BrokenFile("holds a line break of another kind outside quotes", number)
    return [field or None for field in text.split(",")]


def _quoted(text: str, number: int) -> Fields:
    fields: Fields = []
    position = 0
    while True:
        found = _FIELD.match(text, position)
        if found is None:
            raise BrokenFile("a quote stands inside a value without being doubled", number)
        quoted, plain, end = found.groups()
        fields.append((plain or None) if quoted is None else quoted.replace('""', '"'))
        if not end:
            return fields
        position = found.end()


def _without_end(text: str, line_end: str) -> str:
    text = text.removesuffix(line_end)
    return text.removesuffix("\r") if line_end == "\n" else text


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _line_end(path: Path) -> str:
    """The character that ends lines here: old Macintosh files use a lone carriage return."""
    with path.open("rb") as file:
        while chunk := file.read(1 << 16):
            if chunk.endswith(b"\r"):
                chunk += file.read(1)
            if found := _FIRST_LINE_END.search(chunk):
                return "\r" if found.group() == b"\r" else "\n"
    return "\n"


def _line_not_utf8(path: Path) -> int | None:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return None
