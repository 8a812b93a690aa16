"""Holding a purge up: before each of its batches, and at the instants within one.

Belongs here: standing between the steps of a batch without changing any of them. Does not belong here:
what happens meanwhile (`racing`).
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from retention.purge import delete, guards, run
from retention.purge.batch import run_batch

Connection = psycopg.Connection[Any]

#: The instants of a batch at which a racer can start, in their order.
BEFORE = "before the batch"
UNGUARDED = "before our guards"
GUARDED = "behind our guards"
LOCKED = "behind landing's lock"
DELETED = "behind the deletes"
INSTANTS = (BEFORE, UNGUARDED, GUARDED, LOCKED, DELETED)

_PATIENCE = 60.0


class Gate:
    """Lets the batches of one purge go one at a time. `at` holds what is called, once, at an instant
    of the batch, in the purge's own thread; `passed` when each instant was passed."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.pid = 0
        self.at: dict[str, Callable[[], None]] = {}
        self.passed: dict[str, float] = {}
        self._ended: queue.Queue[bool] = queue.Queue()
        self._go = threading.Semaphore(0)
        self._arrived = threading.Event()
        self._open = False
        patch.setattr(run, "run_batch", self._one_at_a_time(run_batch))
        # A batch that gave way is tried again when the gate says so.
        patch.setattr(run, "_PAUSE_SECONDS", 0.0)
        for module, name, first, last in (
            (guards, "skip_guarded", UNGUARDED, GUARDED),
            (guards, "lock_landing", None, LOCKED),
            (delete, "delete_copies", DELETED, None),
        ):
            patch.setattr(module, name, self._between(first, getattr(module, name), last))

    def let_one_go(self) -> None:
        """Let the next batch go, when the purge has come to it."""
        self._go.release()

    def wait(self) -> None:
        """Return when the purge stands before a batch."""
        assert self._arrived.wait(_PATIENCE), "the purge never came to a batch"

    def over(self) -> bool | None:
        """Whether the batch that was let go was carried out, or gave way; None while it is going."""
        try:
            return self._ended.get(timeout=0.001)
        except queue.Empty:
            return None

    def open(self) -> None:
        """Let everything go from now on."""
        self._open = True
        self.at.clear()
        self._go.release()

    def _one_at_a_time(self, batch: Callable[..., Any]) -> Callable[..., Any]:
        def attempt(conn: Connection, *args: Any, **kwargs: Any) -> Any:
            self.pid = conn.info.backend_pid
            self._arrived.set()
            if not self._open:
                assert self._go.acquire(timeout=_PATIENCE), "nobody let the batch go"
            self.passed = {}
            carried_out = False
            try:
                said = batch(conn, *args, **kwargs)
                carried_out = True
                return said
            finally:
                self._ended.put(carried_out)

        return attempt

    def _between(
        self, first: str | None, step: Callable[..., Any], last: str | None
    ) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._reach(first)
            result = step(*args, **kwargs)
            self._reach(last)
            return result

        return watched

    def _reach(self, instant: str | None) -> None:
        if instant is None:
            return
        # Before the racer's start: what it does from here on comes after the batch's own step.
        self.passed.setdefault(instant, time.monotonic())
        if instant in self.at:
            self.at.pop(instant)()
