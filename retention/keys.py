"""The HMAC key behind the tombstones' tokens. It lives outside the database.

Belongs here: where the key comes from, what is derived from it, and refusing to bind it where the
server would write it to its log. Does not belong here: computing tokens, which the database does
set-wise with a derived key that is bound for one statement.
"""

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from retention import state
from retention.errors import Refused, UsageError
from retention.settings import Settings
from retention.warehouse.connection import is_embedded

VARIABLE = "RETENTION_HMAC_KEY"
EPOCH = 0

_PURPOSE = "sletteplikt/tombstone/v1"
_SUPPRESSION = "sletteplikt/suppression/v1"
_LEAST_BYTES = 32
_BLOCK = 64  # SHA-256's block, to which HMAC pads its key


@dataclass(frozen=True)
class MasterKey:
    """The key that every table's key is derived from. Its value is never shown."""

    secret: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """Names the key without saying anything about it."""
        return hashlib.sha256(self.secret + b"id").hexdigest()[:16]

    def pads(self, qualified: str, epoch: int = EPOCH) -> tuple[bytes, bytes]:
        """The inner and outer pad of HMAC-SHA-256 under the key of table `schema.table`."""
        return self._pads(f"{_PURPOSE}/{epoch}/{qualified}")

    def suppression_pads(self, epoch: int = EPOCH) -> tuple[bytes, bytes]:
        """The pads of the key under which contact points are suppressed, whatever table they are in."""
        return self._pads(f"{_SUPPRESSION}/{epoch}")

    def _pads(self, purpose: str) -> tuple[bytes, bytes]:
        derived = hmac.digest(self.secret, purpose.encode(), "sha256").ljust(_BLOCK, b"\0")
        return bytes(b ^ 0x36 for b in derived), bytes(b ^ 0x5C for b in derived)

    def token(self, qualified: str, record_key: str, epoch: int = EPOCH) -> bytes:
        """The token of one record; the database computes the same for many."""
        inner, outer = self.pads(qualified, epoch)
        inside = hashlib.sha256(inner + record_key.encode()).digest()
        return hashlib.sha256(outer + inside).digest()


def key_path(settings: Settings) -> Path:
    """Where the key lies when the environment does not hold it."""
    return settings.state / "keys" / "hmac.key"


def load_key(
    settings: Settings,
    conn: psycopg.Connection[Any],
    env: Mapping[str, str] = os.environ,
) -> MasterKey:
    """Return the key from the environment or from its file.

    Only for the embedded warehouse, and only before its first plan, one is made. Raises Refused when
    there is none or others can read its file, UsageError when it is no key.
    """
    given = env.get(VARIABLE)
    if given:
        return _parsed(given, VARIABLE)
    path = key_path(settings)
    if not path.exists():
        _refuse_to_replace(settings, conn)
        return _parsed(state.secret(path), str(path))
    if path.stat().st_mode & 0o077:
        raise Refused(f"{path} can be read by others: `chmod 600` it, or replace the key")
    return _parsed(state.secret(path), str(path))


def has_key(settings: Settings, env: Mapping[str, str] = os.environ) -> bool:
    """Whether a key was given or made; what needs one only where something was planned asks first."""
    return bool(env.get(VARIABLE)) or key_path(settings).exists()


def refuse_logged_values(conn: psycopg.Connection[Any]) -> None:
    """Raise Refused where the server would write bound values, and so a key, to its log.

    What the session may switch off by itself, it does.
    """
    conn.execute("select set_config('log_parameter_max_length_on_error', '0', false)")
    rows: dict[str, str] = dict(
        conn.execute(
            "select name, setting from pg_catalog.pg_settings where name = any(%s)",
            (
                [
                    "log_statement",
                    "log_min_duration_statement",
                    "log_min_duration_sample",
                    "log_transaction_sample_rate",
                    "log_parameter_max_length",
                    "log_parameter_max_length_on_error",
                    "pgaudit.log",
                    "pgaudit.log_parameter",
                    "auto_explain.log_min_duration",
                    "auto_explain.log_parameter_max_length",
                ],
            ),
        ).fetchall()
    )
    logs_statements = (
        rows["log_statement"] in ("mod", "all")
        or rows["log_min_duration_statement"] != "-1"
        or rows["log_min_duration_sample"] != "-1"
        or float(rows["log_transaction_sample_rate"]) > 0
    )
    culprit = None
    if logs_statements and rows["log_parameter_max_length"] != "0":
        culprit = "log_parameter_max_length = 0"
    elif rows["log_parameter_max_length_on_error"] != "0":
        culprit = "log_parameter_max_length_on_error = 0"
    elif (
        rows.get("pgaudit.log", "none") != "none"
        and rows.get("pgaudit.log_parameter", "off") == "on"
    ):
        culprit = "pgaudit.log_parameter = off"
    elif (
        rows.get("auto_explain.log_min_duration", "-1") != "-1"
        and rows.get("auto_explain.log_parameter_max_length", "-1") != "0"
    ):
        culprit = "auto_explain.log_parameter_max_length = 0"
    if culprit:
        raise Refused(
            f"the server would write the key to its log: set {culprit} for this login or server"
        )


def _refuse_to_replace(settings: Settings, conn: psycopg.Connection[Any]) -> None:
    row = conn.execute(
        "select key_id from ledger.plans order by planned_at desc limit 1"
    ).fetchone()
    if row is not None:
        raise Refused(
            f"the HMAC key {row[0]} is lost: put it back into {key_path(settings)} or {VARIABLE};"
            " without it nothing is planned, purged or read back"
        )
    if not is_embedded(settings):
        raise Refused(
            f"there is no HMAC key: put 32 random bytes, hexadecimal or base64, into {VARIABLE}"
            f" or into {key_path(settings)} (mode 0600), and keep a copy"
        )


def _parsed(text: str, source: str) -> MasterKey:
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
    if len(secret) < _LEAST_BYTES:
        raise UsageError(
            f"{source} holds no key: give at least {_LEAST_BYTES} random bytes as hexadecimal"
            " or base64"
        )
    return MasterKey(secret)
