"""The Ed25519 key that signs checkpoints and reports.

Belongs here: signing, the public key, and when one may be made. Does not belong here: where its bytes
are found (`material`), and what is signed.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention.errors import Refused, UsageError
from retention.keys.material import KEY_BYTES, Material, Place, find, make, place_of
from retention.settings import Settings
from retention.warehouse.connection import is_embedded

SIGNING = "signing"
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
    def key_id(self) -> str:
        """Names the key without saying anything about it."""
        return id_of_public(self.public)

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def signing_place(settings: Settings) -> Place:
    """Where signing keys are looked for."""
    return place_of(settings, SIGNING)


def signing_key_path(settings: Settings) -> Path:
    """Where the key lies when neither the environment nor a command gives it."""
    return signing_place(settings).path


def load_signing_key(
    settings: Settings, conn: Connection, env: Mapping[str, str] = os.environ
) -> SigningKey:
    """Return the current key. Raises as `load_signing_keys` does."""
    return load_signing_keys(settings, conn, env)[0]


def load_signing_keys(
    settings: Settings, conn: Connection, env: Mapping[str, str] = os.environ
) -> tuple[SigningKey, ...]:
    """Return the current key from the environment, a command or its file, and after it the one before,
    where that is at hand: what is signed at the change bears both signatures.

    Only for the embedded warehouse, and only before its first checkpoint, one is made. Raises Refused
    when there is none or others can read a file, UsageError when what is there is no key.
    """
    place = signing_place(settings)
    found = find(place, env)
    if found.current is None:
        _refuse_to_replace(settings, conn, place)
    current = signing_key(found.current or make(place))
    old = [key for key in map(signing_key, found.old) if key != current]
    if not old:
        return (current,)
    # By when they were taken into use; of keys that nobody used the first that is given.
    known = _known(conn)
    ranks = {one: rank for rank, one in enumerate(known)}
    return (current, min(old, key=lambda key: ranks.get(key.key_id, len(known))))


def trusted_publics(conn: Connection, keys: Sequence[SigningKey]) -> list[bytes]:
    """The public keys whose signature on the latest checkpoint is believed: of the keys at hand, and of
    those that an approver declared destroyed since it was exported. Another key may be anybody's."""
    rows = conn.execute(
        "select public_key from ledger.keys where kind = %s"
        " and destroyed_at > (select max(exported_at) from ledger.checkpoints)",
        (SIGNING,),
    ).fetchall()
    return [*(key.public for key in keys), *(bytes(row[0]) for row in rows)]


def known_publics(conn: Connection) -> list[bytes]:
    """The public keys of every signing key that the ledger knows to have been used."""
    rows = conn.execute("select public_key from ledger.keys where kind = %s", (SIGNING,)).fetchall()
    return [bytes(row[0]) for row in rows]


def id_of_public(public: bytes) -> str:
    """Names a signing key by its public key."""
    return hashlib.sha256(public).hexdigest()[:16]


def signing_key(found: Material) -> SigningKey:
    """The key pair of what was found. Raises UsageError where it is no seed."""
    if len(found.secret) != KEY_BYTES:
        raise UsageError(
            f"{found.source} holds no signing key: give exactly {KEY_BYTES} random bytes as"
            " hexadecimal or base64"
        )
    return SigningKey(found.secret)


def _refuse_to_replace(settings: Settings, conn: Connection, place: Place) -> None:
    row = conn.execute(
        "select exists (select from ledger.checkpoints) and not coalesce("
        "(select bool_and(destroyed_at is not null) from ledger.keys where kind = %s), false)",
        (SIGNING,),
    ).fetchone()
    if row and row[0]:
        raise Refused(
            f"the signing key is lost: put it back {place.how()}; whoever holds an earlier checkpoint"
            " does not believe one that another key signed alone"
        )
    if not is_embedded(settings):
        raise Refused(
            f"there is no signing key: put 32 random bytes, hexadecimal or base64, {place.how()}, and"
            " keep a copy"
        )


def _known(conn: Connection) -> list[str]:
    """The ids of the keys that were taken into use, the latest first."""
    rows = conn.execute(
        "select key_id from ledger.keys where kind = %s order by in_use_since desc", (SIGNING,)
    ).fetchall()
    return [row[0] for row in rows]
