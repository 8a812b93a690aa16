"""The languages, and which of them a reader asked for.

Belongs here: what costs nothing to import. Does not belong here: catalogs, and saying anything
(speaker.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum

from retention.errors import UsageError

# The reader's own choice, where a command names no language.
LANGUAGE = "RETENTION_LANGUAGE"


class Language(StrEnum):
    """A language by its code, as `lang` attributes have it."""

    EN = "en"
    NB = "nb"

    @property
    def locale(self) -> str:
        """Whose way of writing days and numbers it takes."""
        return {"en": "en_GB", "nb": "nb_NO"}[self.value]


def chosen(asked: Language | None = None, env: Mapping[str, str] = os.environ) -> Language:
    """The language asked for; else the reader's RETENTION_LANGUAGE; else English.

    Raises UsageError where that names none of ours.
    """
    if asked is not None:
        return asked
    named = env.get(LANGUAGE) or Language.EN.value
    if named not in {language.value for language in Language}:
        known = " or ".join(language.value for language in Language)
        raise UsageError(f"{LANGUAGE} is {named!r}: give {known}")
    return Language(named)


def N_(message: str) -> str:
    """Mark a sentence that is said later, elsewhere: the catalog gets it, here it stays as it is."""
    return message
