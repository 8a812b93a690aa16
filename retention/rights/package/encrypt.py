"""The encrypted file that a person gets (docs/decisions/0015): a ZIP file with AES-256.

Belongs here: the passphrase, and the file's bytes. Does not belong here: what is in it.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Mapping

import pyzipper

# Letters and digits that nobody mistakes for another, read aloud or from paper: five bits each.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP = 6, 4


def make_passphrase() -> str:
    """A new passphrase of 120 random bits, in groups that can be read aloud. It is stored nowhere."""
    return "-".join(
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS)
    )


def encrypt(files: Mapping[str, bytes], passphrase: str) -> bytes:
    """The ZIP file of `files`, by name; each is encrypted, none is ever on the disk."""
    archive = io.BytesIO()
    with pyzipper.AESZipFile(
        archive, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES
    ) as opened:
        opened.setpassword(passphrase.encode("ascii"))
        opened.setencryption(pyzipper.WZ_AES, nbits=256)
        for name, content in files.items():
            opened.writestr(name, content)
    return archive.getvalue()
