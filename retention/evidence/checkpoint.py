"""A signed head of the ledger's tree.

Belongs here: making one, and reading one that was exported, trusting nothing but the signature. Does not
belong here: its form (C2SP tlog-checkpoint and signed-note), which `verifier` knows for both sides, and
where it goes (`destination`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from retention.errors import Refused
from retention.keys import SigningKey
from verifier import verify_evidence as form

LATEST = "checkpoint"

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Checkpoint:
    """A head of the tree: how many entries, their root, when it was signed (UTC, ISO), and the signed
    note itself."""

    size: int
    root: bytes
    time: str
    note: str


def file_name(kind: str, size: int) -> str:
    """The name of an exported file that belongs to the checkpoint of that size."""
    return f"{kind}/{size:020}"


def sign(
    conn: Connection, origin: str, size: int, root: bytes, keys: Sequence[SigningKey]
) -> Checkpoint:
    """Sign the head of the tree with each of the keys, as of the database's clock."""
    row = conn.execute("select ledger.iso_time(clock_timestamp())").fetchone()
    assert row is not None
    text = form.Checkpoint(origin, size, root, row[0]).text
    lines = [signature_line(origin, key, text.encode()) for key in keys]
    return Checkpoint(size, root, row[0], form.signed_note(text, lines))


def signature_line(origin: str, key: SigningKey, data: bytes) -> str:
    """The line that says that `key` signed `data` for this ledger."""
    return form.signature_line(form.Key(origin, key.public), key.sign(data))


def read_checkpoint(
    content: bytes, origin: str, trusted: Sequence[bytes], where: str
) -> Checkpoint:
    """Read an exported checkpoint of this ledger, signed by one of the public keys `trusted`. Raises
    Refused where it is not ours."""
    try:
        note = content.decode()
        text, lines = form.split_note(note)
        found = form.parse_checkpoint(text)
    except ValueError:
        raise Refused(f"a checkpoint in {where} is damaged: put the exported one back") from None
    if found.origin != origin:
        raise Refused(
            f"the checkpoints in {where} are those of another ledger: was the database made anew? name"
            " a place of its own in RETENTION_CHECKPOINTS"
        )
    try:
        keys = [form.Key(origin, public) for public in trusted]
        form.check_signatures("checkpoint", text.encode(), lines, keys)
    except (form.Forged, ValueError):
        raise Refused(
            f"the checkpoint in {where} was not signed with the signing key at hand: put that key back,"
            " or look into who wrote the checkpoint"
        ) from None
    return Checkpoint(found.size, found.root, found.time, note)
