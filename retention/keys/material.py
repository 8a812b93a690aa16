"""Where the bytes of a key come from: the environment, a command, or a file that only its owner may read.

Belongs here: reading them, the current ones and old ones, whatever the key is for. Does not belong here:
what a kind of key is used for, and when one may be made.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from retention import state
from retention.errors import Refused, UsageError
from retention.keys.command import output_of
from retention.settings import Settings

KEY_BYTES = 32


@dataclass(frozen=True)
class Place:
    """Where a kind of key is looked for."""

    name: str
    folder: Path

    @property
    def variable(self) -> str:
        """The environment variable of the current key."""
        return f"RETENTION_{self.name.upper()}_KEY"

    @property
    def command_variable(self) -> str:
        """The variable that names a command, which prints the current key and may print old ones after
        it, a line each."""
        return f"{self.variable}_COMMAND"

    @property
    def old_variable(self) -> str:
        """The variable of old keys, separated by commas, the latest first."""
        return f"RETENTION_{self.name.upper()}_KEYS_OLD"

    @property
    def path(self) -> Path:
        """The file of the current key."""
        return self.folder / f"{self.name}.key"

    def old_path(self, key_id: str) -> Path:
        """The file of an old key."""
        return self.folder / f"{self.name}-{key_id}.key"

    def is_there(self, env: Mapping[str, str]) -> bool:
        """Whether a current key was given or made."""
        given = env.get(self.variable) or env.get(self.command_variable)
        return bool(given) or self.path.exists()

    def how(self) -> str:
        """How a key is put there, to complete a sentence."""
        return (
            f"into {self.path} (mode 0600), {self.variable} or what {self.command_variable} prints"
        )


@dataclass(frozen=True)
class Material:
    """A key's bytes, never shown, and where they were found: a variable, or the file `path`."""

    secret: bytes = field(repr=False)
    source: str
    path: Path | None = None


@dataclass(frozen=True)
class AtHand:
    """What was found of a kind of key: the current one, None where there is none, and old ones."""

    current: Material | None
    old: tuple[Material, ...]


def place_of(settings: Settings, name: str) -> Place:
    """Where the keys `hmac` or `signing` are looked for."""
    return Place(name, settings.state / "keys")


def find(place: Place, env: Mapping[str, str]) -> AtHand:
    """The keys at hand; old ones as they are given, then by file.

    Raises Refused when others can read a file or a command fails, UsageError when what is there is no
    key or the current key is given twice.
    """
    given, command = env.get(place.variable), env.get(place.command_variable)
    current: list[Material] = []
    if given and command:
        raise UsageError(f"{place.variable} and {place.command_variable} are both set: unset one")
    if given:
        current = [parsed(given, place.variable)]
    elif command:
        printed = output_of(place.command_variable, command, env).strip()
        current = [parsed(line, place.command_variable) for line in printed.splitlines() or [""]]
    elif place.path.exists():
        current = [read(place.path)]
    listed = [text for text in env.get(place.old_variable, "").split(",") if text.strip()]
    old = [
        *current[1:],
        *(parsed(text, place.old_variable) for text in listed),
        *(read(path) for path in sorted(place.folder.glob(f"{place.name}-*.key"))),
    ]
    return AtHand(current[0] if current else None, tuple(old))


def make(place: Place) -> Material:
    """Make the file of a key that is nowhere yet; two processes that ask at once get the same key."""
    state.secret(place.path)
    return read(place.path)


def read(path: Path) -> Material:
    """The key in a file. Raises as `find` does."""
    if path.stat().st_mode & 0o077:
        raise Refused(f"{path} can be read by others: `chmod 600` it, or replace the key")
    try:
        return parsed(state.read_secret(path), str(path), path)
    except UnicodeDecodeError:
        raise _no_key(str(path)) from None


def parsed(text: str, source: str, path: Path | None = None) -> Material:
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
    return Material(secret, source, path)


def _no_key(source: str) -> UsageError:
    return UsageError(
        f"{source} holds no key: give at least {KEY_BYTES} random bytes as hexadecimal or base64"
    )
