"""The catalogs: what each sentence is in Norwegian, in gettext's own format.

Belongs here: reading and writing catalogs. Does not belong here: finding the sentences in the code
(extract.py), and saying them (speaker.py).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from babel.messages import catalog as gettext
from babel.messages.pofile import PoFileError, read_po, write_po

from retention.errors import UsageError
from retention.language.languages import Language

FOLDER = Path(__file__).parent

_HEADER = (
    "{title}\n"
    'msgid ""\n'
    'msgstr ""\n'
    '"Language: {language}\\n"\n'
    '"Content-Type: text/plain; charset=utf-8\\n"\n'
    '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
)


class Key(NamedTuple):
    """What a sentence is found by: its English text, and where one text means several things, which."""

    message: str
    plural: str | None = None
    context: str | None = None


class Catalog:
    """Sentences by their keys. A sentence that is not there is an error of ours, never passed over."""

    def __init__(self, texts: Mapping[Key, tuple[str, ...]], language: Language) -> None:
        self._texts = {(key.message, key.context): forms for key, forms in texts.items()}
        self._language = language

    def message(self, message: str, context: str | None = None) -> str:
        forms = self._texts.get((message, context))
        if forms is None:
            raise KeyError(f"no {self._language.value} for {message!r}")
        return forms[0]

    def plural(self, one: str, n: int) -> str | None:
        """The form for `n`; None in English, which has its forms in the code."""
        if self._language is Language.EN:
            return None
        forms = self._texts.get((one, None))
        if forms is None:
            raise KeyError(f"no {self._language.value} for {one!r}")
        return forms[n != 1]


@lru_cache
def messages(language: Language) -> Catalog:
    """The catalog of `language`; English has none, for it stands in the code."""
    if language is Language.EN:
        return Catalog({}, language)
    return Catalog(read(FOLDER / f"{language.value}.po", language), language)


def policy_texts(folder: Path, language: Language) -> dict[str, str]:
    """English text of a policy or declaration to its translation; empty where there is none.

    A company's own policy folder need not have a catalog. Raises UsageError for one that cannot be read.
    """
    path = folder / f"{language.value}.po"
    if not path.is_file():
        return {}
    return {key.message: forms[0] for key, forms in read(path, language).items() if forms[0]}


def read(path: Path, language: Language) -> dict[Key, tuple[str, ...]]:
    """Each sentence of a catalog file with its forms. Raises UsageError where it is no catalog."""
    try:
        with path.open("rb") as file:
            found = read_po(file, locale=language.value, abort_invalid=True)
    except (OSError, PoFileError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as a gettext catalog: {error}") from None
    return {_key(one): _forms(one) for one in found if one.id}


def fuzzy(path: Path) -> list[str]:
    """Sentences that somebody marked as not sure, and those that are commented out."""
    with path.open("rb") as file:
        found = read_po(file)
    return [str(one.id) for one in found if one.id and one.fuzzy] + [
        str(id) for id in found.obsolete
    ]


def written(texts: Mapping[Key, tuple[str, ...]], language: Language, title: str) -> str:
    """The catalog file: sorted, a sentence a line and no places, so that branches merge."""
    made = gettext.Catalog(locale=language.value)
    for key in _sorted(texts):
        forms = texts[key]
        made.add(
            (key.message, key.plural) if key.plural else key.message,
            forms if key.plural else forms[0],
            context=key.context,
            flags=["python-brace-format"] if "{" in key.message else [],
        )
    text = io.BytesIO()
    write_po(text, made, width=0, sort_output=True, omit_header=True, no_location=True)
    head = _HEADER.format(title=f"# {title}", language=language.value)
    return f"{head}\n{text.getvalue().decode('utf-8').strip()}\n"


def _sorted(keys: Iterable[Key]) -> list[Key]:
    return sorted(keys, key=lambda key: (key.message, key.context or ""))


def _key(message: gettext.Message) -> Key:
    if isinstance(message.id, str):
        return Key(message.id, None, message.context)
    return Key(message.id[0], message.id[1], message.context)


def _forms(message: gettext.Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
