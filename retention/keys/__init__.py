"""Keys, which live outside the database: the HMAC key behind the tombstones' tokens, and the key that
signs checkpoints.

Belongs here: where a key comes from, what is derived from it, and refusing to bind it where the server
would write it to its log. Does not belong here: computing tokens, which the database does set-wise with
a derived key that is bound for one statement; the tree and its checkpoints (`retention.ledger`).
"""

from retention.keys.hmac_key import EPOCH, VARIABLE, MasterKey, has_key, key_path, load_key
from retention.keys.server_log import refuse_logged_values
from retention.keys.signing import SigningKey, load_signing_key, signing_key_path

__all__ = [
    "EPOCH",
    "VARIABLE",
    "MasterKey",
    "SigningKey",
    "has_key",
    "key_path",
    "load_key",
    "load_signing_key",
    "refuse_logged_values",
    "signing_key_path",
]
