"""Which keys there are, where each comes from, and what still needs it.

Belongs here: the answer of `retention keys list`. Does not belong here: anything that changes a key.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import psycopg
from psycopg.rows import dict_row

from retention.keys.held import Held, Kind, held
from retention.keys.signing import SigningKey
from retention.ledger import tree
from retention.ledger.failures import safe_errors
from retention.settings import Settings
from retention.warehouse.connection import connect
from retention.warehouse.roles import READER
from verifier.verify_evidence import Key

Connection = psycopg.Connection[Any]

State = Literal["current", "old", "not at hand", "destroyed"]

_NOTHING: dict[str, Any] = {
    "public_key": None,
    "in_use_since": None,
    "is_destroyed": False,
    "tombstones": 0,
    "column_tombstones": 0,
    "open_plans": 0,
    "suppressions": 0,
}


@dataclass(frozen=True)
class KeyStanding:
    """One key: `source` is the variable or file that it comes from, `since` when it was first used.

    The four counts are what an HMAC key is needed for. `vkey` is what auditors are given of a signing
    key."""

    kind: Kind
    key_id: str
    state: State
    source: str | None
    since: datetime | None
    tombstones: int
    column_tombstones: int
    open_plans: int
    suppressions: int
    vkey: str | None


def key_standings(settings: Settings, env: Mapping[str, str] = os.environ) -> list[KeyStanding]:
    """Every key that is at hand or was ever used: by kind, the current one first, then the latest.

    A key that is missing is shown and not refused. Raises Refused and UsageError as finding keys does.
    """
    at_hand = [(kind, one) for kind in get_args(Kind) for one in held(settings, kind, env)]
    with connect(settings, role=READER, read_only=True) as conn, safe_errors("listing the keys"):
        known = _known(conn)
        origin = tree.origin(conn)
    standings: dict[tuple[Kind, str], KeyStanding] = {}
    for kind, one in at_hand:
        name = (kind, one.key.key_id)
        # A key that is given twice counts as what it is first.
        standings.setdefault(name, _standing(name, one, known.get(name, _NOTHING), origin))
    for name, row in known.items():
        standings.setdefault(name, _standing(name, None, row, origin))
    # Stable: within a kind as found, the keys at hand before those that are not.
    return sorted(standings.values(), key=lambda one: one.kind)


def _standing(
    name: tuple[Kind, str], one: Held | None, row: Mapping[str, Any], origin: str
) -> KeyStanding:
    kind, key_id = name
    public = one.key.public if one and isinstance(one.key, SigningKey) else row["public_key"]
    state: State = "not at hand"
    if row["is_destroyed"]:
        state = "destroyed"
    elif one:
        state = "current" if one.is_current else "old"
    return KeyStanding(
        kind,
        key_id,
        state,
        one.source if one else None,
        row["in_use_since"],
        row["tombstones"],
        row["column_tombstones"],
        row["open_plans"],
        row["suppressions"],
        Key(origin, public).vkey if public else None,
    )


def _known(conn: Connection) -> dict[tuple[Kind, str], dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            select kind, key_id, keys.public_key, keys.in_use_since,
                keys.destroyed_at is not null as is_destroyed,
                coalesce(needs.tombstones, 0) as tombstones,
                coalesce(needs.column_tombstones, 0) as column_tombstones,
                coalesce(needs.open_plans, 0) as open_plans,
                coalesce(needs.suppressions, 0) as suppressions
            from ledger.keys as keys
            full join (select 'hmac' as kind, * from ledger.hmac_key_needs) as needs
                using (kind, key_id)
            order by keys.in_use_since desc nulls last
            """
        ).fetchall()
    return {(row["kind"], row["key_id"]): row for row in rows}
