"""The hash of what made the tables: declarations, models, snapshots and macros (promise 3).

Belongs here: one value that changes when any of those changes, and with nothing else; dbt's manifest
changes at every parse and would not do. Does not belong here: the policy, which has a hash of its own.
"""

import hashlib
from typing import Any

import rfc8785

from retention.declarations import Declarations, load_declarations
from retention.declarations.staging import staging_sql
from retention.settings import Settings

_GENERATED = "generated"
# A snapshot may be declared in YAML alone.
_CODE = (
    ("models", "*.sql"),
    ("models", "*.py"),
    ("macros", "*.sql"),
    ("snapshots", "*.sql"),
    ("snapshots", "*.yml"),
    ("snapshots", "*.yaml"),
)


def code_hash(settings: Settings, declarations: Declarations | None = None) -> str:
    """Return the hash (hex) over the declarations, the staging models made from them, and every
    model, snapshot and macro of the dbt project. Declarations that were loaded already can be given; raises
    UsageError for one that does not hold."""
    declarations = declarations or load_declarations(settings.declarations_dir)
    files = {
        path.relative_to(settings.dbt_dir).as_posix(): _text_hash(path.read_text(encoding="utf-8"))
        for folder, kind in _CODE
        for path in (settings.dbt_dir / folder).rglob(kind)
        if _GENERATED not in path.parts
    }
    project = settings.dbt_dir / "dbt_project.yml"
    if project.exists():
        files[project.name] = _text_hash(project.read_text(encoding="utf-8"))
    content: Any = {
        "declarations": {
            table.qualified: table.model_dump(mode="json") for table in declarations.tables
        },
        "staging": {
            table.qualified: _text_hash(staging_sql(table)) for table in declarations.staged
        },
        "files": files,
    }
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def _text_hash(text: str) -> str:
    # A checkout with other line ends is the same code.
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()
