"""One purge against one racer at a time, each in a session of its own, brought together on purpose.

Belongs here: starting a racer at a chosen instant of a batch, seeing who waits for whom, and the
verdict. Does not belong here: what the racers do (`racers`), and holding the purge up (`gate`).

"Wrong" is a row deleted although its blocker had committed, or was in progress, before the batch took
the lock that the blocker meets. A racer is in progress once its statement has returned.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from retention.plan import Plan
from retention.purge import PurgeResult, execute
from retention.warehouse.connection import connect
from tests.crash.gate import BEFORE, GUARDED, LOCKED, Gate
from tests.crash.racers import Change, Racer
from tests.factories import Shop

Connection = psycopg.Connection[Any]

_TAKEN = {"ours": GUARDED, "landing": LOCKED}
_PATIENCE = 60.0
# What a racer hears that comes when nothing is left to act on, or that had to give way.
_COMES_TOO_LATE = ("SL002", "40P01")


@dataclass
class Running:
    """One racer on its way. It acts, then waits for `end`."""

    pid: int
    acted: threading.Event = field(default_factory=threading.Event)
    end: threading.Event = field(default_factory=threading.Event)
    acted_at: float | None = None
    change: Change | None = None
    committed: bool = False


@dataclass(frozen=True)
class Verdict:
    """How one interleaving ended. `waited`: one of the two was seen waiting for a lock of the other."""

    waited: bool
    wrong: bool
    needlessly_kept: bool
    change: Change | None


class Race:
    """An approved plan on its way, one case a batch, and the sessions that race against it."""

    def __init__(self, shop: Shop, plan: Plan, gate: Gate, pool: ThreadPoolExecutor) -> None:
        self.plan, self.gate, self.pool = plan, gate, pool
        # One for this thread, one for the purge's: it looks as well, from within a batch.
        self.observer = connect(shop.settings, autocommit=True)
        self.second_observer = connect(shop.settings, autocommit=True)
        self.sessions = {"ours": connect(shop.approver), "landing": connect(shop.settings)}
        self.purge: Future[PurgeResult] = pool.submit(
            execute, shop.settings, plan.plan_id, batch_items=1
        )

    def next_person(self) -> int | None:
        """The person whose case is the next batch."""
        row = self.observer.execute(
            "select case_id from ledger.plan_items where plan_id = %s and state = 'planned'"
            " order by item_no limit 1",
            (self.plan.plan_id,),
        ).fetchone()
        return None if row is None else int(row[0].rpartition(":")[2])

    def run(self, racer: Racer, number: int, instant: str | float, *, commit: bool) -> Verdict:
        """Let the racer start at an instant of the next batch, which is that person's, or so many
        seconds after it began; end it once the batch waits for it, or is over."""
        items = self._items(racer)
        conn = self.sessions[racer.guard]
        running = Running(conn.info.backend_pid)
        racing: list[Future[None]] = []

        def start() -> None:
            racing.append(self.pool.submit(_race, conn, racer, number, running, commit))

        def start_and_see() -> None:
            start()
            while not running.acted.wait(0.001):
                if _waits(self.second_observer, running.pid, self.gate.pid):
                    return

        if instant == BEFORE:
            start_and_see()
        elif isinstance(instant, str):
            self.gate.at[instant] = start_and_see
        self.gate.let_one_go()
        if isinstance(instant, float):
            time.sleep(instant)
            start()
        waited = self._until_over(running, racing)
        self.gate.at.clear()

        taken = self.gate.passed.get(_TAKEN[racer.guard])
        came_first = running.acted_at is not None and taken is not None and running.acted_at < taken
        blocked = racer.blocks and came_first and running.committed
        purged = self._purged(items)
        return Verdict(
            waited=waited,
            wrong=blocked and purged > 0,
            needlessly_kept=not blocked and purged < len(items),
            change=running.change if running.committed else None,
        )

    def _until_over(self, running: Running, racing: list[Future[None]]) -> bool:
        """Return, when the batch is over, whether one of the two waited for the other."""
        waited = False
        deadline = time.monotonic() + _PATIENCE
        while True:
            assert time.monotonic() < deadline, "purge and racer wait for ever"
            if self.purge.done():
                self.purge.result()
            if _waits(self.observer, self.gate.pid, running.pid):
                waited = True
                running.end.set()
            waited = waited or _waits(self.observer, running.pid, self.gate.pid)
            over = self.gate.over()
            if over is None:
                continue
            if racing:
                running.end.set()
                racing[0].result(timeout=_PATIENCE)
            if over:
                return waited
            # The batch gave way, which undid it, and is tried again.
            self.gate.let_one_go()

    def _items(self, racer: Racer) -> list[int]:
        """The items of the next case that must stay where the racer comes first."""
        rows = self.observer.execute(
            "select item_no, source_table from ledger.plan_items"
            " where plan_id = %(plan)s and state = 'planned' and case_id = ("
            " select case_id from ledger.plan_items where plan_id = %(plan)s and state = 'planned'"
            " order by item_no limit 1)",
            {"plan": self.plan.plan_id},
        ).fetchall()
        items = [n for n, table in rows if racer.protects is None or table in racer.protects]
        assert items, f"{racer.kind} protects nothing of this case"
        return items

    def _purged(self, items: list[int]) -> int:
        row = self.observer.execute(
            "select count(*) from ledger.plan_items"
            " where plan_id = %s and item_no = any(%s) and state = 'purged'",
            (self.plan.plan_id, items),
        ).fetchone()
        assert row is not None
        return int(row[0])


@contextmanager
def race(shop: Shop, plan: Plan, gate: Gate) -> Iterator[Race]:
    """Begin to carry the plan out; at the end of the block what is left of it is carried out freely."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        begun = Race(shop, plan, gate, pool)
        try:
            gate.wait()
            yield begun
        finally:
            gate.open()
            begun.purge.exception(timeout=_PATIENCE)
            for conn in (begun.observer, begun.second_observer, *begun.sessions.values()):
                conn.close()
        begun.purge.result()


def _waits(observer: Connection, waiting: int, for_whom: int) -> bool:
    row = observer.execute("select %s = any(pg_blocking_pids(%s))", (for_whom, waiting)).fetchone()
    return bool(row and row[0])


def _race(conn: Connection, racer: Racer, number: int, running: Running, commit: bool) -> None:
    try:
        running.change = racer.act(conn, number)
        running.acted_at = time.monotonic()
        running.acted.set()
        running.end.wait(_PATIENCE)
        if commit:
            conn.commit()
            running.committed = True
    except psycopg.Error as error:
        if error.sqlstate not in _COMES_TOO_LATE:
            raise
    finally:
        running.acted.set()
        conn.rollback()
