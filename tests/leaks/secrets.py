"""Which secrets there are: passwords, keys, and what is derived from them.

Belongs here: collecting them from an environment, a state folder and a database, in every form in which
one could be written down. Does not belong here: where each may be (`allowed`). A new key is found by
itself: by its variable (`RETENTION_…KEY`, `…TOKEN`) or by its file (state folder, `keys/` and `secrets/`).
"""

import base64
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from retention.declarations import Declarations
from retention.keys import MasterKey
from tests.leaks.patterns import Kind, Needle, secret_forms

# Shorter ones occur by accident.
_LEAST_BYTES = 12


def secrets_of(environment: Mapping[str, str], state: Path) -> dict[str, bytes]:
    """The secrets by name: the password of every database URL, every key given as a variable, every
    file of the folders that hold keys and passwords."""
    found: dict[str, bytes] = {}
    for name, value in environment.items():
        if "://" in value and (password := urlsplit(value).password):
            found[f"password in {name}"] = unquote(password).encode()
        elif re.fullmatch(r"RETENTION_\w*(KEY|TOKEN)\w*(?<!_COMMAND)", name):
            # Old keys stand in one variable, separated by commas.
            for number, text in enumerate(value.split(",")):
                found |= _key(f"{name} {number}" if number else name, text)
    for folder in ("keys", "secrets"):
        for path in sorted((state / folder).glob("*")):
            found |= _key(f"{folder}/{path.name}", path.read_text(encoding="ascii"))
    return {name: secret for name, secret in found.items() if len(secret) >= _LEAST_BYTES}


def derived_keys(key: MasterKey, declarations: Declarations) -> dict[str, bytes]:
    """The key of each table and the pads that are bound for it, and the key of exported deltas."""
    found = {"derived key of deltas": key.derived("sletteplikt/delta/v1")}
    for table in declarations.governed:
        inner, outer = key.pads(table.qualified)
        found[f"derived key of {table.qualified}"] = bytes(byte ^ 0x36 for byte in inner[:32])
        found[f"inner pad of {table.qualified}"] = inner[:32]
        found[f"outer pad of {table.qualified}"] = outer[:32]
    inner, outer = key.suppression_pads()
    return found | {
        "inner pad of suppressions": inner[:32],
        "outer pad of suppressions": outer[:32],
    }


def needles_for(secrets: Mapping[str, bytes]) -> Iterable[Needle]:
    """What to look for."""
    for name, secret in secrets.items():
        yield Needle(secret_forms(secret), Kind.SECRET, name)


def _key(name: str, text: str) -> dict[str, bytes]:
    """A key as it is written and as the bytes that this stands for."""
    written = text.strip()
    found = {f"{name} as written": written.encode()}
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", written):
        found[name] = bytes.fromhex(written)
    elif re.fullmatch(r"[\w+/=-]+", written):
        plain = written.replace("-", "+").replace("_", "/").rstrip("=")
        found[name] = base64.b64decode(plain + "=" * (-len(plain) % 4))
    return found
