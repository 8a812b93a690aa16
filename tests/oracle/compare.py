"""Setting the oracle's lines against `retention.records`, record by record.

Belongs here: reading the result and counting differences. A difference is told as table, field and
record keys (never a value of a person; the classification itself is no personal data).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date

import psycopg
from psycopg import sql

from tests.oracle.classify import Expected

Line = tuple[object, ...]
Key = tuple[str, str, str]

_FIELDS = tuple(field.name for field in fields(Expected))
_JUDGED = _FIELDS[3:]
_KEYS_SHOWN = 5


@dataclass(frozen=True)
class Comparison:
    """How many records were compared, and each kind of difference with the keys that show it."""

    compared: int
    differences: Mapping[tuple[str, str], tuple[str, ...]]

    def report(self) -> str:
        """Return one line for each kind of difference, the most frequent first."""
        ordered = sorted(self.differences.items(), key=lambda item: -len(item[1]))
        lines = [
            f"{table}: {len(keys)} × {what}; e.g. {', '.join(sorted(keys)[:_KEYS_SHOWN])}"
            for (table, what), keys in ordered
        ]
        return "\n".join([f"{self.compared} records compared", *lines])


def read_records(connection: psycopg.Connection, schema: str = "retention") -> dict[Key, Line]:
    """Read every classified record. Raises AssertionError for a key that comes twice."""
    query = sql.SQL("select {} from {}").format(
        sql.SQL(", ").join(map(sql.Identifier, _FIELDS)), sql.Identifier(schema, "records")
    )
    records: dict[Key, Line] = {}
    for line in connection.execute(query):
        key = (line[0], line[1], line[2])
        assert key not in records, f"{line[0]}.{line[1]}: a record stands twice in records"
        records[key] = tuple(line[3:])
    return records


def compare(expected: Iterable[Expected], records: Mapping[Key, Line]) -> Comparison:
    """Compare every expected line with what was classified, both ways."""
    differences: dict[tuple[str, str], list[str]] = defaultdict(list)
    seen: set[Key] = set()
    for line in expected:
        key = (line.source_schema, line.source_table, line.record_key)
        assert key not in seen, f"{line.source_schema}.{line.source_table}: a key stands twice"
        seen.add(key)
        wanted = tuple(getattr(line, name) for name in _JUDGED)
        got = records.get(key)
        table = f"{line.source_schema}.{line.source_table}"
        if got is None:
            differences[table, "missing from records"].append(line.record_key)
        elif got != wanted:
            differences[table, _what_differs(wanted, got)].append(line.record_key)
    for schema, name, record_key in records.keys() - seen:
        differences[f"{schema}.{name}", "unknown to the oracle"].append(record_key)
    return Comparison(len(seen), {what: tuple(keys) for what, keys in differences.items()})


def _what_differs(wanted: Line, got: Line) -> str:
    """Tell the fields that differ; days only by their distance, so that cases group together."""
    parts = [
        f"{name} {_told(old, new)}"
        for name, old, new in zip(_JUDGED, wanted, got, strict=True)
        if old != new
    ]
    return "expected → got: " + ", ".join(parts)


def _told(old: object, new: object) -> str:
    if isinstance(old, date) and isinstance(new, date):
        return "later" if new > old else "earlier"
    return (
        f"{'a day' if isinstance(old, date) else old} → {'a day' if isinstance(new, date) else new}"
    )
