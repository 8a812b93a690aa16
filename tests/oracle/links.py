"""Who a row is about: keys, e-mail addresses and phone numbers led back to one person.

Belongs here: normalising contact points and finding the one person they belong to.
Does not belong here: what follows from it for a row (`classify`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

_NOT_A_DIGIT = re.compile(r"\D")
_NORWEGIAN_LENGTH = 8


def normal_email(value: object) -> str | None:
    """Return the address trimmed and in lower case; None if there is none."""
    text = str(value).strip().lower() if value is not None else ""
    return text or None


def normal_phone(value: object) -> str | None:
    """Return the digits of a number with its country code, without a leading 00 or plus."""
    digits = _NOT_A_DIGIT.sub("", str(value)) if value is not None else ""
    digits = digits.removeprefix("00")
    if len(digits) == _NORWEGIAN_LENGTH:
        digits = "47" + digits
    return digits or None


@dataclass
class PersonIndex:
    """The persons of the warehouse, found by key, e-mail address or phone number."""

    keys: set[str] = field(default_factory=set)
    by_email: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    by_phone: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, key: str, email: object, phone: object) -> None:
        """Enter one person under its key and its contact points."""
        self.keys.add(key)
        if (address := normal_email(email)) is not None:
            self.by_email[address].add(key)
        if (number := normal_phone(phone)) is not None:
            self.by_phone[number].add(key)

    def of_key(self, key: object) -> set[str]:
        """Return the person with this key, if there is one."""
        return {str(key)} & self.keys if key is not None else set()

    def of_emails(self, values: Iterable[object]) -> set[str]:
        """Return the persons that any of the addresses belongs to."""
        return set().union(*(self.by_email.get(normal_email(v) or "", set()) for v in values))

    def of_phones(self, values: Iterable[object]) -> set[str]:
        """Return the persons that any of the numbers belongs to."""
        return set().union(*(self.by_phone.get(normal_phone(v) or "", set()) for v in values))
