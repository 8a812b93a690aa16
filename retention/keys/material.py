"""Where the bytes of a key come from: the environment, else a file that only its owner may read.

Belongs here: reading them, whatever the key is for. Does not belong here: what a kind of key is used
for, and when one may be made.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from retention import state
from retention.errors import Refused, UsageError

KEY_BYTES = 32


@dataclass(frozen=True)
class Place:
    """Where a kind of key is looked for: an environment variable, else a file."""

    variable: str
    path: Path

    def is_there(self, env: Mapping[str, str]) -> bool:
        """Whether a key was given or made."""
        return bool(env.get(self.variable)) or self.path.exists()


@dataclass(frozen=True)
class Material:
    """A key's bytes, never shown, and where they were found."""

    secret: bytes = field(repr=False)
    source: str


def find(place: Place, env: Mapping[str, str]) -> Material | None:
    """The key's bytes, None where there is none.

    Raises Refused when others can read its file, UsageError when what is there is no key.
    """
    given = env.get(place.variable)
    if given:
        return parsed(given, place.variable)
    return read(place.path) if place.path.exists() else None


def make(place: Place) -> Material:
    """Make the file of a key that is nowhere yet; two processes that ask at once get the same key."""
    return parsed(state.secret(place.path), str(place.path))


def read(path: Path) -> Material:
    """The key in a file. Raises as `find` does."""
    if path.stat().st_mode & 0o077:
        raise Refused(f"{path} can be read by others: `chmod 600` it, or replace the key")
    try:
        return parsed(state.secret(path), str(path))
    except UnicodeDecodeError:
        raise _no_key(str(path)) from None


def parsed(text: str, source: str) -> Material:
    """Read hexadecimal or base64. The error does not repeat the text: most of it may be a key."""
    stripped = text.strip()
    secret = b""
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", stripped):
        secret = bytes.fromhex(stripped)
    else:
        plain = stripped.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            secret = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except ValueError:  # binascii.Error is one too
            secret = b""
    if len(secret) < KEY_BYTES:
        raise _no_key(source)
    return Material(secret, source)


def _no_key(source: str) -> UsageError:
    return UsageError(
        f"{source} holds no key: give at least {KEY_BYTES} random bytes as hexadecimal or base64"
    )
