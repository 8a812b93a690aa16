"""Bringing a warehouse to this version: the numbered files of `migrations/`, then `functions/`.

Tables are migrated: a file is applied once and never changes again; what comes later is a new file.
Functions hold nothing, so each is replaced in place (`create or replace`) when its text changes; one
whose signature changes is dropped by a migration first.

Belongs here: order, locking and the record of what was applied. Does not belong here: the SQL itself,
and anything dbt builds.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from retention.errors import UsageError
from retention.ledger.failures import REFUSED, translated
from retention.warehouse.roles import let_classifier_build

MIGRATIONS = Path(__file__).parent / "migrations"
FUNCTIONS = Path(__file__).parent / "functions"

_FILE_NAME = re.compile(r"^(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql$")
# Any constant that nobody else uses: two processes that migrate one database wait for each other.
_LOCK = 0x51E77E01


@dataclass(frozen=True)
class Migration:
    """One numbered file: its version, its name and the hash of its text."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Return the migrations of `folder` in order. Raises UsageError for a file that is named
    otherwise or a number that comes twice."""
    migrations: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.match(path.name)
        if match is None:
            raise UsageError(f"migration {path.name}: name it NNNN_what_it_makes.sql")
        version = int(match["version"])
        if version in migrations:
            raise UsageError(f"migration number {version:04} comes twice: renumber {path.name}")
        migrations[version] = Migration(version, match["name"], path.read_text(encoding="utf-8"))
    return list(migrations.values())


def migrate(
    conn: psycopg.Connection[Any], *, folder: Path = MIGRATIONS, functions: Path = FUNCTIONS
) -> list[str]:
    """Apply what is missing, all in one transaction, and return its names (empty: nothing to do).

    The connection must be outside a transaction. Raises UsageError when the database was migrated
    by another version of the project: a newer one, or one whose applied file has changed since; Refused
    where somebody with more rights has to do something first.
    """
    migrations = load_migrations(folder)
    try:
        return _migrate(conn, migrations, functions)
    except psycopg.Error as error:
        if error.sqlstate == REFUSED:
            raise translated(error, "migrating the database") from None
        raise


def _migrate(
    conn: psycopg.Connection[Any], migrations: list[Migration], functions: Path
) -> list[str]:
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        applied = _applied(conn)
        _refuse_foreign_history(migrations, applied)
        missing = [migration for migration in migrations if migration.version not in applied]
        for migration in missing:
            _apply(conn, migration)
        done = [f"{migration.version:04}_{migration.name}" for migration in missing]
        done += _replace_functions(conn, functions)
        let_classifier_build(conn)
        return done


def _replace_functions(conn: psycopg.Connection[Any], folder: Path) -> list[str]:
    """Create every function anew, in the order of the files, when any of their texts changed."""
    texts = [path.read_bytes() for path in sorted(folder.glob("*.sql"))]
    checksum = hashlib.sha256(b"\0".join(texts)).hexdigest()
    known = conn.execute("select checksum from ledger.functions_applied").fetchone()
    if known == (checksum,):
        return []
    for text in texts:
        conn.execute(text)
    conn.execute(
        "insert into ledger.functions_applied (checksum) values (%s)"
        " on conflict (only_row) do update set checksum = excluded.checksum, applied_at = now()",
        (checksum,),
    )
    return ["functions"]


def _applied(conn: psycopg.Connection[Any]) -> dict[int, str]:
    exists = conn.execute("select to_regclass('ledger.migrations') is not null").fetchone()
    if exists is None or not exists[0]:
        return {}
    return dict(conn.execute("select version, checksum from ledger.migrations").fetchall())


def _refuse_foreign_history(migrations: list[Migration], applied: dict[int, str]) -> None:
    known = {migration.version: migration for migration in migrations}
    for version, checksum in sorted(applied.items()):
        if version not in known:
            raise UsageError(
                f"the database has migration {version:04}, which this version does not know:"
                " install the newer version of the project"
            )
        if known[version].checksum != checksum:
            raise UsageError(
                f"migration {version:04}_{known[version].name} was changed after it was applied:"
                " restore the file and put the change into a new migration"
            )


def _apply(conn: psycopg.Connection[Any], migration: Migration) -> None:
    # Our own reviewed file, not a value from outside. Without parameters the driver sends it as it
    # is, so that several statements and a literal per cent sign may stand in it.
    conn.execute(migration.sql)
    conn.execute(
        "insert into ledger.migrations (version, name, checksum) values (%s, %s, %s)",
        (migration.version, migration.name, migration.checksum),
    )
