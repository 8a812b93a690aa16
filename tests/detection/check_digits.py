"""Numbers with right check digits, written from their definitions.

Belongs here: making such numbers for tests. Does not belong here: recognising them; the scan does
that with code of its own.
"""

from random import Random

_FIRST = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_SECOND = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def national_id(random: Random, *, day: int = 0, month: int = 0) -> str:
    """A number with a fødselsnummer's two check digits; `day` and `month` are added to the date's.

    Born in the 2030s (individual number from 500), so that nobody has it without a raised month.
    """
    while True:
        born = f"{random.randint(1, 28) + day:02d}{random.randint(1, 12) + month:02d}"
        body = f"{born}{random.randint(30, 39)}{random.randint(500, 999)}"
        first = _weighted(body, _FIRST)
        if first < 10 and (second := _weighted(f"{body}{first}", _SECOND)) < 10:
            return f"{body}{first}{second}"


def mod_11(random: Random, length: int, *, first: str = "123456789") -> str:
    """A bank account (11 digits) or organisation number (9): weights 2 to 7 from the right, mod 11."""
    while True:
        body = random.choice(first) + "".join(str(random.randint(0, 9)) for _ in range(length - 2))
        weights = [2 + place % 6 for place in range(len(body))][::-1]
        check = _weighted(body, tuple(weights))
        if check < 10:
            return f"{body}{check}"


def luhn(random: Random, prefix: str, length: int) -> str:
    """A number of `length` digits with the check digit that cards bear."""
    body = prefix + "".join(str(random.randint(0, 9)) for _ in range(length - len(prefix) - 1))
    return f"{body}{_luhn_check(body)}"


def kid(random: Random, length: int) -> str:
    """A payment reference (KID): the same check digit as a card's, and no card."""
    return luhn(random, str(random.randint(1, 9)), length)


def with_iban_check(country: str, account: str) -> str:
    """The IBAN of an account."""
    letters = "".join(str(ord(letter) - 55) for letter in country)
    return f"{country}{98 - int(f'{account}{letters}00') % 97:02d}{account}"


def ean_13(random: Random) -> str:
    """The number on Norwegian goods, with its check digit."""
    body = f"70{random.randint(10**9, 10**10 - 1)}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


def _weighted(body: str, weights: tuple[int, ...]) -> int:
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return -total % 11


def _luhn_check(body: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10
