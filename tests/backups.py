"""A database's backup and its restore, by PostgreSQL's own programs.

Belongs here: `pg_dump` and `pg_restore` of the programs that the server runs. Does not belong here: what
was lost between the two.
"""

import subprocess
from pathlib import Path

from retention.warehouse.binaries import find_binaries
from retention.warehouse.roles import let_classifier_build
from retention.warehouse.session import open_session
from tests.conftest import Server


def dump(server: Server, database: str, path: Path) -> Path:
    """Write a backup of the database to `path`."""
    program = find_binaries(server.settings).program("pg_dump")
    subprocess.run(
        [program, "--format=custom", f"--file={path}", server.url(database)],
        check=True,
        capture_output=True,
    )
    return path


def restore(server: Server, backup: Path) -> str:
    """Make a database of a backup and return its name."""
    name = server.create(template=None)
    program = find_binaries(server.settings).program("pg_restore")
    subprocess.run(
        [program, "--exit-on-error", f"--dbname={server.url(name)}", str(backup)],
        check=True,
        capture_output=True,
    )
    with open_session(server.url(name)) as conn:
        let_classifier_build(conn)
    return name
