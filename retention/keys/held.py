"""The keys at hand of either kind, by their ids.

Belongs here: what listing, rotating and destroying keys have in common. Does not belong here: using a
key, for which `hmac_key` and `signing` find it by themselves and refuse where one is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from retention.keys.hmac_key import HMAC, MasterKey
from retention.keys.material import Material, find, place_of
from retention.keys.signing import SigningKey, signing_key
from retention.settings import Settings

Kind = Literal["hmac", "signing"]


@dataclass(frozen=True)
class Held:
    """A key and where it comes from: a variable, or the file `path`."""

    key: MasterKey | SigningKey
    is_current: bool
    source: str
    path: Path | None


def held(settings: Settings, kind: Kind, env: Mapping[str, str]) -> list[Held]:
    """The keys at hand, the current one first. Raises as finding them does."""
    found = find(place_of(settings, kind), env)
    current = [found.current] if found.current else []
    return [_held(kind, one, one is found.current) for one in (*current, *found.old)]


def _held(kind: Kind, found: Material, is_current: bool) -> Held:
    key = MasterKey(found.secret) if kind == HMAC else signing_key(found)
    return Held(key, is_current, found.source, found.path)
