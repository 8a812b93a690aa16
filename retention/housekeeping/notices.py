"""The file that notices are written down in, of which old lines go.

Belongs here: its name, its lock, and forgetting lines. Does not belong here: what a notice says and
where else it goes, which the orchestrator knows.
"""

import json
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from retention import state
from retention.files import replace_text
from retention.housekeeping.files import is_ours
from retention.settings import Settings

_WAIT_SECONDS = 30.0


def notices_path(settings: Settings) -> Path:
    """Where notices are written down, a JSON object a line, with its moment under `at`."""
    return settings.state / "notices.jsonl"


def notices_lock(settings: Settings) -> AbstractContextManager[None]:
    """Held by whoever writes a notice down and by whoever forgets old ones."""
    return state.file_lock(
        settings.state / "notices.lock",
        wait_seconds=_WAIT_SECONDS,
        busy="another process has been writing notices for half a minute: try again",
    )


def sweep(settings: Settings, before: datetime, *, remove: bool) -> int:
    """Count the notices given `before`, and forget them on `remove`. A line that is none stays."""
    path = notices_path(settings)
    if not path.is_file() or not is_ours(settings.state, path):
        return 0
    if not remove:
        return sum(_is_old(line, before) for line in _lines(path))
    with notices_lock(settings):
        lines = _lines(path)
        kept = [line for line in lines if not _is_old(line, before)]
        if len(kept) < len(lines):
            replace_text(path, "".join(kept))
    return len(lines) - len(kept)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


def _is_old(line: str, before: datetime) -> bool:
    try:
        moment = datetime.fromisoformat(json.loads(line)["at"])
    except (ValueError, KeyError, TypeError):
        return False
    return moment.tzinfo is not None and moment < before
