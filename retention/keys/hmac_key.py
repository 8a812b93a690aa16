"""The HMAC key behind the tombstones' tokens.

Belongs here: what is derived from it, and when one may be made. Does not belong here: where its bytes
are found (`material`), and computing many tokens, which the database does.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from retention.errors import Refused
from retention.keys.material import Place, find, make
from retention.settings import Settings
from retention.warehouse.connection import is_embedded

VARIABLE = "RETENTION_HMAC_KEY"
EPOCH = 0

_PURPOSE = "sletteplikt/tombstone/v1"
_SUPPRESSION = "sletteplikt/suppression/v1"
_BLOCK = 64  # SHA-256's block, to which HMAC pads its key


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


def key_path(settings: Settings) -> Path:
    """Where the key lies when the environment does not hold it."""
    return settings.state / "keys" / "hmac.key"


def load_key(
    settings: Settings,
    conn: psycopg.Connection[Any],
    env: Mapping[str, str] = os.environ,
) -> MasterKey:
    """Return the key from the environment or from its file.

    Only for the embedded warehouse, and only before its first plan, one is made. Raises Refused when
    there is none or others can read its file, UsageError when it is no key.
    """
    place = _place(settings)
    found = find(place, env)
    if found is None:
        _refuse_to_replace(settings, conn)
        found = make(place)
    return MasterKey(found.secret)


def has_key(settings: Settings, env: Mapping[str, str] = os.environ) -> bool:
    """Whether a key was given or made; what needs one only where something was planned asks first."""
    return _place(settings).is_there(env)


def _place(settings: Settings) -> Place:
    return Place(VARIABLE, key_path(settings))


def _refuse_to_replace(settings: Settings, conn: psycopg.Connection[Any]) -> None:
    row = conn.execute(
        "select key_id from ledger.plans order by planned_at desc limit 1"
    ).fetchone()
    if row is not None:
        raise Refused(
            f"the HMAC key {row[0]} is lost: put it back into {key_path(settings)} or {VARIABLE};"
            " without it nothing is planned, purged or read back"
        )
    if not is_embedded(settings):
        raise Refused(
            f"there is no HMAC key: put 32 random bytes, hexadecimal or base64, into {VARIABLE}"
            f" or into {key_path(settings)} (mode 0600), and keep a copy"
        )
