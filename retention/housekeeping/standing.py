"""Whether house is kept: when it was last, and what lies about for longer than it should.

Belongs here: the findings of it. Does not belong here: removing anything, and the orchestrator's
traces, of which only the last housekeeping's evidence speaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from retention.classify import today
from retention.findings import Finding
from retention.housekeeping import plans, schemas
from retention.housekeeping.rules import Rule, traces
from retention.housekeeping.sweep import in_state_folder, replay_rule
from retention.policy import Policy
from retention.rights.package import expiry as packages
from retention.settings import Settings

Connection = psycopg.Connection[Any]


def findings(conn: Connection, settings: Settings, policy: Policy) -> Iterator[Finding]:
    """A finding where house was not kept for the policy's days of patience, one where copies made for
    persons are past their day, and one a kind of trace that is older than its rule and its grace."""
    patience = policy.operations.housekeeping_patience_days.value
    row = conn.execute(
        "select ledger.today() - (coalesce("
        " (select max(at) from ledger.entries where kind = 'housekeeping'),"
        " (select min(started_at) from ledger.classifications)"
        ") at time zone 'Europe/Oslo')::date"
    ).fetchone()
    days = row[0] if row else None
    if days is not None and days > patience:
        yield Finding(
            "housekeeping_stale",
            f"house was not kept for {days} days: run `retention housekeep`, or see why the schedule"
            " did not",
        )
    yield from packages.findings(conn, settings)
    for kind, count in _overdue(conn, settings, policy):
        yield Finding(
            "traces_overdue",
            f"{kind}: {count} older than the policy keeps them, and than the days of grace:"
            " `retention housekeep` removes them, or says why not",
        )


def _overdue(conn: Connection, settings: Settings, policy: Policy) -> Iterator[tuple[str, int]]:
    grace, day = policy.operations.grace_days.value, today()
    items = Rule("plan_items", traces(policy).plans.value, "").with_grace(grace)
    replays = replay_rule(policy).with_grace(grace)
    counted = [
        (items.kind, plans.forget_items(conn, items, day, remove=False).due),
        (replays.kind, len(schemas.due_replays(conn, replays, day))),
        *(
            (one.kind, one.due)
            for one in in_state_folder(settings, policy, day, remove=False, grace=grace)
        ),
    ]
    yield from ((kind, count) for kind, count in counted if count)
