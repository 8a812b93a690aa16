"""A warehouse whose approved plans Dagster carries out: servers as `retention up` starts them.

Belongs here: the sample in parts that are planned one after the other, the servers, the process that a
run is, and what must add up at the end of a plan. Does not belong here: when anything is killed.
"""

import dataclasses
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from landing.sample import land_sample
from landing.sample.tables import TABLES
from orchestration.run import run_job
from orchestration.services import start_services
from retention import classify, holds, plan, processes, verify
from retention.ledger import entries
from retention.plan import Plan
from retention.purge.external import UNCONFIRMED
from retention.purge.reclassified import STANDS_FOR_OTHERS
from retention.settings import Settings
from retention.warehouse.connection import connect
from tests.keys import make_keys

Connection = psycopg.Connection[Any]
Landing = dict[str, frozenset[str]]

_OVERDUE: LiteralString = (
    "select distinct subject_token::text from retention.records"
    " where status = 'overdue' and disposition = 'purge' and subject_token is not null order by 1"
)


@dataclasses.dataclass
class Instance:
    """The warehouse, and the persons whose records are still to be planned, a part for each plan."""

    settings: Settings
    approver: Settings
    conn: Connection
    parts: list[list[UUID]]

    def approved_plan(self) -> Plan:
        """Release the next persons, plan what is due of them, and approve."""
        for blocker_id in self.parts.pop():
            holds.release(self.settings, blocker_id)
        made = plan.create(self.settings)
        assert made.items
        return plan.approve(self.approver, made.plan_id, made.digest)

    def start(self) -> None:
        """Start Dagster's servers where they do not run, as `retention up` does."""
        start_services(self.settings)

    def kill_workers(self) -> int:
        """Kill the processes that carry out a run: children of the code server that were spawned."""
        killed = 0
        for pid in _children(self._pid("code-server")):
            if processes.runs(pid, "spawn_main"):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        return killed

    def kill_daemon(self) -> int:
        os.kill(self._pid("daemon"), signal.SIGKILL)
        return 1

    def _pid(self, service: str) -> int:
        record = self.settings.state / "dagster" / "services" / f"{service}.json"
        pid: int = json.loads(record.read_text())["pid"]
        return pid

    @contextmanager
    def batch_waiting(self) -> Iterator[None]:
        """Hold up a batch on landing's lock; the block begins when one waits for it."""
        with connect(self.settings) as writer:
            writer.execute("lock table crm.person in row exclusive mode")
            pid = writer.info.backend_pid
            wait_until(
                lambda: self.one(
                    "select exists (select from pg_stat_activity where %s = any(pg_blocking_pids(pid)))",
                    pid,
                ),
                "the plan is not begun",
            )
            yield
            writer.rollback()

    def state(self, of: Plan) -> str:
        return plan.show(self.settings, of.plan_id).state

    def landing(self) -> Landing:
        """Every landing row as text."""
        found: Landing = {}
        for table in TABLES:
            rows = self.conn.execute(
                sql.SQL("select ctid::text || landed::text from {} as landed").format(
                    sql.Identifier(table.schema, table.name)
                )
            ).fetchall()
            found[table.qualified] = frozenset(row[0] for row in rows)
        self.conn.rollback()
        return found

    def check_end(self, of: Plan, before: Landing) -> int:
        """The plan was carried out: once, whole, with evidence for each row, and the rows outside it
        are the same. Returns the rows compared."""
        now = self.landing()
        # A minimised row stands there in another version.
        changed = Counter({name: len(now[name] - before[name]) for name in before})
        gone = Counter({name: len(before[name] - now[name]) for name in before}) - changed
        batches = entries.of_plan(self.conn, of.plan_id, "batch")
        proven: Counter[str] = Counter()
        minimised: Counter[str] = Counter()
        for batch in batches:
            proven.update({t["table"]: t["purged"] for t in batch.content["tables"]})
            minimised.update({t["table"]: t["minimised"] for t in batch.content["tables"]})
        assert +changed == +minimised, "a row outside the plan changed"
        buried = Counter(
            dict(
                self.conn.execute(
                    "select source_schema || '.' || source_table, count(*) from ledger.tombstones"
                    " where plan_id = %s group by 1",
                    (of.plan_id,),
                ).fetchall()
            )
        )
        assert +gone == +proven == buried, "rows without evidence, or evidence without rows"
        skipped = {
            reason.removeprefix("skipped: "): count
            for reason, count in plan.show(self.settings, of.plan_id).outcome.items()
            if reason.startswith("skipped: ")
        }
        assert skipped.keys() <= {UNCONFIRMED, STANDS_FOR_OTHERS}, skipped
        done = buried.total() + minimised.total()
        assert done + sum(skipped.values()) == of.items, "something was left"
        assert buried.total() > 0
        numbers = [batch.content["batch_no"] for batch in batches]
        assert numbers == sorted(set(numbers)), "a batch is doubled"
        assert len(entries.of_plan(self.conn, of.plan_id, "executed")) == 1
        self.conn.rollback()
        assert verify.read_back(self.settings, of.plan_id).findings == ()
        return sum(map(len, now.values()))

    def one(self, query: LiteralString, *values: Any) -> Any:
        row = self.conn.execute(query, values).fetchone()
        self.conn.rollback()
        assert row is not None
        return row[0]


def make_instance(settings: Settings, approver_url: str, *, people: int, parts: int) -> Instance:
    """Land and classify a sample, and hold every person who is due: each plan gets a part of them."""
    make_keys(settings)
    with connect(settings) as conn:
        land_sample(conn, people=people, seed=7, as_of=classify.today())
    assert run_job(settings, "classify_records").success
    conn = connect(settings)
    persons = [row[0] for row in conn.execute(_OVERDUE).fetchall()]
    conn.rollback()
    assert len(persons) >= parts
    placed = [
        holds.place(
            settings, kind="hold", scope="subject", target=token, reason="next", authority="a test"
        )
        for token in persons
    ]
    return Instance(
        settings=settings,
        approver=dataclasses.replace(settings, database_url=approver_url),
        conn=conn,
        parts=[placed[number::parts] for number in range(parts)],
    )


def wait_until(there: Callable[[], bool], otherwise: str, seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(words[1]) == parent:
                found.append(int(entry.name))
    return found
