"""Writing and reading the evidence.

Belongs here: the one way Python appends an entry, and reading entries back as they were written. Does
not belong here: what an entry says, which its writer knows; plans, approvals, blockers and decisions
write theirs inside the database.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Entry:
    """One entry: its number, kind, canonical JSON, leaf hash (hex), time, and its place in the tree, None
    before it has one."""

    entry_id: int
    kind: str
    body: str
    leaf_hash: str
    at: datetime
    leaf_index: int | None

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content

    def is_numbered_below(self, size: int) -> bool:
        """Whether the tree of that size holds it."""
        return self.leaf_index is not None and self.leaf_index < size


def append(conn: Connection, kind: str, body: Mapping[str, Any]) -> int:
    """Append an entry in the caller's transaction and return its number.

    `body` holds text, whole numbers, booleans, null, lists and mappings of those: never a key or a
    value of a record. It is written as canonical JSON (RFC 8785), so that its hash can be checked by
    anyone. The database adds `entry`, the kind, and `at`, the time (UTC).
    """
    row = conn.execute("select ledger.append_entry(%s, %s)", (kind, Jsonb(dict(body)))).fetchone()
    assert row is not None
    return int(row[0])


_SELECT = (
    "select entry_id, kind, body, encode(leaf_hash, 'hex'), at, leaf_index"
    " from ledger.entries left join ledger.leaves using (entry_id)"
)


def numbered(conn: Connection, entry_ids: Sequence[int]) -> list[Entry]:
    """The entries of those ids, in the order of the tree."""
    rows = conn.execute(
        f"{_SELECT} where entry_id = any(%s) order by leaf_index, entry_id", (list(entry_ids),)
    ).fetchall()
    return [Entry(*row) for row in rows]


def of_plan(conn: Connection, plan_id: UUID, kind: str | None = None) -> list[Entry]:
    """Every entry about the plan, in the order written; only those of `kind` where it is given."""
    rows = conn.execute(
        f"{_SELECT} where body::jsonb ? 'plan_id' and body::jsonb ->> 'plan_id' = %(plan)s"
        " and coalesce(kind = %(kind)s, true) order by leaf_index, entry_id",
        {"plan": str(plan_id), "kind": kind},
    ).fetchall()
    return [Entry(*row) for row in rows]
