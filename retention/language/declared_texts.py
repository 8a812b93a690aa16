"""Texts of the policy files and the declarations that people read, for their catalog.

Belongs here: which texts these are. Does not belong here: their translations (`nb.po` beside the
policies), and the clauses' quotes, which stay in the policy's own language.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from retention.declarations import load_declarations
from retention.language.catalog import Key
from retention.settings import Settings

_TEXTS = frozenset(
    {
        *("summary", "description", "reason", "source", "question", "notice", "kept_while"),
        *("when", "never_counts", "purpose", "law", "legal_basis"),
    }
)
# Who approved a value says so in words of their own; a clause is quoted.
_NOT_OURS = frozenset({"approval", "clause", "sentence"})


def texts_of(settings: Settings) -> set[Key]:
    """Every text of the policy files and of the declarations' exemptions."""
    texts = {
        text
        for path in sorted(settings.policy_dir.glob("*.yaml"))
        for text in _texts(yaml.safe_load(path.read_text(encoding="utf-8")))
    }
    declarations = load_declarations(settings.declarations_dir)
    texts |= {table.exempt.reason for table in declarations.tables if table.exempt}
    return {Key(text) for text in texts}


def _texts(value: Any, of: str | None = None) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            if name not in _NOT_OURS:
                yield from _texts(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, of)
    elif isinstance(value, str) and of in _TEXTS:
        yield value
