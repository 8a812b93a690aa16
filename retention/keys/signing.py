"""The Ed25519 key that signs checkpoints and reports.

Belongs here: signing, the public key, and when one may be made. Does not belong here: where its bytes
are found (`material`), and what is signed.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention.errors import Refused, UsageError
from retention.keys.material import KEY_BYTES, Material, Place, find, make
from retention.settings import Settings
from retention.warehouse.connection import is_embedded

SIGNING_VARIABLE = "RETENTION_SIGNING_KEY"

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class SigningKey:
    """A key pair, made from its 32-byte seed, which is never shown."""

    seed: bytes = field(repr=False)

    @cached_property
    def public(self) -> bytes:
        """The public key: 32 raw bytes."""
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature: 64 bytes."""
        return self._private.sign(message)

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def signing_key_path(settings: Settings) -> Path:
    """Where the signing key lies when the environment does not hold it."""
    return settings.state / "keys" / "signing.key"


def load_signing_key(
    settings: Settings,
    conn: Connection,
    env: Mapping[str, str] = os.environ,
) -> SigningKey:
    """Return the key from the environment or from its file.

    Only for the embedded warehouse, and only before its first checkpoint, one is made. Raises Refused
    when there is none or others can read its file, UsageError when it is no key.
    """
    place = Place(SIGNING_VARIABLE, signing_key_path(settings))
    found = find(place, env)
    if found is None:
        _refuse_to_replace(settings, conn)
        found = make(place)
    return _signing_key(found)


def _signing_key(found: Material) -> SigningKey:
    if len(found.secret) != KEY_BYTES:
        raise UsageError(
            f"{found.source} holds no signing key: give exactly {KEY_BYTES} random bytes as"
            " hexadecimal or base64"
        )
    return SigningKey(found.secret)


def _refuse_to_replace(settings: Settings, conn: Connection) -> None:
    if _has_checkpoint(conn):
        raise Refused(
            f"the signing key is lost: put it back into {signing_key_path(settings)} or"
            f" {SIGNING_VARIABLE}; a checkpoint of another key is not believed by who holds the"
            " earlier ones"
        )
    if not is_embedded(settings):
        raise Refused(
            f"there is no signing key: put 32 random bytes, hexadecimal or base64, into"
            f" {SIGNING_VARIABLE} or into {signing_key_path(settings)} (mode 0600), and keep a copy"
        )


def _has_checkpoint(conn: Connection) -> bool:
    row = conn.execute("select to_regclass('ledger.checkpoints') is not null").fetchone()
    if not (row and row[0]):
        return False
    row = conn.execute("select exists (select from ledger.checkpoints)").fetchone()
    return bool(row and row[0])
