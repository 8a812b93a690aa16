"""Writing a file so that a reader sees the old or the new one, never half of one.

Belongs here: what is generated or reported, and anybody may read. Does not belong here: secrets and the
records of running processes, which only their owner may read (`state`).
"""

import secrets
from pathlib import Path


def replace_text(path: Path, text: str) -> bool:
    """Make `text` (as UTF-8) the content of `path`; False where it was already. Makes its folder."""
    return replace_bytes(path, text.encode())


def replace_bytes(path: Path, content: bytes) -> bool:
    """Make `content` that of `path`; False where it was already. Makes its folder."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    candidate = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    candidate.write_bytes(content)
    candidate.replace(path)
    return True
