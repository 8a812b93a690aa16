"""Write every generated page: `python -m docs.generate`, which `make reference` runs.

Belongs here: which pages there are, and the throwaway database that one of them is read from. Does not
belong here: what a page says.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from docs.generate import checks, commands, environment, files, findings, policy_file, sql_objects
from retention import state
from retention.settings import load_settings
from retention.warehouse import embedded
from retention.warehouse.connection import connect
from retention.warehouse.migrate import migrate

FOLDER = Path(__file__).parent.parent / "reference"

#: Made from code alone.
PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": commands.page,
    "policy-file.md": policy_file.page,
    "checks.md": checks.page,
    "findings.md": findings.page,
    "environment.md": environment.page,
    "files.md": files.page,
}
#: Made from a migrated database, too.
SQL_PAGE = "sql.md"


def write() -> None:
    """Write every page, each whole."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
    with _migrated() as conn:
        (FOLDER / SQL_PAGE).write_text(sql_objects.page(conn), encoding="utf-8")


@contextmanager
def _migrated() -> Iterator[psycopg.Connection[Any]]:
    """A database of this version that nobody uses; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="retention-reference-"))
    folder.chmod(state.STATE_MODE)
    settings = load_settings({"RETENTION_STATE_DIR": str(folder / "state")})
    try:
        with connect(settings) as conn:
            migrate(conn)
        with connect(settings) as conn:
            yield conn
    finally:
        embedded.stop(settings)
        shutil.rmtree(folder)


if __name__ == "__main__":
    write()
    print(f"wrote {FOLDER}")
