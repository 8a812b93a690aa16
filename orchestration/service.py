"""One server process that outlives the command that started it.

Belongs here: starting it with a record and a log, telling later whether it still runs, whether it
answers, ending it.
Does not belong here: which servers there are (services.py).
"""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention import processes, state
from retention.errors import RetentionError
from retention.ports import LOOPBACK

_START_SECONDS = 300.0  # the code server may have to parse the dbt project first
_LOG_KEPT_BYTES = 5_000_000


@dataclass(frozen=True)
class Service:
    """A server by name; its record and its log lie in `folder`."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(
        self, arguments: tuple[str, ...], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start it with this interpreter as the leader of a session of its own."""
        if self.log.exists() and self.log.stat().st_size > _LOG_KEPT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        state.write_record(self._record, {"pid": process.pid, "sign": " ".join(arguments)})
        return process

    def wait(self, process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
        """Return when `ready`. Raises RetentionError when it ends before that or takes too long."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            if process.poll() is not None:
                raise RetentionError(f"the {self.name} server ended at once: {self.log} says why")
            if ready():
                # It outlives this command: without this, Python complains that nobody waited.
                process.returncode = 0
                return
            if time.monotonic() >= deadline:
                raise RetentionError(f"the {self.name} server does not answer: see {self.log}")
            time.sleep(0.2)

    def running(self) -> dict[str, Any] | None:
        """Return its record, `pid` and `sign` (its command), if that very process still runs."""
        record = state.read_record(self._record)
        if record is None or not processes.runs(record["pid"], record["sign"]):
            return None
        return record

    def stop(self) -> bool:
        """End it and what it started, if it runs. Returns whether it ran."""
        record = self.running()
        if record is not None:
            # The runs that are going are its children in the same group.
            processes.end_group(record["pid"])
        self._record.unlink(missing_ok=True)
        return record is not None

    @property
    def _record(self) -> Path:
        return self.folder / f"{self.name}.json"


def accepts(port: int) -> bool:
    """True when something takes connections at `port` of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


def answers(address: str) -> bool:
    """True when the server at `address` gives a page."""
    # The machine's proxy, if it has one, knows nothing of our loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=5.0) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
