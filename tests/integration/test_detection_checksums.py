"""The checksums in SQL say what python-stdnum says, of valid numbers and of such with one digit off.

Belongs here: identifiers one by one. Does not belong here: what a column of them is (test_detection.py).
"""

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum import iban, luhn
from stdnum.no import fodselsnummer, kontonr

Connection = psycopg.Connection[Any]

_K1 = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_K2 = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
digits = st.text("0123456789", min_size=11, max_size=11)
examples = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _ask(conn: Connection, function: str, values: Sequence[str]) -> list[Any]:
    rows = conn.execute(
        f"select sletteplikt.{function}(value) from unnest(%s::text[]) with ordinality as asked (value, n)"
        " order by n",
        (list(values),),
    ).fetchall()
    return [row[0] for row in rows]


def _with_controls(nine: str, rest: int = 0) -> str | None:
    """The nine digits with their control digits, by the rest that the first may leave; None where such a
    number is not given out."""
    weighed = sum(w * int(d) for w, d in zip(_K1, nine, strict=True))
    first = (rest - weighed) % 11
    if first == 10:
        return None
    ten = f"{nine}{first}"
    second = -sum(w * int(d) for w, d in zip(_K2, ten, strict=True)) % 11
    return None if second == 10 else f"{ten}{second}"


def _birth(random: Random, *, day: int = 0, month: int = 0) -> str:
    """A day that is in every month, of a year that has one meaning, with a series of that time."""
    return (
        f"{random.randint(1, 28) + day:02}{random.randint(1, 12) + month:02}"
        f"{random.randint(55, 99):02}{random.randint(0, 499):03}"
    )


def _numbers(seed: int, make: Callable[[Random], str | None], count: int = 300) -> list[str]:
    random = Random(seed)
    made: list[str] = []
    while len(made) < count:
        if number := make(random):
            made.append(number)
    return made


def _one_off(number: str, random: Random) -> str:
    place = random.randrange(len(number))
    other = str((int(number[place]) + random.randint(1, 9)) % 10)
    return number[:place] + other + number[place + 1 :]


@pytest.mark.parametrize(
    ("day", "month", "kind"),
    [
        (0, 0, "fodselsnummer"),
        (40, 0, "d_number"),
        (0, 80, "synthetic_tenor"),
        (40, 80, "synthetic_tenor"),
        (0, 40, "synthetic_nav_or_h_number"),
    ],
)
def test_national_ids_are_told_apart_by_what_was_added_to_day_and_month(
    conn: Connection, day: int, month: int, kind: str
) -> None:
    numbers = _numbers(
        day + month, lambda random: _with_controls(_birth(random, day=day, month=month))
    )
    assert set(_ask(conn, "national_id", numbers)) == {kind}
    # What the oracle knows of: it has no word for Tenor's numbers.
    if month < 80:
        assert all(fodselsnummer.is_valid(number) for number in numbers)


def test_every_digit_of_a_national_id_is_guarded(conn: Connection) -> None:
    random = Random(11)
    numbers = _numbers(12, lambda random: _with_controls(_birth(random)))
    wrong = [_one_off(number, random) for number in numbers]
    # The regime of 2032 lets three more rests through for the first control digit, never for the second.
    assert _ask(conn, "national_id", wrong) == [None] * len(wrong)
    assert not any(fodselsnummer.is_valid(number) for number in wrong)


@pytest.mark.parametrize("rest", [0, 1, 2, 3])
def test_from_2032_on_four_rests_are_valid(conn: Connection, rest: int) -> None:
    numbers = _numbers(rest, lambda random: _with_controls(_birth(random), rest))
    assert set(_ask(conn, "national_id", numbers)) == {"fodselsnummer"}


@pytest.mark.parametrize("rest", [4, 5, 6, 7, 8, 9, 10])
def test_no_other_rest_is(conn: Connection, rest: int) -> None:
    numbers = _numbers(rest, lambda random: _with_controls(_birth(random), rest))
    assert set(_ask(conn, "national_id", numbers)) == {None}


@pytest.mark.parametrize(
    "born", ["310298", "310498", "300298", "290299", "001298", "320198", "011398"]
)
def test_a_day_that_never_was_is_no_birth(conn: Connection, born: str) -> None:
    numbers = [n for series in range(100) if (n := _with_controls(f"{born}{series:03}"))]
    assert set(_ask(conn, "national_id", numbers)) == {None}


def test_an_fh_number_has_no_date(conn: Connection) -> None:
    numbers = _numbers(8, lambda r: _with_controls(f"{r.randint(800_000_000, 999_999_999)}"))
    assert set(_ask(conn, "national_id", numbers)) == {"fh_number"}


@examples
@given(number=digits)
def test_whatever_the_oracle_calls_a_national_id_is_one(conn: Connection, number: str) -> None:
    nine = number[:9]
    candidates = [number, *filter(None, [_with_controls(nine)])]
    said = _ask(conn, "national_id", candidates)
    for candidate, kind in zip(candidates, said, strict=True):
        if fodselsnummer.is_valid(candidate):
            assert kind in ("fodselsnummer", "d_number", "synthetic_nav_or_h_number")


@examples
@given(number=digits)
def test_bank_accounts_are_those_of_the_oracle(conn: Connection, number: str) -> None:
    right = (
        number[:10] + str(-sum(w * int(d) for w, d in zip(_K2, number[:10], strict=True)) % 11)[-1]
    )
    candidates = [number, right]
    assert _ask(conn, "is_bank_account", candidates) == [kontonr.is_valid(n) for n in candidates]


@examples
@given(number=st.text("0123456789", min_size=1, max_size=19))
def test_luhn_is_that_of_the_oracle(conn: Connection, number: str) -> None:
    candidates = [number, number + luhn.calc_check_digit(number)]
    assert _ask(conn, "luhn", candidates) == [luhn.is_valid(n) for n in candidates]


def test_cards_are_told_by_issuer_length_and_luhn(conn: Connection) -> None:
    # The issuers' own test numbers.
    cards = [
        "4242424242424242", "4012888888881881", "4222222222222", "5555555555554444",
        "5105105105105100", "2223003122003222", "378282246310005", "371449635398431",
        "30569309025904", "38520000023237", "6011111111111117", "3530111333300000",
        "6200000000000005", "6759649826438453",
    ]  # fmt: skip
    assert _ask(conn, "is_card", cards) == [True] * len(cards)
    random = Random(4)
    assert not any(_ask(conn, "is_card", [_one_off(card, random)[:19] for card in cards]))
    # Luhn's sum alone makes no card: no issuer, or not that issuer's length.
    others = [
        "1234567812345670",
        "9999999999999995",
        "42424242424242424242",
        "55555555555544",
        "0" * 16,
    ]
    assert not any(_ask(conn, "is_card", others))


def test_ibans_are_those_of_the_oracle(conn: Connection) -> None:
    random = Random(97)
    right: list[str] = []
    for country in ("NO", "SE", "DK", "DE", "FI", "GB", "NL", "FR", "MT", "LC"):
        length = _ask(conn, "iban_length", [country])[0]
        for _ in range(30):
            body = "".join(random.choice("0123456789") for _ in range(length - 4))
            if country in ("GB", "NL", "MT", "LC"):
                body = (
                    "".join(random.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(4))
                    + body[4:]
                )
            right.append(country + iban.calc_check_digits(country + "00" + body) + body)
    assert _ask(conn, "is_iban", right) == [True] * len(right)
    wrong = [n[:2] + _one_off(n[2:4], random) + n[4:] for n in right]
    assert not any(_ask(conn, "is_iban", wrong))
    # The oracle also checks the countries' own account numbers; what it accepts, we do.
    known = [
        "NO9386011117947",
        "GB82WEST12345698765432",
        "DE89370400440532013000",
        "NL91ABNA0417164300",
    ]
    assert all(map(iban.is_valid, known))
    assert _ask(conn, "is_iban", known) == [True] * 4
    assert not any(
        _ask(conn, "is_iban", ["NO93860111179470", "XX93860111179478", "no9386011117947", ""])
    )


def test_every_length_is_the_registers(conn: Connection) -> None:
    registered = {prefix: info for prefix in _countries() if (info := _length(prefix))}
    assert len(registered) > 70
    ours = dict(zip(registered, _ask(conn, "iban_length", list(registered)), strict=True))
    assert ours == registered


@examples
@given(
    value=st.text(
        st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), max_size=60
    )
)
def test_no_text_makes_any_of_them_fail(conn: Connection, value: str) -> None:
    for function in (
        "national_id",
        "is_bank_account",
        "luhn",
        "is_card",
        "is_iban",
        "value_mark",
        "as_json",
    ):
        _ask(conn, function, [value])


def _countries() -> list[str]:
    return [f"{a}{b}" for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]


def _length(country: str) -> int | None:
    """What the oracle's copy of the register says."""
    found = iban._ibandb.info(country)[0][1]
    structure = found.get("bban")
    if not structure:
        return None
    return 4 + sum(int(number) for number in re.findall(r"(\d+)!?[nace]", structure))
