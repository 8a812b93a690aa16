"""The last check results, kept where the pages find them.

Belongs here: the one file. Does not belong here: running a check, and its evidence (`expectations`).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from retention import state
from retention.files import replace_text
from retention.settings import Settings


def keep_checks(settings: Settings, as_of: date, results: Sequence[Mapping[str, Any]]) -> None:
    """Keep what came of the checks on the classification as of `as_of`: names, clauses and counts."""
    state.make_folder(settings.state / "pages")
    kept = {"as_of": as_of.isoformat(), "checks": list(results)}
    replace_text(_path(settings), json.dumps(kept, indent=2, ensure_ascii=False) + "\n")


def kept_checks(settings: Settings) -> dict[str, Any] | None:
    """What was kept last, None where no check has run yet."""
    path = _path(settings)
    if not path.is_file():
        return None
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _path(settings: Settings) -> Path:
    return settings.state / "pages" / "checks.json"
