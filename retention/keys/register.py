"""What the ledger knows of keys: their ids, since when they are used, and which were destroyed.

Belongs here: saying that a key is used from now on. Does not belong here: finding keys (`material`), and
what the ledger makes of it (`ledger.use_key`).
"""

from typing import Any

import psycopg

from retention.keys.hmac_key import HMAC, MasterKey
from retention.keys.signing import SIGNING, SigningKey

Connection = psycopg.Connection[Any]


def take_into_use(conn: Connection, key: MasterKey | SigningKey) -> bool:
    """Say, in the caller's transaction, that something is written under the key from now on. The first
    time is evidence; then True. psycopg's errors pass through: SL003 where the key was destroyed."""
    kind, public = (SIGNING, key.public) if isinstance(key, SigningKey) else (HMAC, None)
    row = conn.execute("select ledger.use_key(%s, %s, %s)", (kind, key.key_id, public)).fetchone()
    return bool(row and row[0])
