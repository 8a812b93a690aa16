"""By which channels an owner is told: a file that maps owners to addresses, each of which is a secret.

Belongs here: reading the file and naming its channels without their addresses. Does not belong here:
sending anything (`delivery`).

The file is YAML, only its owner may read it, and RETENTION_NOTICE_CHANNELS names it:

    data-platform@example.no: ["mailtos://…", "slack://…"]
    default: ["msteams://…"]

`default` is for owners who are not named, and for notices of failed runs and of plans that wait. A
channel is named by its kind and its place among those of its kind, such as "slack 1": so a new one goes
to the end.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retention.errors import UsageError

VARIABLE = "RETENTION_NOTICE_CHANNELS"
DEFAULT = "default"

# Of an address nothing but its kind may be told, and a kind only where it looks like one.
_KIND = re.compile(r"^([a-z][a-z0-9]{0,29})://", re.IGNORECASE)


@dataclass(frozen=True)
class Channel:
    """One way to an owner. `name` may be shown and kept; `address` is an apprise URL and a secret."""

    name: str
    address: str = field(repr=False)


@dataclass(frozen=True)
class Channels:
    """Every owner's channels. `is_configured` is False where no file is named."""

    of_owner: Mapping[str, tuple[Channel, ...]] = field(default_factory=dict)
    is_configured: bool = True

    def reaching(self, owner: str) -> tuple[Channel, ...]:
        """The channels of an owner; those of `default` where the owner is not named."""
        return self.of_owner.get(owner) or self.of_owner.get(DEFAULT, ())

    @property
    def for_operations(self) -> tuple[Channel, ...]:
        """The channels by which it is told that a run failed, or that a plan waits."""
        return self.of_owner.get(DEFAULT, ())


def load_channels(env: Mapping[str, str] = os.environ) -> Channels:
    """The channels of the file that the environment names; none where it names none.

    Raises UsageError, without a word of the file, where others may read it or it is no such mapping.
    """
    named = env.get(VARIABLE)
    if not named:
        return Channels(is_configured=False)
    data = _read(Path(named).expanduser())
    if not isinstance(data, dict) or not all(isinstance(owner, str) for owner in data):
        raise UsageError(f"{VARIABLE} names a file that maps no owners to channels: {_SHAPE}")
    return Channels({owner: _channels(owner, listed) for owner, listed in data.items()})


_SHAPE = "write `owner: [address, …]`, and `default: [address, …]` for all others"


def _read(path: Path) -> Any:
    import yaml

    try:
        if path.stat().st_mode & 0o077:
            raise UsageError(
                f"others may read {path}, and it holds secrets: make it yours alone (chmod 600)"
            )
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text in UTF-8") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}, which {VARIABLE} names: {error.strerror}") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        # Its own words quote the file.
        mark = getattr(error, "problem_mark", None)
        where = f" from line {mark.line + 1} on" if mark else ""
        raise UsageError(f"{path} is no YAML{where}: {_SHAPE}") from None


def _channels(owner: str, listed: Any) -> tuple[Channel, ...]:
    addresses = [listed] if isinstance(listed, str) else listed
    if not isinstance(addresses, Sequence) or not all(isinstance(one, str) for one in addresses):
        raise UsageError(f"the channels of {owner} are no list of addresses: {_SHAPE}")
    counted: Counter[str] = Counter()
    channels = []
    for address in addresses:
        kind = _KIND.match(address)
        if kind is None:
            raise UsageError(
                f"a channel of {owner} is no address: write it as apprise does, such as mailtos://…"
            )
        name = kind[1].lower()
        counted[name] += 1
        channels.append(Channel(f"{name} {counted[name]}", address))
    return tuple(channels)
