"""Making a letter from its text and what it tells.

Belongs here: the environment of the texts, and days in words. Does not belong here: the texts (`*.j2`),
and any fact.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

from retention.policy import Policy
from retention.rights.letters.markup import Letter, plain, read
from retention.rights.letters.words import word
from retention.templates import environment

Language = Literal["nb", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_MONTHS = {
    "nb": (
        *("januar", "februar", "mars", "april", "mai", "juni"),
        *("juli", "august", "september", "oktober", "november", "desember"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
_REFERENCE = {"nb": "Vår referanse", "en": "Our reference"}
_PAGE = {"nb": "Side", "en": "Page"}


def compose(
    name: str, language: Language, *, policy: Policy, reference: str, on: date, **told: Any
) -> Letter:
    """The letter `name` in `language`, dated `on`, from the policy's controller.

    `told` is what its text asks for; the policy, its authority and the date are there as `policy`,
    `authority` and `on`. Raises jinja2's UndefinedError where the text asks for something nobody told.
    """
    # This is no HTML: `finalize` keeps values from being markup.
    templates = environment(Path(__file__).parent, autoescape=False, finalize=plain)
    templates.filters["day"] = lambda value: in_words(value, language)
    templates.filters["word"] = lambda code, kind: word(code, kind, language)
    text = templates.get_template(f"{name}.{language}.j2").render(
        **told, policy=policy, authority=policy.rights.authority, reference=reference, on=on
    )
    title, blocks = read(text)
    return Letter(
        language=language,
        title=title,
        sender=policy.controller,
        reference=reference,
        on=on,
        day=in_words(on, language),
        reference_word=_REFERENCE[language],
        page_word=_PAGE[language],
        blocks=blocks,
    )


def in_words(day: date, language: Language) -> str:
    """2026-11-03 as «3. november 2026» or “3 November 2026”."""
    dot = "." if language == "nb" else ""
    return f"{day.day}{dot} {_MONTHS[language][day.month - 1]} {day.year}"
