"""Which type a column's values all read as, and what kept a column text.

Belongs here: reading one value's form, and the decision over a column. Does not belong here: files,
SQL, and what a column means.

A type is given only if every value reads as it in one way and nothing of it is lost; everything
else stays text exactly as it was. What is reported is a mask of a value's form, never the value.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

ColumnType = Literal["text", "boolean", "bigint", "numeric", "date", "timestamptz"]

# Forms of values. `zoned` and `naive` are points in time with and without an offset; the `odd_`
# forms look like a number or a point in time and cannot be read as one without guessing.
Form = Literal[
    "boolean", "bigint", "numeric", "date", "zoned", "naive",
    "identifier", "odd_number", "odd_time", "empty", "other",
]  # fmt: skip
Family = Literal["boolean", "number", "time"]
Reason = Literal["unreadable", "ambiguous", "identifier", "mixed", "empty text"]

_FAMILY: dict[Form, Family] = {
    "boolean": "boolean",
    "bigint": "number",
    "numeric": "number",
    "identifier": "number",
    "odd_number": "number",
    "date": "time",
    "zoned": "time",
    "naive": "time",
    "odd_time": "time",
}

_DATE = r"(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12][0-9]|3[01])"
# PostgreSQL keeps microseconds: a finer fraction would be rounded, so it may only be zeros.
_TIME = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6}0*)?)?"
_OFFSET = r" ?(?:Z|UTC|GMT|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)"
_READABLE = re.compile(
    r"(?P<boolean>true|false|True|False|TRUE|FALSE)"
    # At most 18 digits before the point: every such number fits, longer ones are identifiers.
    r"|(?P<bigint>-?(?:0|[1-9][0-9]{0,17}))"
    r"|(?P<numeric>-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,100})"
    rf"|(?P<moment>{_DATE}(?:[ T]{_TIME}(?P<offset>{_OFFSET})?)?)"
)
# PostgreSQL's numbers know no negative zero: the sign would be lost.
_NEGATIVE_ZERO = re.compile(r"-0(?:\.0*)?")
_IDENTIFIER = re.compile(r"0[0-9]+|\+[0-9][0-9 ()-]{4,}|-?[0-9]{19,}")
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_ODD_NUMBER = re.compile(
    r"[-+]?[$€£]? ?[0-9]*(?:[.,' \u00a0\u202f][0-9]+)*\.?(?:[eE][-+]?[0-9]+)?[a-zA-Z%]?"
    r"|[-+]?[0-9]+(?:[.,][0-9]+)? ?(?:[$€£%]|kr|[A-Z]{3})"
    r"|(?:kr|[A-Z]{3}) ?[-+]?[0-9]+(?:[.,][0-9]+)?"
)
_ODD_TIME = re.compile(
    r"(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2}))"
    r"(?:[ T,].*)?"
    r"|.*\b(?:jan|feb|mar|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cs])[a-z]*\b.*[0-9]{2}.*",
    re.IGNORECASE,
)
_SURELY_WRONG = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[ T].*)?")
# Digits under such a name are no quantity; the next export of the same column may bring a + or a 0.
_NAMED_IDENTIFIER = re.compile(
    r"(?:.*_)?(?:phone|mobile|fax|tel|telephone|msisdn|zip|zip_code|post_?code|postal_code|ssn|"
    r"national_id|fodselsnummer|personnummer|account_number|iban|last_?4)(?:_number)?"
    r"|from|to|forwarded_from"
)
_MASK_LENGTH = 40


@dataclass(frozen=True)
class KeptAsText:
    """A column most of whose values look like a type that it did not get, and why.

    `values` of the column's `of` non-null values stood against it; `mask` is the form of one of
    them.
    """

    column: str
    looks_like: Family
    reason: Reason
    values: int
    of: int
    mask: str


@dataclass
class ColumnReading:
    """What was seen of one column, value by value."""

    name: str
    counts: dict[Form, int] = field(default_factory=dict)
    masks: dict[Form, str] = field(default_factory=dict)
    ambiguous: int = 0

    def add(self, value: str | None) -> None:
        """Count one value; None (null) counts as nothing."""
        if value is None:
            return
        form = form_of(value)
        if form not in self.counts:
            self.masks[form] = mask(value)
        self.counts[form] = self.counts.get(form, 0) + 1
        if form == "odd_time" and not _SURELY_WRONG.fullmatch(value):
            self.ambiguous += 1

    def decide(self) -> tuple[ColumnType, KeptAsText | None]:
        """The type every value reads as; `text` with what is to be reported where none does."""
        forms = frozenset(self.counts)
        number = forms and forms <= {"bigint", "numeric"}
        if number and _NAMED_IDENTIFIER.fullmatch(self.name):
            return "text", self._kept("number", "identifier", forms)
        if number:
            return ("numeric" if "numeric" in forms else "bigint"), None
        if forms == {"boolean"}:
            return "boolean", None
        if forms == {"date"}:
            return "date", None
        # With some offsets given, a time without one may be local or UTC: that would be a guess.
        if forms in ({"zoned"}, {"naive"}):
            return "timestamptz", None
        return "text", self._why_text()

    def _why_text(self) -> KeptAsText | None:
        values = sum(self.counts.values()) - self.counts.get("empty", 0)
        families: dict[Family, int] = {}
        for form, count in self.counts.items():
            if form in _FAMILY:
                families[_FAMILY[form]] = families.get(_FAMILY[form], 0) + count
        likely = [family for family, count in families.items() if count * 2 > values]
        if not likely:
            return None
        family = likely[0]
        strangers = {form for form in self.counts if _FAMILY.get(form) != family}
        odd = {form for form in ("odd_number", "odd_time") if form in self.counts}
        if self.ambiguous and family == "time":
            return self._kept(family, "ambiguous", {"odd_time"})
        if unreadable := (odd | strangers) - {"empty"}:
            return self._kept(family, "unreadable", unreadable)
        if "identifier" in self.counts:
            return self._kept(family, "identifier", {"identifier"})
        if "empty" in self.counts:
            return self._kept(family, "empty text", {"empty"})
        return self._kept(family, "mixed", {min(self.counts, key=lambda form: self.counts[form])})

    def _kept(
        self, family: Family, reason: Reason, forms: set[Form] | frozenset[Form]
    ) -> KeptAsText:
        against = sorted(forms & self.counts.keys())
        return KeptAsText(
            column=self.name,
            looks_like=family,
            reason=reason,
            values=sum(self.counts[form] for form in against),
            of=sum(self.counts.values()),
            mask=self.masks[against[0]],
        )


def form_of(value: str) -> Form:
    """The form of one value. Nothing is tried that could be read in two ways."""
    if value == "":
        return "empty"
    found = _READABLE.fullmatch(value)
    if found is None:
        return _odd_form(value)
    kind = found.lastgroup
    if found["moment"] is not None:
        if not _in_calendar(found["year"], found["month"], found["day"]):
            return "odd_time"
        if len(value) == len("2022-02-28"):
            return "date"
        return "zoned" if found["offset"] is not None else "naive"
    if _NEGATIVE_ZERO.fullmatch(value):
        return "odd_number"
    if kind == "boolean":
        return "boolean"
    return "bigint" if kind == "bigint" else "numeric"


def mask(value: str) -> str:
    """The form of a value without the value: digits as d, words as a, few signs as they are."""
    short = re.sub(r"[^\W\d_]+", "a", value[: 2 * _MASK_LENGTH])
    short = re.sub(r"\d", "d", short)
    return re.sub(r"[^ad:/.,+ -]", "?", short)[:_MASK_LENGTH]


def _odd_form(value: str) -> Form:
    if _IDENTIFIER.fullmatch(value):
        return "identifier"
    if (
        not any("0" <= sign <= "9" for sign in value)
        or len(value) > 60
        or _ADDRESS.fullmatch(value)
    ):
        return "other"
    if _ODD_TIME.fullmatch(value):
        return "odd_time"
    return "odd_number" if _ODD_NUMBER.fullmatch(value) else "other"


def _in_calendar(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True
