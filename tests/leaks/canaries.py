"""Planting a canary in every column of the landing tables that can hold one.

Belongs here: what is written into which column, such that rows still belong together and every find
names the column it came from. Does not belong here: finding them again (`patterns`, `channels`).

A marker is new in every run, so that nothing else holds it by accident. Of the columns that link rows,
the same value becomes the same canary everywhere; such a canary is named after all of them. Left as they
are: the words that the classification reads (a state, a channel), truth values, and the null of a column
that decides something by being null.
"""

import re
import secrets
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from retention.declarations import Declarations, TableDeclaration
from tests.leaks.patterns import Kind, Needle, word_forms

Connection = psycopg.Connection[Any]

_EMAIL, _PHONE, _KEY_TEXT, _KEY_NUMBER = 9001, 9002, 9003, 9004
_SHARED = {
    _EMAIL: "an e-mail address that links rows",
    _PHONE: "a telephone number that links rows",
    _KEY_TEXT: "a key of letters",
    _KEY_NUMBER: "a key that is a number",
}
_INTEGERS = ("bigint", "integer")
_NUMBERS = ("numeric", "double precision")


def _word() -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(12))


def _number(digits: int) -> str:
    return str(secrets.choice(range(10 ** (digits - 1) + 1, 10**digits)))


def _microseconds() -> str:
    # A zero at the end would not be written.
    return f"{_number(5)}{secrets.choice(range(1, 10))}"


@dataclass
class Canaries:
    """The markers of one run, and the column behind each number."""

    word: str = field(default_factory=_word)
    key_word: str = field(default_factory=_word)
    number: str = field(default_factory=lambda: _number(7))
    key_number: str = field(default_factory=lambda: _number(7))
    moment: str = field(default_factory=_microseconds)
    columns: dict[int, str] = field(default_factory=dict)

    def text_of(self, column: str, row: int = 1) -> str:
        """The canary of a column that is planted by hand."""
        return f"{self.word}{self._numbered(column):04}x{row}"

    def needles(self, today: str) -> Iterator[Needle]:
        """What to look for. A moment of `today` (ISO) may be an accident: there are so many of them."""
        named = {**self.columns, **_SHARED}
        word = re.compile(self.word.encode() + rb"(?P<column>\d{4})")
        yield Needle((self.word.encode(),), Kind.VALUE, "a canary", word, named)
        # Encoded, the number behind the word cannot be read.
        yield Needle(word_forms(self.word)[1:], Kind.VALUE, "an encoded canary")
        yield Needle(word_forms(self.key_word), Kind.KEY, _SHARED[_KEY_TEXT])
        for number, kind, what in (
            (self.number, Kind.VALUE, "a number"),
            (self.key_number, Kind.KEY, _SHARED[_KEY_NUMBER]),
        ):
            digits = re.compile(
                rb"(?<![0-9a-f])" + number.encode() + rb"(?P<column>\d{4})\d{4}(?![0-9a-f])"
            )
            yield Needle(
                (number.encode(),), kind, what, digits, named if kind is Kind.VALUE else {}
            )
        moment = re.compile(
            rb"(?!" + today.encode() + rb")\d{4}-\d\d-\d\d.\d\d:\d\d:\d\d\." + self.moment.encode()
        )
        yield Needle((b"." + self.moment.encode(),), Kind.MOMENT, "a moment", moment)

    def plant(self, conn: Connection, declarations: Declarations) -> None:
        """Plant into every governed table that has landed, and commit."""
        for table in declarations.staged:
            columns = _landed(conn, table)
            values = {
                name: value
                for name, kind in columns.items()
                if (value := self._value(table, name, kind)) is not None
            }
            if values:
                _update(conn, table, values)
        conn.commit()

    def planted(self, conn: Connection, declarations: Declarations) -> dict[str, int]:
        """How many values of each column are canaries now, by `schema.table.column`."""
        return {
            f"{table.qualified}.{name}": _count(conn, table, name, self)
            for table in declarations.governed
            for name in _landed(conn, table)
        }

    def _value(self, table: TableDeclaration, name: str, kind: str) -> sql.Composable | None:
        """The expression that makes the canary of a column from its row, numbered `row_no`."""
        column = sql.Identifier(name)
        if kind == "timestamp with time zone":
            microseconds = sql.Literal(int(self.moment))
            return sql.SQL("date_trunc('second', {}) + {} * interval '1 microsecond'").format(
                column, microseconds
            )
        if name in _contacts(table, "email"):
            return self._contact(column, "email")
        if name in _contacts(table, "phone"):
            return self._contact(column, "phone")
        if name in _links(table):
            return self._key(column, kind)
        if table.exempt or (name in table.columns_used and name not in table.stores):
            return None
        made = self._made(f"{table.qualified}.{name}", kind)
        if made is not None and name in table.stores:
            return sql.SQL("case when {} is not null then {} end").format(column, made)
        return made

    def _made(self, column: str, kind: str) -> sql.Composable | None:
        number = self._numbered(column)
        text = sql.SQL("({} || row_no)").format(sql.Literal(f"{self.word}{number:04}x"))
        if kind == "text":
            return text
        if kind in ("json", "jsonb"):
            return sql.SQL("jsonb_build_object('said', {})").format(text)
        if kind == "text[]":
            return sql.SQL("array[{}, 'x']").format(text)
        if kind == "bytea":
            return sql.SQL("convert_to({}, 'UTF8')").format(text)
        if kind in (*_INTEGERS, *_NUMBERS):
            return sql.SQL("{} + row_no").format(
                sql.Literal(int(f"{self.number}{number:04}") * 10_000)
            )
        return None

    def _contact(self, column: sql.Identifier, kind: str) -> sql.Composable:
        """The same address, however it was written, becomes the same one."""
        value = sql.SQL("sletteplikt.normalised({}, {}::text)").format(sql.Literal(kind), column)
        if kind == "email":
            made = sql.SQL("{} || left(md5({}), 12) || '@leak.example'").format(
                sql.Literal(f"{self.word}{_EMAIL}x"), value
            )
        else:
            # Two different numbers seldom become one; then two persons share it, as they do in life.
            made = sql.SQL("{} || lpad((abs(hashtext({})) % 10000)::text, 4, '0')").format(
                sql.Literal(f"+{self.number}{_PHONE}"), value
            )
        return sql.SQL("case when {} is not null then {} end").format(value, made)

    def _key(self, column: sql.Identifier, kind: str) -> sql.Composable:
        """Keys and what points to them: a number grows by the same for all, a word gets a prefix."""
        base = sql.Literal(int(self.key_number) * 10**8)
        if kind in _INTEGERS:
            return sql.SQL("{} + {}").format(column, base)
        return sql.SQL(
            "case when {column} ~ '^[0-9]{{1,8}}$' then ({column}::bigint + {base})::text"
            " else {word} || {column} end"
        ).format(column=column, base=base, word=sql.Literal(self.key_word))

    def _numbered(self, column: str) -> int:
        for number, known in self.columns.items():
            if known == column:
                return number
        number = len(self.columns) + 1
        self.columns[number] = column
        return number


def _contacts(table: TableDeclaration, kind: str) -> set[str]:
    parts = [part for part in (table.subject, table.objection) if part]
    return {name for part in parts for name in getattr(part, kind)}


def _links(table: TableDeclaration) -> set[str]:
    """Columns that hold a key, its own or another row's."""
    named: list[str | None] = [*table.key, *table.entity]
    if table.subject:
        named += [table.subject.foreign_key, table.subject.through]
    if table.assignment:
        named.append(table.assignment.column)
    if table.lead:
        named.append(table.lead.partner)
    if table.handover:
        named.append(table.handover.partner)
    return {name for name in named if name}


def _landed(conn: Connection, table: TableDeclaration) -> dict[str, str]:
    rows = conn.execute(
        "select attname, format_type(atttypid, null) from pg_catalog.pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        (table.qualified,),
    ).fetchall()
    return dict(rows)


def _update(
    conn: Connection, table: TableDeclaration, values: Mapping[str, sql.Composable]
) -> None:
    conn.execute(
        sql.SQL(
            "update {table} set {values} from (select ctid as place, row_number() over () as row_no"
            " from {table}) as numbered where {table}.ctid = numbered.place"
        ).format(
            table=sql.Identifier(table.schema_, table.name),
            values=sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), value)
                for name, value in values.items()
            ),
        )
    )


def _count(conn: Connection, table: TableDeclaration, name: str, canaries: Canaries) -> int:
    marks = [
        canaries.word,
        canaries.word.encode().hex(),
        canaries.key_word,
        canaries.number,
        canaries.key_number,
        canaries.moment,
    ]
    row = conn.execute(
        sql.SQL("select count(*) from {} where {}::text ~ %s").format(
            sql.Identifier(table.schema_, table.name), sql.Identifier(name)
        ),
        ("|".join(marks),),
    ).fetchone()
    return row[0] if row else 0
