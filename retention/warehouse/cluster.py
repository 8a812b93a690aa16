"""One PostgreSQL data folder: made, started, stopped.

Belongs here: initdb, starting, the pid file, stopping. Does not belong here: what the server is set
to (server_settings.py), which folder and programs (home.py, binaries.py), and what is inside the
databases (embedded.py).
"""

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from retention import ports, processes, state
from retention.environment import for_others
from retention.errors import UsageError, WarehouseError
from retention.warehouse.account import Account, run_as
from retention.warehouse.binaries import Binaries
from retention.warehouse.server_settings import locale_arguments, server_settings

SUPERUSER = "retention"

_START_SECONDS = 300  # a crashed server may have much to replay
_STOP_SECONDS = 60.0
_ATTEMPTS = 20
_LOG_KEPT_BYTES = 5_000_000


@dataclass(frozen=True)
class Postmaster:
    """A running server, as its pid file tells."""

    pid: int
    port: int
    ready: bool


@dataclass(frozen=True)
class Cluster:
    """A data folder below `home`, and the account that owns it (None: the one we run as)."""

    home: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "log" / "server.log"

    def running(self) -> Postmaster | None:
        """Return the server that serves this folder now, None when there is none."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if len(lines) < 4 or not lines[0].strip().isdecimal():
            return None
        pid = int(lines[0])
        if not processes.runs(pid, str(self.data)):
            return None
        ready = len(lines) > 7 and lines[7].strip() == "ready"
        return Postmaster(pid, int(lines[3]), ready)

    def create(self, binaries: Binaries, password: str) -> None:
        """Make the data folder unless it is there. Raises WarehouseError when initdb fails,
        UsageError when the folder was made by another major version of PostgreSQL."""
        if self.data.exists():
            made_by = (self.data / "PG_VERSION").read_text().strip()
            if made_by != str(binaries.major):
                raise UsageError(
                    f"the embedded database was made by PostgreSQL {made_by} and the programs are"
                    f" {binaries.version}: use PostgreSQL {made_by}, or another RETENTION_STATE_DIR"
                )
            return
        unfinished = self.home / "data.new"
        password_file = self.home / "password.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file.unlink(missing_ok=True)
        self._own(state.make_folder(unfinished))
        state.write_private(password_file, password + "\n")
        self._own(password_file)
        try:
            self._run(
                [
                    binaries.program("initdb"),
                    f"--pgdata={unfinished}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--data-checksums",
                    "--no-instructions",
                    *locale_arguments(binaries.major),
                ],
                "initdb failed",
            )
        finally:
            password_file.unlink()
        # Renamed when whole: an initdb that was cut short is begun anew.
        unfinished.rename(self.data)

    def start(self, binaries: Binaries, port: int | None, extra: Mapping[str, str]) -> Postmaster:
        """Start the server on `port`, or on a free one when that is None or taken; return when it
        accepts connections. Raises WarehouseError when it does not."""
        for folder in (self.home / "socket", self.log.parent):
            if not folder.exists():
                self._own(state.make_folder(folder))
        if self.log.exists() and self.log.stat().st_size > _LOG_KEPT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        for _ in range(_ATTEMPTS):
            port = port if port is not None and ports.is_free(port) else ports.free_port()
            self._forget_dead_postmaster()
            before = self.log.stat().st_size if self.log.exists() else 0
            if self._pg_ctl_start(binaries, port, extra):
                running = self.running()
                if running is not None and running.ready:
                    return running
            said = self._log_since(before)
            if "could not bind" in said or "already in use" in said:
                port = None
            elif "shared memory block" in said:
                # After a kill -9 of the server its workers need a moment to notice and go.
                time.sleep(0.5)
            else:
                break
        raise WarehouseError(f"the embedded PostgreSQL does not start: {self.log} says why")

    def stop(self) -> bool:
        """Stop the server, ending its sessions. Returns whether one was running. Raises
        WarehouseError when it does not stop."""
        running = self.running()
        if running is None:
            return False
        processes.end(
            running.pid,
            str(self.data),
            asking=signal.SIGINT,  # PostgreSQL's fast shutdown
            forcing=signal.SIGQUIT,
            patience_seconds=_STOP_SECONDS,
        )
        if self.running() is not None:
            raise WarehouseError(f"the embedded PostgreSQL (process {running.pid}) does not stop")
        return True

    def _pg_ctl_start(self, binaries: Binaries, port: int, extra: Mapping[str, str]) -> bool:
        options = {**server_settings(port, self.home / "socket"), **extra}
        line = " ".join(shlex.quote(f"--{name}={value}") for name, value in options.items())
        words = ["start", "-w", "-s", "-t", str(_START_SECONDS)]
        started = subprocess.run(
            [binaries.program("pg_ctl"), *words, "-D", self.data, "-l", self.log, "-o", line],
            cwd=self.home,
            env=for_others(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            **run_as(self.account),
        )
        return started.returncode == 0

    def _forget_dead_postmaster(self) -> None:
        """Remove the pid files of a server that is gone. PostgreSQL itself takes any process of its
        account that has the number for the server: another one after a restart, or, where nobody
        collects the dead, the killed server itself. That no worker of a dead server is left is
        still checked, by its shared memory."""
        if self.running() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            for left in (self.home / "socket").glob(".s.PGSQL.*"):
                left.unlink()

    def _log_since(self, position: int) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(position)
            return file.read().decode(errors="replace")

    def _own(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def _run(self, command: list[str], failure: str) -> None:
        done = subprocess.run(
            command,
            cwd=self.home,
            env=for_others(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **run_as(self.account),
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise WarehouseError(f"{failure}: {said[-1] if said else 'it gave no reason'}")
