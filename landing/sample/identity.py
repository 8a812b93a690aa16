"""Who a made-up person is: name, contact points, identity number, address.

Belongs here: values that look right and can belong to nobody. Does not belong here: when the person
came or what happened to them.

Identity numbers are synthetic: the month is raised by 80, as in Skatteetaten's test population,
and both check digits are right. Phone numbers begin with 1, where the Norwegian plan has short
codes and no eight-digit subscriber; account numbers carry a wrong check digit; addresses on the
net are from the ranges and domains reserved for documentation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from landing.sample import names

_WEIGHTS_1 = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_WEIGHTS_2 = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_ACCOUNT_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_PHONE_STARTS = ("14", "15", "16", "17", "19")
_ASCII = str.maketrans({"æ": "ae", "ø": "o", "å": "a", "é": "e"})
_DOMAINS = ("example.no", "example.no", "example.no", "example.com", "example.org")
#: As many persons as phone numbers of this kind tell apart.
MOST_PEOPLE = 5_000_000

Random = Callable[[], float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Identity:
    """One person's own values, each in its plain form; systems spell them in their own way."""

    first_name: str
    last_name: str
    email: str
    phone: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


def make_identity(person_id: int, random: Random) -> Identity:
    """The name and contact points of a person: no two persons have the same e-mail or phone."""
    first = pick(names.WOMEN if random() < 0.5 else names.MEN, random)
    last = pick(names.LAST, random)
    local = f"{first}.{last}".lower().translate(_ASCII)
    email = f"{local}{person_id}@{_DOMAINS[int(random() * 5)]}"
    # Multiplying by a number prime to the modulus only reorders: different ids, different numbers.
    scattered = person_id * 2_236_067 % MOST_PEOPLE
    phone = f"{_PHONE_STARTS[scattered // 1_000_000]}{scattered % 1_000_000:06d}"
    return Identity(first, last, email, phone)


def national_id(random: Random) -> str:
    """A synthetic fødselsnummer: day, month + 80, year of birth 1940–1999, right check digits."""
    year = 40 + int(random() * 60)
    date_part = f"{1 + int(random() * 28):02d}{81 + int(random() * 12):02d}{year:02d}"
    number = int(random() * 500)
    while True:
        if check := _check_digits(f"{date_part}{number:03d}"):
            return f"{date_part}{number:03d}{check}"
        number = (number + 1) % 500


def is_synthetic(text: str) -> bool:
    """Whether `text` is an identity number with right check digits and a month nobody is born
    in."""
    return (
        len(text) == 11
        and text.isdecimal()
        and 81 <= int(text[2:4]) <= 92
        and _check_digits(text[:9]) == text[9:]
    )


def account_number(random: Random) -> str:
    """An eleven-digit account number whose check digit is wrong by one."""
    stem = f"{int(random() * 10_000_000_000):010d}"
    control = -sum(int(d) * w for d, w in zip(stem, _ACCOUNT_WEIGHTS, strict=True)) % 11
    return f"{stem}{(control + 1) % 10}"


def address(random: Random) -> str:
    """A street, a house number, a postal code and its town."""
    postal_code, town = pick(names.TOWNS, random)
    return f"{street(random)}, {postal_code} {town}"


def street(random: Random) -> str:
    """A street and a house number."""
    return f"{pick(names.STREETS, random).replace('_', ' ')} {1 + int(random() * 120)}"


def ip_address(random: Random) -> str:
    """An address of the documentation ranges, one in eight of them IPv6."""
    where = int(random() * 8)
    last = 1 + int(random() * 254)
    if where == 0:
        return f"2001:db8::{last:x}:{int(random() * 65536):x}"
    return f"{('192.0.2', '198.51.100', '203.0.113')[where % 3]}.{last}"


def spell_email(email: str, random: Random) -> str:
    """The same address as another system or another day has it: upper and lower case vary."""
    way = random()
    if way < 0.7:
        return email
    return email.upper() if way < 0.78 else email.title() if way < 0.95 else f" {email} "


def spell_phone(phone: str, random: Random) -> str:
    """The same number in one of the ways people write it."""
    way = int(random() * 7)
    if way == 0:
        return f"+47{phone}"
    if way == 1:
        return f"+47 {phone[:3]} {phone[3:5]} {phone[5:]}"
    if way == 2:
        return f"{phone[:2]} {phone[2:4]} {phone[4:6]} {phone[6:]}"
    if way == 3:
        return f"0047{phone}"
    if way == 4:
        return f"(+47) {phone[:3]} {phone[3:5]} {phone[5:]}"
    return phone if way == 5 else f"+47-{phone[:4]}-{phone[4:]}"


def pick(values: Sequence[T], random: Random) -> T:
    """One of `values`."""
    return values[int(random() * len(values))]


def _check_digits(nine: str) -> str:
    """The two check digits of the first nine; empty where no digit fits."""
    digits = [int(digit) for digit in nine]
    first = -sum(d * w for d, w in zip(digits, _WEIGHTS_1, strict=True)) % 11
    if first == 10:
        return ""
    digits.append(first)
    second = -sum(d * w for d, w in zip(digits, _WEIGHTS_2, strict=True)) % 11
    return "" if second == 10 else f"{first}{second}"
