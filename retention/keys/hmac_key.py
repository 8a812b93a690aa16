"""The HMAC key behind the tombstones' tokens.

Belongs here: what is derived from it, and when one may be made. Does not belong here: where its bytes
are found (`material`), and computing many tokens, which the database does.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from retention.errors import Refused
from retention.keys.material import AtHand, Place, find, make, place_of
from retention.settings import Settings
from retention.warehouse.connection import is_embedded

HMAC = "hmac"
VARIABLE = "RETENTION_HMAC_KEY"
EPOCH = 0

_PURPOSE = "sletteplikt/tombstone/v1"
_SUPPRESSION = "sletteplikt/suppression/v1"
_RECTIFICATION = "sletteplikt/rectification/v1"
_BLOCK = 64  # SHA-256's block, to which HMAC pads its key

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class MasterKey:
    """The key that every table's key is derived from. Its value is never shown."""

    secret: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """Names the key without saying anything about it."""
        return hashlib.sha256(self.secret + b"id").hexdigest()[:16]

    def pads(self, qualified: str, epoch: int = EPOCH) -> tuple[bytes, bytes]:
        """The inner and outer pad of HMAC-SHA-256 under the key of table `schema.table`."""
        return self._pads(f"{_PURPOSE}/{epoch}/{qualified}")

    def suppression_pads(self, epoch: int = EPOCH) -> tuple[bytes, bytes]:
        """The pads of the key under which contact points are suppressed, whatever table they are in."""
        return self._pads(f"{_SUPPRESSION}/{epoch}")

    def rectification_pads(self, epoch: int = EPOCH) -> tuple[bytes, bytes]:
        """The pads of the key under which a value that is corrected is known again, wherever it is."""
        return self._pads(f"{_RECTIFICATION}/{epoch}")

    def derived(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose, which says nothing about any other."""
        return hmac.digest(self.secret, purpose.encode(), "sha256")

    def _pads(self, purpose: str) -> tuple[bytes, bytes]:
        derived = self.derived(purpose).ljust(_BLOCK, b"\0")
        return bytes(b ^ 0x36 for b in derived), bytes(b ^ 0x5C for b in derived)

    def token(self, qualified: str, record_key: str, epoch: int = EPOCH) -> bytes:
        """The token of one record; the database computes the same for many."""
        inner, outer = self.pads(qualified, epoch)
        inside = hashlib.sha256(inner + record_key.encode()).digest()
        return hashlib.sha256(outer + inside).digest()


@dataclass(frozen=True)
class HmacKeys:
    """The HMAC keys at hand. What is written now is written under `current`; what is looked for may have
    been written under any of `needed`."""

    current: MasterKey
    old: tuple[MasterKey, ...]
    needed: tuple[MasterKey, ...]

    @property
    def at_hand(self) -> tuple[MasterKey, ...]:
        """All of them, the current one first."""
        return (self.current, *self.old)

    def get(self, key_id: str) -> MasterKey | None:
        """The key of that id, None where it is not at hand."""
        return next((key for key in self.at_hand if key.key_id == key_id), None)


def hmac_place(settings: Settings) -> Place:
    """Where HMAC keys are looked for."""
    return place_of(settings, HMAC)


def key_path(settings: Settings) -> Path:
    """Where the key lies when neither the environment nor a command gives it."""
    return hmac_place(settings).path


def load_keys(
    settings: Settings, conn: Connection, env: Mapping[str, str] = os.environ
) -> HmacKeys:
    """Return the keys from the environment, a command or their files.

    Only for the embedded warehouse, and only before a first one was used, one is made. Raises Refused
    when there is none, when one is missing that tombstones or suppressions were written under and that
    nobody declared destroyed, or when others can read a file; UsageError when what is there is no key.
    """
    place = hmac_place(settings)
    found = find(place, env)
    current = _current(settings, conn, place, found)
    keys = HmacKeys(current, tuple(MasterKey(one.secret) for one in found.old), ())
    needed = []
    for (key_id,) in conn.execute("select ledger.hmac_keys_needed() order by 1").fetchall():
        key = keys.get(key_id)
        if key is None:
            raise Refused(
                f"rows were purged, or objections kept, under the HMAC key {key_id}, which is not at hand:"
                f" without it none of them is recognised when it lands again; put that key back into"
                f" {place.old_path(key_id)} (mode 0600) or {place.old_variable}"
            )
        needed.append(key)
    return replace(keys, needed=tuple(needed))


def key_of_plan(conn: Connection, plan_id: UUID, keys: HmacKeys) -> MasterKey:
    """The key that the plan was frozen with; where that is not at hand the current one, which the gate
    before the first batch refuses."""
    row = conn.execute("select key_id from ledger.plans where plan_id = %s", (plan_id,)).fetchone()
    return (row and keys.get(row[0])) or keys.current


def load_key(
    settings: Settings, conn: Connection, env: Mapping[str, str] = os.environ
) -> MasterKey:
    """Return the current key, whatever else is missing. Otherwise as `load_keys`."""
    place = hmac_place(settings)
    return _current(settings, conn, place, find(place, env))


def has_key(settings: Settings, env: Mapping[str, str] = os.environ) -> bool:
    """Whether a key was given or made; what needs one only where something was planned asks first."""
    return hmac_place(settings).is_there(env)


def is_needed(conn: Connection) -> bool:
    """Whether anything was written under a key that must be at hand."""
    row = conn.execute("select exists (select ledger.hmac_keys_needed())").fetchone()
    return bool(row and row[0])


def _current(settings: Settings, conn: Connection, place: Place, found: AtHand) -> MasterKey:
    if found.current is None:
        _refuse_to_replace(settings, conn, place)
    return MasterKey((found.current or make(place)).secret)


def _refuse_to_replace(settings: Settings, conn: Connection, place: Place) -> None:
    row = conn.execute(
        "select key_id from ledger.keys where kind = %s and destroyed_at is null"
        " order by in_use_since desc limit 1",
        (HMAC,),
    ).fetchone()
    if row is not None:
        raise Refused(
            f"the HMAC key {row[0]} is lost: put it back {place.how()}; without it nothing is planned,"
            " purged or read back"
        )
    if not is_embedded(settings):
        raise Refused(
            f"there is no HMAC key: put 32 random bytes, hexadecimal or base64, {place.how()}, and keep"
            " a copy"
        )
