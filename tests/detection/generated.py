"""Labelled tables made for the kinds of which the files and the sample hold little, and for look-alikes.

Belongs here: made-up values that belong to nobody, seeded, and the label of each column. Does not
belong here: the labelled set itself; what is measured on these tables is published by itself.

The columns' names say nothing (`a01`, `b01`): only values speak. Identity numbers are synthetic (month
raised by 40 or 80) or of persons who are born in the 2030s.
"""

import base64
import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import psycopg
from psycopg import sql

from landing.sample import names
from tests.detection.check_digits import ean_13, kid, luhn, mod_11, national_id, with_iban_check
from tests.detection.labels import Label

SCHEMA = "made_up"
ROWS = 400
SEED = 20_230_112

_ASCII = str.maketrans({"æ": "ae", "ø": "o", "å": "a"})
SAID = ("Ringte, ikke svar", "Vil ha tilbud", "Sendt på nytt", "Kunne ikke leveres i dag")
PRODUCTS = ("Basic Plan", "Annual Plan", "Legal Help", "Gold Card")

Maker = Callable[[Random], object]


@dataclass(frozen=True)
class Made:
    """A column: what it holds, how a value is made, and its type in the database."""

    what: str
    kind: str
    make: Maker
    type: str = "text"

    @property
    def class_(self) -> str:
        if self.kind in {"name", "address"}:
            return "name_or_address"
        if self.kind in {"free_text", "none"}:
            return "" if self.kind == "none" else "other"
        return "identifier"


def _digits(random: Random, length: int) -> str:
    return f"{random.randint(1, 9)}" + "".join(str(random.randint(0, 9)) for _ in range(length - 1))


def _day(random: Random) -> datetime:
    return datetime(2015, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randint(0, 300_000_000))


def _name(random: Random) -> str:
    return f"{random.choice(names.WOMEN + names.MEN)} {random.choice(names.LAST)}"


def _email(random: Random) -> str:
    local = random.choice(names.LAST).lower().translate(_ASCII)
    return f"{local}{random.randint(1, 999)}@example.no"


def _phone(random: Random) -> str:
    number = f"{random.choice('49')}{_digits(random, 7)}"
    spaced = f"{number[:3]} {number[3:5]} {number[5:]}"
    return random.choice((f"+47{number}", f"0047{number}", f"+47 {spaced}", spaced))


def _address(random: Random) -> str:
    code, town = random.choice(names.TOWNS)
    street = random.choice(names.STREETS).replace("_", " ")
    return f"{street} {random.randint(1, 99)}, {code} {town}"


def _account(random: Random) -> str:
    return mod_11(random, 11)


def _dotted_account(random: Random) -> str:
    number = _account(random)
    return f"{number[:4]}.{number[4:6]}.{number[6:]}"


def _iban(random: Random) -> str:
    return with_iban_check("NO", _account(random))


def _spaced_iban(random: Random) -> str:
    iban = with_iban_check("DE", _digits(random, 18))
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))


def _card(random: Random) -> str:
    return luhn(random, random.choice(("4", "51", "55")), 16)


def _spaced_card(random: Random) -> str:
    card = _card(random)
    return " ".join(card[start : start + 4] for start in range(0, 16, 4))


def _ipv4(random: Random) -> str:
    return f"{random.choice(('192.0.2', '198.51.100', '203.0.113'))}.{random.randint(1, 254)}"


def _ipv6(random: Random) -> str:
    return f"2001:db8::{random.randint(1, 65535):x}:{random.randint(1, 65535):x}"


def _now_and_then(random: Random, inside: Maker) -> str:
    said = random.choice(SAID)
    return f"{said}: {inside(random)}, ta kontakt" if random.random() < 0.2 else said


def _version(random: Random, parts: int) -> str:
    return ".".join(str(random.randint(0, 20)) for _ in range(parts))


def _url(random: Random) -> str:
    return f"https://www.example.no/artikler/{random.randint(1, 99)}"


def _key(random: Random) -> str:
    return f"ch_0I{base64.b32encode(random.randbytes(10)).decode()[:14]}"


def _colons(random: Random) -> str:
    return ":".join(f"{random.randint(0, 255):02x}" for _ in range(4))


PERSONAL = (
    Made("fødselsnummer, month + 80", "national_id", lambda r: national_id(r, month=80)),
    Made("fødselsnummer, month + 40", "national_id", lambda r: national_id(r, month=40)),
    Made("fødselsnummer, born in the 2030s", "national_id", lambda r: national_id(r)),
    Made("D-number", "national_id", lambda r: national_id(r, day=40)),
    Made("D-number, synthetic", "national_id", lambda r: national_id(r, day=40, month=80)),
    Made("fødselsnummer, spaced", "national_id", lambda r: f"{(n := national_id(r))[:6]} {n[6:]}"),
    Made("fødselsnummer as a number", "national_id", lambda r: int(national_id(r)), "bigint"),
    Made("bank account", "account_number", _account),
    Made("bank account with dots", "account_number", _dotted_account),
    Made("IBAN", "account_number", _iban),
    Made("IBAN, spaced, German", "account_number", _spaced_iban),
    Made("card number", "account_number", _card),
    Made("card number, spaced", "account_number", _spaced_card),
    Made("e-mail", "email", _email),
    Made("e-mail in one of three rows", "email", lambda r: _email(r) if r.random() < 0.3 else None),
    Made("phone in four spellings", "phone", _phone),
    Made("IPv4", "ip", _ipv4),
    Made("IPv6", "ip", _ipv6),
    Made("IPv4 and IPv6", "ip", lambda r: r.choice((_ipv4, _ipv6))(r)),
    Made("IP as inet", "ip", _ipv4, "inet"),
    Made("first and last name", "name", _name),
    Made("last name, first name", "name", lambda r: ", ".join(reversed(_name(r).split(" ", 1)))),
    Made("street, postal code and town", "address", _address),
    Made("JSON with an e-mail", "email", lambda r: json.dumps({"by": _email(r), "n": 1})),
    Made("JSONB with an e-mail", "email", lambda r: json.dumps({"a": {"b": _email(r)}}), "jsonb"),
    Made("notes, some with an e-mail", "free_text", lambda r: _now_and_then(r, _email)),
    Made("notes, some with a phone", "free_text", lambda r: _now_and_then(r, _phone)),
    Made("notes, some with a fnr", "free_text", lambda r: _now_and_then(r, national_id)),
    Made("notes, some with an account", "free_text", lambda r: _now_and_then(r, _dotted_account)),
)

HARMLESS = (
    Made("order number, 8 digits", "none", lambda r: _digits(r, 8)),
    Made("order number, 8 digits, number", "none", lambda r: int(_digits(r, 8)), "bigint"),
    Made("serial id from 40,000,000", "none", lambda r: 40_000_000 + r.randint(0, 5000), "bigint"),
    Made("id of 11 digits", "none", lambda r: _digits(r, 11)),
    Made("id of 11 digits, number", "none", lambda r: int(_digits(r, 11)), "bigint"),
    Made("id of 16 digits", "none", lambda r: _digits(r, 16)),
    Made("organisation number", "none", lambda r: mod_11(r, 9, first="89")),
    Made("EAN-13", "none", lambda r: ean_13(r)),
    Made("KID, mod 10", "none", lambda r: kid(r, 12)),
    Made("day as text, YYYYMMDD", "none", lambda r: f"{_day(r):%Y%m%d}"),
    Made("time stamp as text", "none", lambda r: f"{_day(r):%Y-%m-%d %H:%M:%S} UTC"),
    Made("epoch in milliseconds", "none", lambda r: int(_day(r).timestamp() * 1000), "bigint"),
    Made("epoch in seconds as text", "none", lambda r: str(int(_day(r).timestamp()))),
    Made("uuid", "none", lambda r: str(uuid.UUID(int=r.getrandbits(128)))),
    Made("sha-256", "none", lambda r: hashlib.sha256(r.randbytes(8)).hexdigest()),
    Made("base64 of a hash", "none", lambda r: base64.b64encode(r.randbytes(16)).decode()),
    Made("payment system's key", "none", _key),
    Made("amount", "none", lambda r: round(r.uniform(10, 90_000), 2), "numeric"),
    Made("amount as text", "none", lambda r: f"{r.randint(100, 99999)},{r.randint(0, 99):02d}"),
    Made("version of four parts", "none", lambda r: _version(r, 4)),
    Made("version of three parts", "none", lambda r: _version(r, 3)),
    Made("latitude, a place's", "none", lambda r: f"{r.uniform(58, 71):.6f}"),
    Made("state", "none", lambda r: r.choice(("active", "closed", "pending"))),
    Made("product", "none", lambda r: r.choice(PRODUCTS)),
    Made(
        "colour and size", "none", lambda r: r.choice(("Dark Blue, L", "Red, M", "Light Grey, S"))
    ),
    Made("URL without a person", "none", _url),
    Made(
        "JSON of settings",
        "none",
        lambda r: json.dumps({"retries": r.randint(0, 5), "mode": "fast"}),
    ),
    Made("sentence without a person", "none", lambda r: r.choice(SAID)),
    Made("two letters and nine digits", "none", lambda r: f"RX{_digits(r, 9)}NO"),
    Made("time zone", "none", lambda r: r.choice(("Europe/Oslo", "America/New_York"))),
    Made("MAC-like key", "none", _colons),
)


def labels() -> tuple[Label, ...]:
    """The label of every generated column; `source` says what it holds in words."""
    return tuple(
        Label(made.what, SCHEMA, table, column, made.kind, "natural", made.class_, "generated")
        for table, columns in _tables().items()
        for column, made in columns.items()
    )


def land(conn: psycopg.Connection[Any]) -> None:
    """Make and fill the tables; the caller commits."""
    random = Random(SEED)
    conn.execute(sql.SQL("create schema {}").format(sql.Identifier(SCHEMA)))
    for table, columns in _tables().items():
        typed = [
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(made.type))  # type: ignore[arg-type]
            for column, made in columns.items()
        ]
        target = sql.Identifier(SCHEMA, table)
        conn.execute(sql.SQL("create table {} ({})").format(target, sql.SQL(", ").join(typed)))
        with conn.cursor().copy(sql.SQL("copy {} from stdin").format(target)) as copy:
            for _ in range(ROWS):
                copy.write_row([made.make(random) for made in columns.values()])


def _tables() -> dict[str, dict[str, Made]]:
    return {
        "personal": {f"a{number:02d}": made for number, made in enumerate(PERSONAL, 1)},
        "harmless": {f"b{number:02d}": made for number, made in enumerate(HARMLESS, 1)},
    }
