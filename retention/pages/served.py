"""Which files are served, by name, and as what.

Belongs here: the allow-list, and finding a file or the files of a kind by it. Does not belong here: talking
to a browser (server.py).
"""

import re
from dataclasses import dataclass
from pathlib import Path

from retention.report import NAME
from retention.settings import Settings

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".pdf": "application/pdf",
    ".js": "text/javascript; charset=utf-8",
}

_DAY = r"\d{4}-\d{2}-\d{2}"
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

# A page of ours is complete in itself; dbt's reads a script and two files beside it.
_ALONE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
_WITH_SCRIPT = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:;"
    " font-src data:; connect-src 'self'"
)
_NOT_IN_A_FRAME = "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
OWN_PAGES = _ALONE + _NOT_IN_A_FRAME


@dataclass(frozen=True)
class Kind:
    """Files of one kind: their address, the folder in the state folder, their names, and what a browser
    may load for them."""

    prefix: str
    folder: str
    names: re.Pattern[str]
    policy: str = OWN_PAGES


@dataclass(frozen=True)
class Served:
    """A file that may be sent, and as what."""

    path: Path
    content_type: str
    policy: str


REPORTS = Kind(
    "reports/",
    "reports",
    re.compile(rf"{_DAY}/({NAME}(\.(en|nb))?\.(html|pdf)|{NAME}\.json|csv/[a-z0-9_]+\.csv)"),
)
DELETIONS = Kind("reports/", "reports", re.compile(rf"deletion-{_UUID}\.json"))
TRIED = Kind("reports/", "reports", re.compile(r"what-if-[0-9a-f]{12}\.(en|nb)\.html"))
DBT_DOCS = Kind(
    "dbt/",
    "pages/dbt",
    re.compile(r"index\.html|main\.js|manifest\.json|catalog\.json"),
    _WITH_SCRIPT + _NOT_IN_A_FRAME,
)
KINDS = (REPORTS, DELETIONS, TRIED, DBT_DOCS)

INDEX = "index.html"


def find(settings: Settings, address: str) -> Served | None:
    """The file behind an address (without its leading slash); None where none may be served by it."""
    if address == DBT_DOCS.prefix:
        address += INDEX
    for kind in KINDS:
        name = address.removeprefix(kind.prefix)
        if name != address and kind.names.fullmatch(name):
            path = _ours(settings.state / kind.folder, name)
            if path is not None:
                return Served(path, _TYPES[path.suffix], kind.policy)
    return None


def names(settings: Settings, kind: Kind) -> list[str]:
    """The names of the files of a kind that are there, the last one first."""
    folder = settings.state / kind.folder
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return sorted((name for name in found if kind.names.fullmatch(name)), reverse=True)


def _ours(folder: Path, name: str) -> Path | None:
    """The regular file of that name, where no link stands on the way from the folder to it."""
    path = folder / name
    steps = [path, *path.parents]
    if any(step.is_symlink() for step in steps[: steps.index(folder) + 1]):
        return None
    return path if path.is_file() else None
