"""Finding the sentences in the code, and keeping the catalogs in step with it.

    python -m retention.language.extract [--check]

adds what the code says and the catalog lacks, drops what nobody says any more, and sorts. What it added
has no translation yet: write it. Policy texts and declarations have a catalog of their own beside the
policy, kept in the same way.

Belongs here: what counts as a sentence. Does not belong here: the catalog's form (catalog.py).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from jinja2.ext import babel_extract

from retention.language.catalog import FOLDER, Key, read, written
from retention.language.declared_texts import texts_of
from retention.language.languages import Language
from retention.language.words import WORDS
from retention.settings import Settings, load_settings

TITLE = "What people read, by its English text. Kept by python -m retention.language.extract"
POLICY_TITLE = (
    "Texts of the policies and declarations. Kept by python -m retention.language.extract"
)

ROOT = FOLDER.parent.parent
PACKAGES = ("cli", "expectations", "landing", "orchestration", "retention")

# A method of the speaker, and how many of its arguments are forms of the sentence.
_SAYS: Mapping[str, int] = {"say": 1, "rich": 1, "template": 1, "plural": 2}
_MARK = "N_"
_SPEAKS = re.compile(r"\.(say|rich|template|plural)\(|\bN_\(")
# In a template they are functions.
_JINJA = {"say": None, "rich": None, "plural": (1, 2)}

TRANSLATED = tuple(language for language in Language if language is not Language.EN)


def found() -> set[Key]:
    """Every sentence and word that the code says."""
    keys = {Key(text, context=kind) for kind, codes in WORDS.items() for text in codes.values()}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if _SPEAKS.search(text):
                keys.update(of_python(text))
        for path in sorted((ROOT / package).rglob("*.j2")):
            keys.update(of_template(path))
    return keys


def of_python(text: str) -> Iterator[Key]:
    """The sentences of a module: what is marked, and what a speaker is told to say."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        forms = 0
        if isinstance(node.func, ast.Attribute):
            forms = _SAYS.get(node.func.attr, 0)
        elif isinstance(node.func, ast.Name) and node.func.id == _MARK:
            forms = 1
        said = [
            argument.value
            for argument in node.args[:forms]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        if forms and len(said) == forms:
            yield Key(*said)


def of_template(path: Path) -> Iterator[Key]:
    """The sentences of a Jinja template."""
    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    with path.open("rb") as file:
        for _, function, said, _ in babel_extract(file, list(_JINJA), (), options):
            forms = [one for one in ([said] if isinstance(said, str) else said or ()) if one]
            yield Key(*forms[: 2 if function == "plural" else 1])


def catalogs(settings: Settings) -> Iterator[tuple[Path, str]]:
    """Each catalog file with what it should hold: the code's sentences, those known translated."""
    for language in TRANSLATED:
        for path, keys, title in (
            (FOLDER / f"{language.value}.po", found(), TITLE),
            (settings.policy_dir / f"{language.value}.po", texts_of(settings), POLICY_TITLE),
        ):
            known = read(path, language) if path.is_file() else {}
            kept = {key: known.get(key, ("", "") if key.plural else ("",)) for key in keys}
            yield path, written(kept, language, title)


def main(arguments: list[str]) -> int:
    """Write the catalogs anew, or with --check only say which are behind."""
    behind = 0
    for path, text in catalogs(load_settings()):
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        behind += 1
        if "--check" in arguments:
            print(f"{path} is behind the code")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{path} is written anew")
    return int(bool(behind) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
