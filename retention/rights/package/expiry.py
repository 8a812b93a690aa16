"""The end of a package: its file is removed after its day, and that is written down.

Belongs here: where packages lie, removing those past their day, and the finding about one that is still
there. Does not belong here: when house is kept (`retention.housekeeping`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg

from retention.findings import Finding
from retention.housekeeping import files
from retention.housekeeping.rules import Rule, Swept
from retention.policy import Policy
from retention.settings import Settings
from retention.warehouse.clock import today

Connection = psycopg.Connection[Any]

KIND = "packages"
_NAMES = re.compile(r"(draft|copy)-[0-9a-f-]{36}-[0-9a-f]{8}\.zip")
_ANY_AGE = datetime.max.replace(tzinfo=UTC)


def folder_of(settings: Settings) -> Path:
    """Where packages lie."""
    return settings.state / "packages"


def sweep(
    settings: Settings, conn: Connection, policy: Policy, day: date, *, remove: bool
) -> Swept:
    """Remove the files of packages past their day, and those that nobody registered and are as old.

    Raises UsageError where they belong to another account."""
    rule = Rule(KIND, policy.rights.package_days.value, "the day it was made")
    folder = folder_of(settings)
    due = [name for (name,) in conn.execute("select ledger.due_packages(%s)", (day,)).fetchall()]
    found = removed = 0
    for names, before in ((_any_of(due), _ANY_AGE), (_NAMES, rule.before(day))):
        count = files.sweep(settings.state, folder, names, before, remove=remove)
        found += count
        removed += count if remove else 0
    gone = [name for name in due if not (folder / name).exists()]
    if remove and gone:
        conn.execute("select ledger.note_packages_removed(%s)", (gone,))
    if remove:
        conn.execute("select ledger.forget_gone_records()")
    return Swept(rule.kind, rule.kept, found, removed)


def findings(conn: Connection, settings: Settings) -> Iterator[Finding]:
    """A finding where copies made for persons lie about past their day."""
    due = conn.execute("select ledger.due_packages(%s)", (today(conn),)).fetchall()
    left = [name for (name,) in due if (folder_of(settings) / name).exists()]
    if left:
        yield Finding(
            "package_past_its_day",
            f"{len(left)} encrypted copies made for persons are past their day: `retention housekeep`"
            " removes them",
        )


def _any_of(names: list[str]) -> re.Pattern[str]:
    # None at all where there is none: an empty alternative would match an empty name.
    return re.compile("|".join(map(re.escape, names)) or r"(?!)")
