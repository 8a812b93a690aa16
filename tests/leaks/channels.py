"""The channels that are read: files, databases, what was printed.

Belongs here: walking through one channel and saying where in it something was found. Does not belong
here: what is looked for (`patterns`), what may be there (`allowed`), and what can only be seen while it
happens (`sampling`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.leaks import allowed
from tests.leaks.patterns import Hit, Kind, Patterns

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Leak:
    """Something found where nothing may be. Holds neither the value nor what stood around it."""

    channel: str
    place: str
    hit: Hit

    def __str__(self) -> str:
        place = " ".join(self.place.split())[:120]
        return f"{self.channel}: {self.hit.kind}: {self.hit.what}: {place}"


@dataclass(frozen=True)
class Scanner:
    """Reads channels and reports leaks. `database_passwords` are the names of secrets that dbt needs."""

    patterns: Patterns
    database_passwords: frozenset[str] = frozenset()

    def look_at(
        self,
        channel: str,
        place: str,
        data: bytes,
        exceptions: tuple[allowed.Allowed, ...] = (),
    ) -> set[Leak]:
        """What is in `data` and may not be there."""
        return {
            Leak(channel, place, hit)
            for hit in self.patterns.find(data)
            if not allowed.is_allowed(exceptions, place, hit.kind)
        }

    def output(self, command: Iterable[str], *streams: str) -> set[Leak]:
        """What a command printed. Whoever calls it may see what `allowed.OUTPUT` says."""
        words = " ".join([*command, ""])
        found: set[Leak] = set()
        for stream in streams:
            found |= self.look_at("output", words, stream.encode(), allowed.OUTPUT)
        return found

    def files(self, folder: Path) -> set[Leak]:
        """Every file below `folder`, and its name."""
        found: set[Leak] = set()
        for path in sorted(folder.rglob("*")):
            place = path.relative_to(folder.parent).as_posix()
            found |= self.look_at("file name", place, place.encode())
            if path.is_file():
                found |= self.look_at("file", place, path.read_bytes(), allowed.FILES)
        return found

    def database(self, conn: Connection, schemas: Iterable[str] | None = None) -> set[Leak]:
        """Every column of every table and view of `schemas`, or of all that are somebody's own."""
        found: set[Leak] = set()
        for schema, relation, column, is_binary in _columns(conn, schemas):
            place = f"{schema}.{relation}.{column}"
            for data in _values(conn, schema, relation, column, is_binary=is_binary):
                found |= self.look_at("database", place, data, allowed.COLUMNS)
        return found


def _columns(conn: Connection, schemas: Iterable[str] | None) -> list[tuple[str, str, str, bool]]:
    return conn.execute(
        "select namespaces.nspname, relations.relname, attributes.attname,"
        " attributes.atttypid = 'bytea'::regtype"
        " from pg_catalog.pg_class as relations"
        " join pg_catalog.pg_namespace as namespaces on namespaces.oid = relations.relnamespace"
        " join pg_catalog.pg_attribute as attributes on attributes.attrelid = relations.oid"
        " where relations.relkind in ('r', 'p', 'v', 'm') and attributes.attnum > 0"
        " and not attributes.attisdropped and case when %(named)s::text[] is null"
        " then namespaces.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')"
        " else namespaces.nspname = any(%(named)s) end order by 1, 2, attributes.attnum",
        {"named": None if schemas is None else list(schemas)},
    ).fetchall()


def _values(
    conn: Connection, schema: str, relation: str, column: str, *, is_binary: bool
) -> Iterator[bytes]:
    """The values of a column: each by itself where they are bytes, which may be compressed, else all as
    one text."""
    name, source = sql.Identifier(column), sql.Identifier(schema, relation)
    if is_binary:
        statement = sql.SQL("select {0} from {1} where {0} is not null").format(name, source)
        yield from (bytes(value) for (value,) in conn.execute(statement))
        return
    statement = sql.SQL("select string_agg({0}::text, E'\\n') from {1}").format(name, source)
    for (value,) in conn.execute(statement):
        yield (value or "").encode()


def kinds(leaks: Iterable[Leak]) -> set[Kind]:
    """The kinds among `leaks`."""
    return {leak.hit.kind for leak in leaks}
