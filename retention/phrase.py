"""A sentence before it is said: what the engine found out, free of any language.

Belongs here: sentences with their values, and saying them. Does not belong here: which sentences there
are (they stand where they are found out), and the languages themselves (`retention.language`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retention.language import Language, Speaker, speaker
from retention.policy import Period


@dataclass(frozen=True)
class Phrase:
    """A message, marked where it stands in the code, and its values, which may be phrases themselves."""

    message: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return said(speaker(Language.EN), self)


@dataclass(frozen=True)
class Code:
    """One of our codes, for which the language has a word of that kind."""

    kind: str
    code: str


@dataclass(frozen=True)
class Term:
    """What the policy calls something, in both languages."""

    english: str
    norwegian: str | None = None


@dataclass(frozen=True)
class Reason:
    """A reason as the models or the database wrote it down."""

    text: str


Sayable = Phrase | Code | Term | Reason | Period


def phrase(message: str, /, **values: Any) -> Phrase:
    """The message with its values; mark it with `N_` where it stands."""
    return Phrase(message, values)


def said(speaker: Speaker, what: Sayable) -> str:
    """What it says in the speaker's language."""
    match what:
        case Phrase():
            values = {
                name: said(speaker, value) if isinstance(value, Sayable) else value
                for name, value in what.values.items()
            }
            return speaker.say(what.message, **values)
        case Code():
            return speaker.word(what.kind, what.code)
        case Reason():
            return speaker.reason(what.text).text
        case Term():
            is_english = speaker.language is Language.EN
            return what.english if is_english or what.norwegian is None else what.norwegian
        case Period():
            return what.words if speaker.language is Language.EN else what.norwegian


def said_or_none(speaker: Speaker, what: Sayable | None) -> str | None:
    """As `said`; nothing where there is nothing."""
    return None if what is None else said(speaker, what)
