"""Saying things in one language.

Belongs here: looking a sentence up, putting values into it, and writing numbers, days and instants as
its readers do. Does not belong here: which sentences there are (catalog.py), and the words for codes
(words.py).

Values are put in after the sentence was found: nothing that comes from a database is ever looked up as
a sentence, and no value is read as a placeholder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from retention.language.catalog import Catalog, messages, policy_texts
from retention.language.languages import Language
from retention.language.reasons import recognised
from retention.language.words import WORDS
from retention.policy.periods import parse_period

# Between groups of three, before a unit: narrow, and never a line's end.
_NARROW_SPACE = "\u202f"
_FIXED_SPACE = "\u00a0"
_MINUS = "\u2212"

# How a sentence marks what stands out in it.
_MARKS = re.compile(r"(\*[^*]+\*|`[^`]+`)")
_STYLES = {"*": ("*", "strong"), "`": ("`", "code")}


@dataclass(frozen=True)
class Said:
    """A text and the language that it is in, which is not always the reader's."""

    text: str
    language: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Span:
    """A part of a text, and how it stands out: not at all, `strong`, as `code`, or as a `quote`. `lang`
    is its language where that is not the reader's."""

    text: str
    style: str = ""
    lang: str | None = None


class Speaker:
    """Says sentences, words, numbers and days in one language."""

    def __init__(
        self, language: Language, catalog: Catalog, of_policy: dict[str, str] | None
    ) -> None:
        self.language = language
        self._catalog = catalog
        self._of_policy = of_policy

    def say(self, message: str, /, **values: Any) -> str:
        """The sentence with its values in place: counts grouped, days and instants in words."""
        return self.template(message).format(**self._shown(values))

    def plural(self, one: str, many: str, n: int, /, **values: Any) -> str:
        """`one` or `many` as the language counts; `{n}` in it is the number."""
        found = self._catalog.plural(one, n) or (one if n == 1 else many)
        return found.format(n=self.number(n), **self._shown(values))

    def rich(self, message: str, /, **values: Any) -> tuple[Span, ...]:
        """The sentence in parts: *what stands out* and `code`. Values are never read as marks."""
        shown = self._shown(values)
        return tuple(
            Span(part.strip(mark).format(**shown), style)
            for part in _MARKS.split(self.template(message))
            for mark, style in [_STYLES.get(part[:1], ("", ""))]
            if part
        )

    def template(self, message: str, /, context: str | None = None) -> str:
        """The sentence before its values are put in. Raises KeyError where it is not in the catalog."""
        if self.language is Language.EN:
            return message
        return self._catalog.message(message, context)

    def word(self, kind: str, code: str | None) -> str:
        """What one of our codes is called. Raises KeyError for a code of no such kind."""
        if code is None:
            return ""
        return self.template(WORDS[kind][code], context=kind)

    def policy(self, text: str | None) -> Said:
        """A text of the policy file or of a declaration; the original where it has no translation."""
        if not text:
            return Said("", self.language.value)
        if self.language is Language.EN or self._of_policy is None:
            return Said(text, Language.EN.value)
        found = self._of_policy.get(text)
        return Said(found, self.language.value) if found else Said(text, Language.EN.value)

    def reason(self, text: str | None) -> Said:
        """A reason as the engine wrote it down; the original where it is none that we know."""
        known = recognised(text) if text else None
        if known is None:
            return Said(text or "", Language.EN.value)
        sentence, varying = known
        said = self.template(sentence, context="reason").format(
            **{name: self._varying(name, value) for name, value in varying.items()}
        )
        return Said(said, self.language.value)

    def _varying(self, name: str, value: str) -> str:
        """What varies in a reason: reasons of their own, a day, a number, or a name as it is."""
        if name in ("reason", "reasons"):
            return "; ".join(self.reason(one).text for one in value.split("; "))
        if name == "day":
            return self.day(value)
        return self.number(int(value)) if value.isdecimal() else value

    def period(self, duration: str | None) -> str:
        """An ISO 8601 duration in words: 'P6M' as '6 months' or '6 måneder'."""
        if not duration:
            return ""
        found = parse_period(duration)
        words = found.words if self.language is Language.EN else found.norwegian
        return words.replace(" ", _FIXED_SPACE, 1)

    def number(self, value: int | None) -> str:
        """12345 as '12 345'."""
        if value is None:
            return ""
        return f"{int(value):,}".replace(",", _NARROW_SPACE).replace("-", _MINUS)

    def day(self, value: date | str | None) -> str:
        """2026-11-03 as '3 Nov 2026' or '3. nov. 2026'."""
        return self._date(value, "medium").replace(" ", _FIXED_SPACE)

    def long_day(self, value: date | str | None) -> str:
        """2026-11-03 as '3 November 2026' or '3. november 2026'."""
        return self._date(value, "long")

    def month(self, value: date | str | None) -> str:
        """'2026-11', or any of its days, as 'Nov 2026' or 'nov. 2026'."""
        if isinstance(value, str) and len(value) == len("YYYY-MM"):
            value = f"{value}-01"
        return self._date(value, "MMM y").replace(" ", _FIXED_SPACE)

    def moment(self, value: datetime | str | None) -> str:
        """An instant to the second with the offset of its zone, on one line."""
        if not value:
            return ""
        found = _instant(value)
        offset = found.strftime("%z")
        zone = f" (UTC{offset[:3]}:{offset[3:5]})" if offset else ""
        return f"{self.stamp(found)}{zone}".replace(" ", _FIXED_SPACE)

    def stamp(self, value: datetime | str | None) -> str:
        """An instant without its offset, which the page tells once; may break before the time."""
        if not value:
            return ""
        found = _instant(value)
        return f"{self.day(found.date())} {found:%H:%M:%S}"

    def _date(self, value: date | str | None, form: str) -> str:
        if not value:
            return ""
        found = date.fromisoformat(value[:10]) if isinstance(value, str) else value
        # Not at the top: most who import this module name sentences alone, and `retention status` is quick.
        from babel.dates import format_date

        return format_date(found, form, locale=self.language.locale)

    def _shown(self, values: dict[str, Any]) -> dict[str, str]:
        return {name: self._value(value) for name, value in values.items()}

    def _value(self, value: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            return self.number(value)
        if isinstance(value, datetime):
            return self.moment(value)
        if isinstance(value, date):
            return self.day(value)
        return str(value)


def _instant(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


@lru_cache
def speaker(language: Language, policy_dir: Path | None = None) -> Speaker:
    """A speaker of `language`, who knows the translations that stand beside the policies in
    `policy_dir`. Raises UsageError where a catalog there cannot be read."""
    of_policy = policy_texts(policy_dir, language) if policy_dir else None
    return Speaker(language, messages(language), of_policy)
